// ctr itself on arm64: Node, koffi and the packages, in a machine with a kernel for it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { beforeAll, beforeEach, expect, it } from 'vitest';

import { nodeProgram } from '../../../test/support/node-program.js';
import { boot, type Outcome } from '../../../tools/vm/arm64.mjs';
import { kernel, nodeForArm64 } from '../../../tools/vm/kernel.mjs';

const BOOT_MS = 300_000;
const libraries = ['ld-linux-aarch64.so.1', 'libc.so.6', 'libm.so.6', 'libdl.so.2', 'libpthread.so.0', 'libgcc_s.so.1', 'libstdc++.so.6'];

/** Each says what came of it in a line of JSON, since each start of Node takes seconds there. */
const source = `
  import { createGroup } from '@ctr/cgroups';
  import { run, start } from '@ctr/runtime';
  import { call, isSyscallError, launch, perform, resultOf, type Step } from '@ctr/syscall';

  const tell = (name: string, what: unknown): void => console.log(JSON.stringify([name, what]));
  const rootfs = '/image';
  const sh = (script: string, options = {}) => run(['sh', '-c', script], { rootfs, ...options });

  tell('process', [process.arch, call({ call: 'getpid', args: [], purpose: 'who' }) === process.pid]);

  const file: Step = { call: 'memfd_create', args: ['file', 1], purpose: 'a file' };
  const plan: Step[] = [file, { call: 'write', args: [resultOf(file), 'written', 7], purpose: 'into it' }, { call: 'close', args: [resultOf(file)], purpose: 'done' }];
  perform(plan);
  try {
    perform([{ call: 'openat', args: [-100, '/nowhere', 0, 0], purpose: 'what is not there' }]);
  } catch (error) {
    tell('error', isSyscallError(error) && [error.code, error.line]);
  }

  const child = await launch([{ call: 'execve', args: ['/bin/sh', ['sh', '-c', 'exit 7'], []], purpose: 'the program' }]);
  tell('launch', (await child.exited).code);

  const limits = { pids: 20, memoryBytes: 32 * 2 ** 20 };
  const { stdout, usage } = await sh('echo $$ $(hostname); grep -E "^(NoNewPrivs|Seccomp):" /proc/self/status; unshare -U true || echo refused', { hostname: 'box', limits });
  tell('run', [stdout, usage.source]);
  tell('input', (await sh('cat', { input: 'given' })).stdout);
  tell('memory', await sh('exec tail -c 60000000 /dev/zero', { limits, reject: false }).then(({ oomKilled }) => oomKilled));
  tell('time', await sh('sleep 1000', { timeoutMs: 200, reject: false }).then(({ timedOut }) => timedOut));
  const container = await start(['sleep', '1000'], { rootfs, stdio: 'ignore', init: true });
  container.kill('SIGTERM');
  tell('signal', (await container.exited).exitCode);

  const group = await createGroup('/ctr/group', { pids: 5 }, { measure: ['memory', 'cpu'] });
  const events = group.events();
  const sleeper = await launch([{ call: 'execve', args: ['/bin/sleep', ['sleep', '1000'], []], purpose: 'a program' }]);
  await group.add(sleeper.pid);
  tell('event', (await events.next()).value);
  await group.freeze();
  await group.remove();
  tell('removed', (await sleeper.exited).signal);
`;

let machine: Readonly<Record<string, Outcome>> = {};
let missing: string | undefined;
const told = new Map<string, unknown>();
beforeAll(async () => {
  const directory = node();
  if (directory === undefined) return;
  const kept = (name: string): Buffer => readFileSync(join(directory, name));
  using program = await nodeProgram(source, import.meta.dirname);
  const koffi = '/node_modules/@koromix/koffi-linux-arm64';
  machine = await boot({
    kernel: kernel(process.env['CTR_ARM64'] ?? '6.1', 'arm64'),
    programs: {
      '/bin/node': kept('node'),
      '/program.mjs': readFileSync(program.path),
      [`${koffi}/package.json`]: kept('package.json'),
      [`${koffi}/index.js`]: kept('index.js'),
      [`${koffi}/linux_arm64/koffi.node`]: kept('koffi.node'),
      ...Object.fromEntries(libraries.map((name) => [`/lib/${name}`, kept(name)])),
    },
    setUp: `
      mkdir -p /image/bin /image/dev /image/etc /image/proc /image/sys /image/tmp
      cp /bin/busybox /image/bin; /bin/busybox --install -s /image/bin
      mount -t cgroup2 none /sys/fs/cgroup
      export LD_LIBRARY_PATH=/lib NODE_PATH=/node_modules`,
    commands: { program: 'node /program.mjs' },
    timeoutMs: BOOT_MS,
  });
  for (const line of machine['program']?.output.split('\n') ?? []) {
    if (!line.startsWith('["')) continue;
    const [name, what] = JSON.parse(line) as [string, unknown];
    told.set(name, what);
  }
}, BOOT_MS);

beforeEach((context) => context.skip(missing !== undefined, missing));

/** Where it is, if it is there or can be downloaded. */
function node(): string | undefined {
  try {
    return nodeForArm64();
  } catch (error) {
    missing = `there is no Node for arm64: ${String(error)}`;
    return undefined;
  }
}

it('runs to its end', () => {
  expect(machine['program']).toEqual({ code: 0, output: expect.stringMatching(/^(\["\w+",.*\]\n)+$/) });
});

it('makes system calls by koffi, and says which failed', () => {
  expect(told.get('process')).toEqual(['arm64', true]);
  expect(told.get('error')).toEqual(['ENOENT', expect.stringMatching(/^openat\(AT_FDCWD, "\/nowhere", O_RDONLY/)]);
});

it('launches a plan, and learns how its program ends', () => {
  expect(told.get('launch')).toBe(7);
});

it('runs a container with few rights, in a group', () => {
  expect(told.get('run')).toEqual(['1 box\nNoNewPrivs:\t1\nSeccomp:\t2\nrefused\n', 'cgroup']);
});

it('passes input on, and ends containers for memory, for time and by signals', () => {
  expect(told.get('input')).toBe('given');
  expect([told.get('memory'), told.get('time')]).toEqual([true, true]);
  expect(told.get('signal')).toBe(143);
});

it('watches, freezes and removes a group', () => {
  expect(told.get('event')).toEqual({ type: 'populated', populated: true });
  expect(told.get('removed')).toBe('SIGKILL');
});
