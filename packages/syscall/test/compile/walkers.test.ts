// One plan, three walkers: the JavaScript of perform, the machine code for x64 and, under emulation, that for arm64. All have to do the same.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  call,
  compile,
  errnos,
  fail,
  failure,
  Fd,
  hostArch,
  isSyscallError,
  label,
  Memory,
  perform,
  resultOf,
  type Arch,
  type Arg,
  type ErrnoName,
  type Plan,
  type Step,
} from '@ctr/syscall';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { failedStep } from '../../src/compile/compile.js';
import { UNPACKER_OFFSET } from '../../src/compile/layout.js';
import { noise } from './noise.js';

/** What came of a plan: what it wrote, with which code it ended, and which step failed with which errno. */
interface Outcome {
  readonly written: string;
  readonly code: number | null;
  readonly failed?: { readonly step: number; readonly errno: number };
}

const qemu = 'qemu-aarch64-static';
const hasQemu = spawnSync(qemu, ['-version']).status === 0;
let directory: string;
beforeAll(() => void (directory = mkdtempSync(join(tmpdir(), 'ctr-walkers-'))));
afterAll(() => rmSync(directory, { recursive: true }));

/** Runs a compiled plan as an executable of its own, with fd 3 as it reports on. */
function runCompiled(plan: Plan, arch: Arch, packed = false): Outcome {
  return runExecutable(compile(plan, { arch, packed }), arch);
}

function runExecutable(bytes: Uint8Array, arch: Arch): Outcome {
  const path = join(directory, 'plan');
  writeFileSync(path, bytes);
  chmodSync(path, 0o755);
  const [program, args] = arch === hostArch() ? [path, []] : [qemu, [path]];
  const { output, status, error } = spawnSync(program, args, { stdio: ['ignore', 'pipe', 'ignore', 'pipe'], timeout: 10_000 });
  if (error) throw error;
  const report = output[3] as unknown as Buffer;
  const step = report.length === 8 ? failedStep(report.readUInt32LE(0)) : undefined;
  return {
    written: (output[1] as unknown as Buffer).toString('hex'),
    code: status,
    ...(step !== undefined && { failed: { step, errno: report.readUInt32LE(4) } }),
  };
}

/** Performs a plan in this process, with a file in the place of its stdout. */
function runPerformed(makePlan: (stdout: Arg) => Plan): Outcome {
  using stdout = new Fd(call({ call: 'memfd_create', args: ['stdout', 1], purpose: 'the output of a test' }));
  let failed: Outcome['failed'];
  let isFailed = false;
  try {
    perform(makePlan(stdout));
  } catch (error) {
    if (!isSyscallError(error)) throw error;
    isFailed = true;
    failed = { step: error.step ?? 0, errno: error.errno };
  }
  const bytes = Buffer.alloc(64 * 1024);
  return { written: bytes.toString('hex', 0, readSync(stdout.number, bytes, 0, bytes.length, 0)), code: isFailed ? 125 : 0, ...(failed && { failed }) };
}

const runs = Number(process.env['CTR_FUZZ_RUNS'] ?? 150);
const MEMORY_BYTES = 64;
const word = fc.oneof(
  fc.integer({ min: -5000, max: 5000 }),
  fc.constantFrom(
    -4095,
    -4096,
    -4097,
    -1,
    0,
    1,
    2 ** 31 - 1,
    -(2 ** 31),
    2 ** 32,
    Number.MAX_SAFE_INTEGER,
    2n ** 63n - 1n,
    -(2n ** 63n),
    2n ** 64n - 1n,
    2n ** 52n,
    2n ** 53n + 1n,
  ),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
const operandSpec = fc.oneof(
  fc.record({ is: fc.constant('word' as const), value: word }),
  fc.record({ is: fc.constantFrom('i32' as const, 'u64' as const, 'u8' as const), at: fc.nat(MEMORY_BYTES - 8) }),
  fc.record({ is: fc.constant('result' as const), step: fc.nat(9) }),
);
const names = Object.entries(errnos)
  .filter(([, errno]) => errno < 134)
  .map(([name]) => name as ErrnoName);
const sumSpec = fc.record({
  a: operandSpec,
  b: operandSpec,
  tolerates: fc.option(fc.oneof(fc.constant('any' as const), fc.array(fc.constantFrom(...names), { maxLength: 7 })), { nil: undefined, freq: 1 }),
  jump: fc.option(
    fc.record({ when: fc.constantFrom('==' as const, '!=' as const, '<' as const), than: fc.option(operandSpec, { nil: undefined }), over: fc.nat(3) }),
    { nil: undefined },
  ),
  into: fc.option(fc.nat(MEMORY_BYTES - 8), { nil: undefined }),
  onFailure: fc.option(fc.nat(3), { nil: undefined, freq: 2 }),
});
const planSpec = fc.record({
  content: fc.uint8Array({ minLength: MEMORY_BYTES, maxLength: MEMORY_BYTES }),
  sums: fc.array(sumSpec, { minLength: 1, maxLength: 10 }),
});

type Generated<A> = A extends fc.Arbitrary<infer T> ? T : never;

/** Sums that jump forward only, and at the end all their results and the memory are written out. */
function sums({ content, sums: specs }: Generated<typeof planSpec>, stdout: Arg): Plan {
  const memory = new Memory(content, 'memory');
  const steps = specs.map((): { -readonly [K in keyof Step]: Step[K] } => ({ call: 'add', args: [], purpose: 'a sum' }));
  const results = new Memory(8 * steps.length, 'results');
  const end = label('the end');
  const arg = (spec: Generated<typeof operandSpec>): Arg => {
    if (spec.is === 'word') return spec.value;
    if (spec.is === 'result') return resultOf(steps[spec.step % steps.length] as Step);
    return memory[spec.is](spec.at);
  };
  for (const [i, spec] of specs.entries()) {
    const step = steps[i];
    if (!step) continue;
    step.args = [arg(spec.a), arg(spec.b)];
    const after = (over: number): Step => steps[i + 1 + over] ?? end;
    if (spec.tolerates) step.tolerates = spec.tolerates;
    if (spec.jump) step.jump = { when: spec.jump.when, ...(spec.jump.than && { than: arg(spec.jump.than) }), to: after(spec.jump.over) };
    if (spec.into !== undefined) step.into = memory.at(spec.into);
    if (spec.onFailure !== undefined) step.onFailure = after(spec.onFailure);
  }
  return [
    ...steps,
    end,
    ...steps.map((step, i): Step => ({ call: 'add', args: [resultOf(step), 0], purpose: 'a result', tolerates: 'any', into: results.at(i * 8) })),
    { call: 'write', args: [stdout, results, results.byteLength], purpose: 'the results' },
    { call: 'write', args: [stdout, memory, MEMORY_BYTES], purpose: 'the memory' },
  ];
}

describe('perform, the walker for this machine and the walker for arm64', () => {
  it('do the same sums, jumps, loads, stores and failures', { timeout: 30_000 + runs * 100 }, () => {
    fc.assert(
      fc.property(planSpec, (spec) => {
        const performed = runPerformed((stdout) => sums(spec, stdout));
        expect(runCompiled(sums(spec, 1), hostArch())).toEqual(performed);
        expect(runCompiled(sums(spec, 1), hostArch(), true)).toEqual(performed);
      }),
      { numRuns: runs },
    );
  });

  it('do the same under emulation', { timeout: 30_000 + runs * 200 }, ({ skip }) => {
    skip(!hasQemu, `${qemu} is not installed`);
    skip(hostArch() === 'arm64', 'this is an arm64');
    fc.assert(
      fc.property(planSpec, (spec) => {
        const outcome = runCompiled(sums(spec, 1), 'x64');
        expect(runCompiled(sums(spec, 1), 'arm64')).toEqual(outcome);
        expect(runCompiled(sums(spec, 1), 'arm64', true)).toEqual(outcome);
      }),
      { numRuns: runs },
    );
  });
});

describe.each([
  ['compiled', false],
  ['packed', true],
])('a %s plan', (_, packed) => {
  for (const arch of ['x64', 'arm64'] as const) {
    const own = arch === hostArch();
    const check = (name: string, plan: () => Plan, expected: Omit<Outcome, 'written'> & { readonly text: string }): void => {
      it(`for ${arch} ${name}`, ({ skip }) => {
        skip(!own && arch === 'x64', 'there is no emulator for x64');
        skip(!own && !hasQemu, `${qemu} is not installed`);
        const { text, ...rest } = expected;
        const made = plan();
        // One that would be no smaller packed is not packed.
        if (packed) expect(compile(made, { arch, packed }).length).toBeLessThan(compile(made, { arch }).length);
        expect(runCompiled(made, arch, packed)).toEqual({ written: Buffer.from(text).toString('hex'), ...rest });
      });
    };
    const write = (text: string): Step => ({ call: 'write', args: [1, text, Buffer.byteLength(text)], purpose: 'show' });

    check('writes and exits', () => [write('hello'), { call: 'exit_group', args: [7], purpose: 'end' }], { text: 'hello', code: 7 });
    check('ends with 0 at its end', () => [write('x'), write('y'), write('z')], { text: 'xyz', code: 0 });
    check('reports which step failed, and with which errno', () => [write('a'), { call: 'chdir', args: ['/nowhere'], purpose: 'fails' }, write('b')], {
      text: 'a',
      code: 125,
      failed: { step: 1, errno: errnos.ENOENT },
    });
    check('reports an error of its own choosing', () => [write('a'), fail(errnos.EISDIR, 'a directory')], {
      text: 'a',
      code: 125,
      failed: { step: 1, errno: errnos.EISDIR },
    });
    check(
      'goes on after an error that it tolerates',
      () => [{ call: 'chdir', args: ['/nowhere'], purpose: 'fails', tolerates: ['EACCES', 'ENOENT'] }, write('b')],
      { text: 'b', code: 0 },
    );
    check(
      'goes elsewhere after a failure, and knows its errno there',
      () => {
        const other = write('other');
        return [
          { call: 'chdir', args: ['/nowhere'], purpose: 'fails', onFailure: other },
          write('not here'),
          other,
          { call: 'exit_group', args: [failure.i32(4)], purpose: 'the errno' },
        ];
      },
      { text: 'other', code: errnos.ENOENT },
    );
    check(
      'counts in a loop',
      () => {
        const counter = new Memory(8, 'counter');
        const first = write('.');
        return [first, { call: 'add', args: [counter.u64(), 1], purpose: 'count', into: counter.at(0), jump: { when: '<', than: 5, to: first } }];
      },
      { text: '.....', code: 0 },
    );
    check(
      'hands results on: the ends of a pipe, and what comes through it',
      () => {
        const ends = new Memory(8, 'ends');
        const buffer = new Memory(16, 'buffer');
        const read: Step = { call: 'read', args: [ends.i32(0), buffer, 16], purpose: 'from the pipe' };
        return [
          { call: 'pipe2', args: [ends, 0], purpose: 'a pipe' },
          { call: 'write', args: [ends.i32(4), 'through', 7], purpose: 'into the pipe' },
          read,
          { call: 'write', args: [1, buffer, resultOf(read)], purpose: 'show' },
        ];
      },
      { text: 'through', code: 0 },
    );
    check(
      'passes six arguments, of 64 bits each',
      () => {
        const offset = new Memory(8, 'offset');
        const fd: Step = { call: 'memfd_create', args: ['file', 0], purpose: 'a file' };
        return [
          fd,
          { call: 'lseek', args: [resultOf(fd), 2n ** 40n + 5n, 0], purpose: 'far away', into: offset.at(0), jump: { when: '!=', than: 2 ** 40 + 5, to: fd } },
          { call: 'write', args: [1, offset, 8], purpose: 'show' },
        ];
      },
      { text: '\u0005\0\0\0\0\u0001\0\0', code: 0 },
    );
    check(
      'goes on in a new process',
      () => {
        const status = new Memory(8, 'status');
        const child = label('the child');
        const fork: Step = { call: 'clone', args: [17, 0, 0, 0, 0], purpose: 'fork', jump: { when: '==', to: child } };
        const end: Step = { call: 'exit_group', args: [status.u8(1)], purpose: 'end as it did' };
        return [
          fork,
          { call: 'wait4', args: [resultOf(fork), status, 0, null], purpose: 'wait' },
          write('parent'),
          end,
          child,
          write('child '),
          { call: 'exit_group', args: [9], purpose: 'end' },
        ];
      },
      { text: 'child parent', code: 9 },
    );
  }
});

describe('a packed executable', () => {
  for (const arch of ['x64', 'arm64'] as const) {
    const unable = (): string | undefined =>
      arch === hostArch() ? undefined : arch === 'x64' ? 'there is no emulator for x64' : hasQemu ? undefined : `${qemu} is not installed`;

    it(`for ${arch} unpacks what is far away, what comes again and what does not, and zeroed memory behind it`, ({ skip }) => {
      skip(unable() !== undefined, unable());
      const contents = [noise(3000, 1), new Uint8Array(70_000), noise(20_000, 2), Buffer.alloc(40_000, 'abc'), noise(20_000, 2), noise(3000, 1)];
      const zeroed = new Memory(100_000, 'zeroed');
      const plan = [...contents, zeroed].map((content): Step => ({ call: 'write', args: [1, content, content.byteLength], purpose: 'show' }));
      expect(compile(plan, { arch, packed: true }).length).toBeLessThan(32_000);
      const written = Buffer.concat([...contents, Buffer.alloc(100_000)]).toString('hex');
      expect(runCompiled(plan, arch, true)).toEqual({ written, code: 0 });
    });

    it(`for ${arch} makes no call, and ends, when its file was cut`, { timeout: 60_000 }, ({ skip }) => {
      skip(unable() !== undefined, unable());
      const plan = [
        ...Array.from({ length: 30 }, (__, i): Step => ({ call: 'write', args: [1, `line ${i}\n`, 7], purpose: 'show' })),
        { call: 'write', args: [1, noise(9000, 1), 9000], purpose: 'show' },
      ] satisfies Plan;
      const file = compile(plan, { arch, packed: true });
      expect(runExecutable(file, arch).code).toBe(0);
      const pages = [4096, 8192].flatMap((page) => [page - 1, page, page + 1]);
      const codes = new Set<number | null>();
      expect(file.length).toBeGreaterThan(8193);
      for (const length of [UNPACKER_OFFSET + 1, 900, 1000, 1200, ...pages, file.length - 300, file.length - 2, file.length - 1]) {
        const { code, ...rest } = runExecutable(file.subarray(0, length), arch);
        codes.add(code);
        expect(rest, `${length} of ${file.length} bytes`).toEqual({ written: '' });
      }
      // In the last page there are zeros instead; of pages that are not there, the kernel tells by a signal.
      expect(codes).toEqual(new Set([125, null]));
    });
  }
});
