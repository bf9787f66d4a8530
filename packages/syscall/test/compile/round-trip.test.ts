import { errnos, Fd, Memory, resultOf, struct, syscallNumber, type Arch, type Arg, type ErrnoName, type Plan, type Step, type Struct } from '@ctr/syscall';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { compileParts } from '../../src/compile/compile.js';
import { decode, type Decoded, type Operand } from './decode.js';

/** More than a thousand with CTR_FUZZ_RUNS in the environment. */
const runs = Number(process.env['CTR_FUZZ_RUNS'] ?? 1000);
/** Records behind those of the plan: its end, the report of a failure, the end after that. */
const EPILOGUE = 3;
const REPORT = 1;

const calls = ['read', 'write', 'openat', 'mount', 'clone', 'execve', 'add', 'getpid', 'prctl', 'ioctl'] as const;
const inner = struct('inner', { small: { type: 'u8' }, word: { type: 'i32' }, name: { type: { bytes: 6 } } });
const outer = struct('outer', { id: { type: 'u64' }, to: { type: 'pointer' }, short: { type: 'u16' }, file: { type: 'i32' } });

/** An argument before there are steps and memories to refer to. */
type Spec =
  | { readonly is: 'number'; readonly value: number | bigint }
  | { readonly is: 'string'; readonly value: string }
  | { readonly is: 'bytes'; readonly value: Uint8Array }
  | { readonly is: 'null' }
  | { readonly is: 'memory' | 'pointer' | 'i32' | 'u64' | 'u8'; readonly memory: number; readonly offset: number }
  | { readonly is: 'result'; readonly step: number }
  | { readonly is: 'struct'; readonly values: readonly [number | bigint, string, number, number, number, Uint8Array] }
  | { readonly is: 'vector'; readonly items: readonly string[] }
  | { readonly is: 'fd'; readonly index: number };

const borders = [0, 1, 255, 256, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER].flatMap((n) => [n, -n, n + 1, -n - 1]);
const wide = [2n ** 31n, 2n ** 32n, 2n ** 63n, 2n ** 64n].flatMap((n) => [n - 1n, n, n + 1n, -n, 1n - n, -n - 1n]);
const number = fc.oneof(
  fc.constantFrom(...borders, ...wide),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }),
  fc.integer(),
  fc.constantFrom(0.5, Number.NaN, Infinity, -0),
);
const text = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('', 'é', '\0', 'a\0', '\ud800', 'a'.repeat(5000)),
);
const place = { memory: fc.nat(3), offset: fc.integer({ min: -1, max: 41 }) };
const spec: fc.Arbitrary<Spec> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ is: fc.constant('number' as const), value: number }) },
  { weight: 2, arbitrary: fc.record({ is: fc.constant('string' as const), value: text }) },
  fc.record({ is: fc.constant('bytes' as const), value: fc.uint8Array({ maxLength: 40 }) }),
  fc.record({ is: fc.constant('null' as const) }),
  { weight: 3, arbitrary: fc.record({ is: fc.constantFrom('memory' as const, 'pointer' as const, 'i32' as const, 'u64' as const, 'u8' as const), ...place }) },
  { weight: 3, arbitrary: fc.record({ is: fc.constant('result' as const), step: fc.nat(11) }) },
  fc.record({
    is: fc.constant('struct' as const),
    values: fc.tuple(number, text, fc.integer({ min: -1, max: 65536 }), fc.integer({ min: -130, max: 256 }), fc.integer(), fc.uint8Array({ maxLength: 7 })),
  }),
  fc.record({ is: fc.constant('vector' as const), items: fc.array(text, { maxLength: 4 }) }),
  fc.record({ is: fc.constant('fd' as const), index: fc.nat(2) }),
);
const names = Object.keys(errnos) as ErrnoName[];
const stepSpec = fc.record({
  call: fc.constantFrom(...calls),
  args: fc.oneof({ weight: 20, arbitrary: fc.array(spec, { maxLength: 6 }) }, fc.array(spec, { minLength: 7, maxLength: 7 })),
  tolerates: fc.option(fc.oneof(fc.constant('any' as const), fc.array(fc.constantFrom(...names), { maxLength: 8 })), { nil: undefined }),
  jump: fc.option(fc.record({ when: fc.constantFrom('==' as const, '!=' as const, '<' as const), than: fc.option(spec, { nil: undefined }), to: fc.nat(11) }), {
    nil: undefined,
  }),
  into: fc.option(fc.record(place), { nil: undefined }),
  onFailure: fc.option(fc.nat(11), { nil: undefined }),
});

type Generated<A> = A extends fc.Arbitrary<infer T> ? T : never;

interface Built {
  readonly plan: Plan;
  readonly memories: readonly Memory[];
  readonly files: readonly Fd[];
}

/** A plan of these pieces. A reference to a step beyond the last is to one that is not in the plan. */
function build(specs: readonly Generated<typeof stepSpec>[]): Built {
  const memories = [
    new Memory(8, 'zeros'),
    new Memory(40, 'more zeros'),
    new Memory(Buffer.from('content.'), 'content'),
    new Memory(Buffer.alloc(40, 7), 'more content'),
  ];
  const files = [new Fd(1_000_001), new Fd(1_000_002), new Fd(1_000_003)];
  const steps = specs.map(({ call }): { -readonly [K in keyof Step]: Step[K] } => ({ call, args: [], purpose: 'a step' }));
  const foreign: Step = { call: 'getpid', args: [], purpose: 'not in the plan' };
  const step = (i: number): Step => steps[i] ?? foreign;
  const arg = (one: Spec): Arg => {
    switch (one.is) {
      case 'number':
      case 'string':
      case 'bytes':
        return one.value;
      case 'null':
        return null;
      case 'memory':
        return memories[one.memory] as Memory;
      case 'pointer':
        return (memories[one.memory] as Memory).at(one.offset);
      case 'i32':
      case 'u64':
      case 'u8':
        return (memories[one.memory] as Memory)[one.is](one.offset);
      case 'result':
        return resultOf(step(one.step));
      case 'struct': {
        const [id, name, short, small, word, bytes] = one.values;
        return outer({ id, to: inner({ small, word, name: bytes }), short, file: name.length });
      }
      case 'vector':
        return one.items;
      case 'fd':
        return files[one.index] as Fd;
    }
  };
  for (const [i, { args, tolerates, jump, into, onFailure }] of specs.entries()) {
    const built = steps[i] as (typeof steps)[number];
    built.args = args.map(arg);
    if (tolerates !== undefined) built.tolerates = tolerates;
    if (jump) built.jump = { when: jump.when, ...(jump.than && { than: arg(jump.than) }), to: step(jump.to) };
    if (into) built.into = (memories[into.memory] as Memory).at(into.offset);
    if (onFailure !== undefined) built.onFailure = step(onFailure);
  }
  return { plan: steps, memories, files };
}

/** Whether a plan of these pieces has to be refused. */
function isWrong(specs: readonly Generated<typeof stepSpec>[]): boolean {
  const sizes = [8, 40, 8, 40];
  const isOut = (memory: number, offset: number, length: number): boolean => offset < 0 || offset + length > (sizes[memory] as number);
  const fits = (value: number | bigint, bits: number): boolean => {
    if (typeof value === 'number' && !Number.isInteger(value)) return false;
    return BigInt.asUintN(bits, BigInt(value)) === BigInt(value) || BigInt.asIntN(bits, BigInt(value)) === BigInt(value);
  };
  const isWrongArg = (one: Spec): boolean => {
    switch (one.is) {
      case 'number':
        return typeof one.value === 'number' && !Number.isSafeInteger(one.value);
      case 'string':
        return one.value.includes('\0');
      case 'vector':
        return one.items.some((item) => item.includes('\0'));
      case 'pointer':
        return isOut(one.memory, one.offset, 0);
      case 'i32':
        return isOut(one.memory, one.offset, 4);
      case 'u64':
        return isOut(one.memory, one.offset, 8);
      case 'u8':
        return isOut(one.memory, one.offset, 1);
      case 'result':
        return one.step >= specs.length;
      case 'struct': {
        const [id, , short, small, , bytes] = one.values;
        return !fits(id, 64) || !fits(short, 16) || !fits(small, 8) || bytes.length > 6;
      }
      default:
        return false;
    }
  };
  return specs.some(
    ({ args, tolerates, jump, into, onFailure }) =>
      args.length > 6 ||
      args.some(isWrongArg) ||
      (jump !== undefined && (jump.to >= specs.length || (jump.than !== undefined && isWrongArg(jump.than)))) ||
      (into !== undefined && isOut(into.memory, into.offset, 8)) ||
      (onFailure !== undefined && onFailure >= specs.length) ||
      (tolerates !== undefined && tolerates !== 'any' && tolerates.length > 7),
  );
}

/** Compares a decoded plan with the one it was compiled from; addresses of the same thing have to be the same, and those of different ones apart. */
class Comparison {
  readonly #places = new Map<unknown, { readonly from: number; readonly length: number }>();
  readonly #decoded: Decoded;
  readonly #built: Built;

  constructor(decoded: Decoded, built: Built) {
    this.#decoded = decoded;
    this.#built = built;
  }

  /** Notes where something lies, and that it lies there always. */
  place(thing: unknown, from: number, length: number): void {
    const known = this.#places.get(thing);
    if (known) expect(from).toBe(known.from);
    else this.#places.set(thing, { from, length });
  }

  /** Nothing lies in the records, outside of the data, or on something else. */
  checkPlaces(): void {
    const ranges = [...this.#places.values()].filter(({ length }) => length > 0).toSorted((a, b) => a.from - b.from);
    let end = this.#decoded.dataFrom;
    for (const { from, length } of ranges) {
      expect(from).toBeGreaterThanOrEqual(end);
      end = from + length;
    }
    expect(end).toBeLessThanOrEqual(this.#decoded.end);
  }

  operand(found: Operand, arg: Arg): void {
    const { bytes } = this.#decoded;
    if (arg === null) return expect(found).toEqual({ bytes: 0, value: 0 });
    if (typeof arg === 'number' || typeof arg === 'bigint') {
      const value = found.bytes === 0 ? BigInt(found.value) : bytes(found.value, 8).readBigInt64LE();
      if (found.bytes !== 0) {
        expect(found.bytes).toBe(8);
        this.place({}, found.value, 8);
      }
      return expect(value).toBe(BigInt.asIntN(64, BigInt(arg)));
    }
    if (arg instanceof Fd) return expect(found).toEqual({ bytes: 0, value: 4 + this.#built.files.indexOf(arg) });
    if (typeof arg === 'object' && 'kind' in arg && (arg.kind === 'load' || arg.kind === 'result')) {
      const [of, offset, size] =
        arg.kind === 'load' ? [arg.of, arg.offset, arg.size] : arg.step.into ? [arg.step.into.of, arg.step.into.offset, 8] : [arg.step, 0, 8];
      expect(found.bytes).toBe(size);
      return this.place(of, found.value - offset, 'byteLength' in of ? of.byteLength : 8);
    }
    expect(found.bytes).toBe(0);
    this.address(found.value, arg as string);
  }

  address(at: number, arg: string | Uint8Array | Memory | Struct | { kind: 'pointer'; of: Memory | Struct; offset: number } | readonly string[]): void {
    const { bytes } = this.#decoded;
    if (typeof arg === 'string') {
      const expected = Buffer.from(`${arg}\0`);
      expect(bytes(at, expected.length).equals(expected)).toBe(true);
      return this.place(arg, at, expected.length);
    }
    if (arg instanceof Uint8Array) {
      expect([...bytes(at, arg.length)]).toEqual([...arg]);
      return this.place({}, at, arg.length);
    }
    if (!('kind' in arg)) {
      this.place({}, at, (arg.length + 1) * 8);
      for (const [i, item] of arg.entries()) this.address(Number(bytes(at + i * 8, 8).readBigUInt64LE()), item);
      return expect(bytes(at + arg.length * 8, 8).readBigUInt64LE()).toBe(0n);
    }
    if (arg.kind === 'pointer') return this.address(at - arg.offset, arg.of);
    this.place(arg, at, arg.byteLength);
    if (arg.kind === 'memory') return expect(bytes(at, arg.byteLength).equals(arg.initial ?? Buffer.alloc(arg.byteLength))).toBe(true);
    for (const { name, offset, size, type } of arg.type.fields) {
      const value = arg.values[name];
      const field = bytes(at + offset, size);
      if (value instanceof Uint8Array) expect([...field]).toEqual([...value, ...Buffer.alloc(size - value.length)]);
      else if (type === 'pointer') this.address(Number(field.readBigUInt64LE()), value as unknown as Struct);
      else expect(BigInt(`0x${Buffer.from(field).reverse().toString('hex')}`)).toBe(BigInt.asUintN(size * 8, BigInt(value as number)));
    }
  }

  step(i: number, arch: Arch): void {
    const { plan } = this.#built;
    const step = plan[i] as Step;
    const record = this.#decoded.records[i] as Decoded['records'][number];
    expect(record.number).toBe(step.call === 'add' ? 0xffff : syscallNumber(step.call, arch));
    const args = [...step.args, ...Array<number>(6 - step.args.length).fill(0)];
    // arm64's clone(2) takes tls before child_tid.
    if (step.call === 'clone' && arch === 'arm64') [args[3], args[4]] = [args[4] as Arg, args[3] as Arg];
    for (const [k, arg] of args.entries())
      this.operand(record.args[k] as Operand, step.call === 'openat' && k === 2 && arch === 'arm64' ? armOpenFlags(arg) : arg);
    expect(record.condition).toBe(step.jump ? { '==': 1, '!=': 2, '<': 3 }[step.jump.when] : 0);
    expect(record.target).toBe(step.jump ? plan.indexOf(step.jump.to) : 0);
    this.operand(record.than, step.jump?.than ?? 0);
    expect(record.onFailure).toBe(step.onFailure ? plan.indexOf(step.onFailure) : plan.length + REPORT);
    expect(record.tolerated).toEqual(step.tolerates === 'any' ? [0xff] : (step.tolerates ?? []).map((name) => errnos[name]));
    if (step.into) this.place(step.into.of, record.store - step.into.offset, step.into.of.byteLength);
    else if (record.store !== 0) this.place(step, record.store, 8);
  }

  /** A result that is needed has a place. */
  used(): void {
    for (const [i, step] of this.#built.plan.entries()) {
      const isUsed = this.#built.plan.some(({ args, jump }) =>
        [...args, jump?.than].some((arg) => typeof arg === 'object' && arg !== null && 'kind' in arg && arg.kind === 'result' && arg.step === step),
      );
      if (isUsed) expect(this.#decoded.records[i]?.store).not.toBe(0);
    }
  }
}

/** uapi/asm/fcntl.h of both: O_DIRECTORY 0200000 and 040000, O_NOFOLLOW 0400000 and 0100000, O_DIRECT 040000 and 0200000, O_LARGEFILE 0100000 and 0400000. */
function armOpenFlags(arg: Arg): Arg {
  if (typeof arg !== 'number') return arg;
  const bits = arg & 0o740000;
  return (arg & ~0o740000) | ((bits & 0o140000) << 2) | ((bits & 0o600000) >> 2);
}

describe('a plan', () => {
  for (const arch of ['x64', 'arm64'] as const) {
    it(
      `for ${arch} is refused if something is wrong with it, and otherwise has its calls, arguments, jumps and places in the executable`,
      { timeout: 30_000 + runs },
      () => {
        let compiled = 0;
        let refused = 0;
        fc.assert(
          fc.property(fc.array(stepSpec, { maxLength: 12 }), (specs) => {
            const built = build(specs);
            let file: Buffer;
            try {
              file = compileParts([built.plan], arch, (fd) => 4 + built.files.indexOf(fd));
            } catch (error) {
              expect(error instanceof TypeError || error instanceof RangeError, String(error)).toBe(true);
              expect(isWrong(specs), String(error)).toBe(true);
              refused++;
              return;
            }
            expect(isWrong(specs)).toBe(false);
            compiled++;
            const count = specs.length;
            const decoded = decode(file, count + EPILOGUE);
            const comparison = new Comparison(decoded, built);
            for (let i = 0; i < count; i++) comparison.step(i, arch);
            comparison.used();
            comparison.checkPlaces();
            const [end, report, after] = decoded.records.slice(count);
            expect([end?.number, end?.args[0]?.value]).toEqual([syscallNumber('exit_group', arch), 0]);
            expect([report?.number, report?.args.map(({ value }) => value).slice(0, 3)]).toEqual([syscallNumber('write', arch), [3, 0x410300, 8]]);
            expect([after?.number, after?.args[0]?.value]).toEqual([syscallNumber('exit_group', arch), 125]);
          }),
          { numRuns: runs },
        );
        // Neither side may be there only for show.
        expect(compiled).toBeGreaterThan(50);
        expect(refused).toBeGreaterThan(50);
      },
    );
  }
});
