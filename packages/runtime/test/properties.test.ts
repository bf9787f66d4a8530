// Whatever is given as options, plan() makes a plan of it or says what is wrong: no error of the engine's own comes through, and nothing hangs.
import { describe, expect, it } from 'vitest';
import * as fc from 'fast-check';

import { plan, type ContainerOptions } from '@ctr/runtime';
import { explain } from '@ctr/syscall';

import { verdict } from '../../../tools/verdict.mjs';
import { optionNames } from '../src/spec.js';

const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
  maxDepth: 3,
});
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', '/', '.', '..', '/..', '//', '/proc', '/proc/self/fd/3', '/dev/null', '/dev', '\0', 'a\0b', '\n', 'all', 'host', 'new', '-1', '0', '\u{D800}', '__proto__', `/${'x'.repeat(5000)}`, '/etc/passwd/x', '/tmp'),
); // prettier-ignore
const numbers = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.bigInt(),
  fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 64, 2n ** 64n),
);
const lists = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof(fc.array(fc.oneof({ weight: 4, arbitrary: of }, anything), { maxLength: 4 }), anything);
const records = (of: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 6, arbitrary: fc.record(Object.fromEntries(Object.entries(of).map(([key, value]) => [key, fc.oneof({ weight: 5, arbitrary: value }, anything)])), { requiredKeys: [] }) }, anything); // prettier-ignore
const range = records({ inside: numbers, outside: numbers, count: numbers });
const namespace = fc.oneof(texts, records({ pid: numbers }), records({ path: texts }), anything);
const dictionary = fc.oneof(fc.dictionary(texts, fc.oneof(texts, anything), { maxKeys: 4 }), anything);
const paths = lists(texts);

/** What each option might be: nearly right, or not at all. */
const values: Partial<Record<string, fc.Arbitrary<unknown>>> = {
  rootfs: texts,
  hostname: texts,
  namespaces: records(Object.fromEntries(['user', 'mount', 'pid', 'net', 'uts', 'ipc', 'cgroup', 'time'].map((kind) => [kind, namespace]))),
  uidMap: lists(range),
  gidMap: lists(range),
  mounts: lists(fc.oneof(records({ tmpfs: texts, sizeBytes: numbers }), records({ bind: texts, to: texts, readonly: fc.boolean() }))),
  devices: lists(records({ device: texts, to: texts })),
  env: dictionary,
  cwd: texts,
  user: records({ uid: numbers, gid: numbers, groups: lists(numbers) }),
  limits: records({ pids: numbers, memoryBytes: numbers, cpuCores: numbers, cpuWeight: numbers, swapBytes: numbers }),
  name: texts,
  terminal: records({ columns: numbers, rows: numbers }),
  capabilities: records({ add: lists(texts), drop: lists(texts) }),
  seccomp: records({
    defaultAction: fc.constantFrom('SCMP_ACT_ALLOW', 'SCMP_ACT_ERRNO', 'SCMP_ACT_KILL', 'x'),
    defaultErrnoRet: numbers,
    architectures: lists(texts),
    flags: lists(texts),
    syscalls: lists(
      records({
        names: lists(fc.constantFrom('execve', 'write', 'clone', 'nosuch')),
        action: fc.constantFrom('SCMP_ACT_ALLOW', 'SCMP_ACT_ERRNO', 'y'),
        errnoRet: numbers,
        args: lists(records({ index: numbers, value: numbers, valueTwo: numbers, op: texts })),
      }),
    ),
  }),
  maskedPaths: paths,
  readonlyPaths: paths,
  rlimits: fc.oneof(
    records({ nofile: fc.oneof(numbers, records({ soft: numbers, hard: numbers })), core: numbers, cpu: records({ soft: numbers, hard: texts }) }),
    dictionary,
  ),
  sysctls: dictionary,
  appArmorProfile: texts,
  selinuxLabel: texts,
  umask: numbers,
};

const option = fc
  .constantFrom(...optionNames)
  .chain((name) => fc.tuple(fc.constant(name), fc.oneof({ weight: 4, arbitrary: values[name] ?? anything }, anything)));
const commands = fc.oneof({ weight: 5, arbitrary: fc.array(texts, { minLength: 1, maxLength: 3 }) }, anything);
const parameters = { numRuns: 1500, interruptAfterTimeLimit: 8000 };

describe('plan()', () => {
  it('of any value for one option is a plan, or an error that says what is wrong', () => {
    fc.assert(
      fc.property(option, ([name, value]) => {
        expect(verdict(() => explain(plan(['true'], { [name]: value } as ContainerOptions)))).toBeUndefined();
      }),
      parameters,
    );
  });

  it('of any options together, with any command', () => {
    fc.assert(
      fc.property(commands, fc.array(option, { maxLength: 4 }), (command, options) => {
        expect(verdict(() => explain(plan(command as [string], Object.fromEntries(options) as ContainerOptions)))).toBeUndefined();
      }),
      parameters,
    );
  });

  it('of anything at all in place of the options', () => {
    fc.assert(
      fc.property(anything, (options) => {
        expect(verdict(() => plan(['true'], options as ContainerOptions))).toBeUndefined();
      }),
      parameters,
    );
  });
});
