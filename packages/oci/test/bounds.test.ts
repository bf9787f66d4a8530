// Configurations that would take much of the caller's memory or time: each is refused by its size, before it is worked out.
import { problemText, validate, type Config } from '@ctr/oci';
import { describe, expect, it } from 'vitest';

import { numbersOf } from '../src/plan/memory-policy.js';

const base: Config = { ociVersion: '1.2.0', root: { path: 'rootfs' }, process: { cwd: '/', args: ['sh'] }, linux: { namespaces: [{ type: 'mount' }] } };
const many = <T>(count: number, entry: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => entry(index));
const keys = (count: number): Record<string, string> => Object.fromEntries(many(count, (index) => [`a.k${index}`, '1']));
const errors = (changes: object): string[] =>
  validate({ ...base, ...changes })
    .filter(({ severity }) => severity === 'error')
    .map(problemText);
const linux = (changes: object): object => ({ linux: { ...base.linux, ...changes } });
const process = (changes: object): object => ({ process: { ...base.process, ...changes } });

describe('a list of numbers', () => {
  const policy = (nodes: string): object => linux({ memoryPolicy: { mode: 'MPOL_BIND', nodes } });

  it.each([
    ['0-50000000', policy('0-50000000'), 'linux.memoryPolicy.nodes: "0-50000000": numbers from 0 to 1023, and ranges of them, such as 0-3,7'],
    ['0-9876543210', policy('0-9876543210'), 'linux.memoryPolicy.nodes: "0-9876543210": numbers from 0 to 1023, and ranges of them, such as 0-3,7'],
    ['1024', policy('1024'), 'linux.memoryPolicy.nodes: "1024": numbers from 0 to 1023, and ranges of them, such as 0-3,7'],
    ['all', policy('all'), 'linux.memoryPolicy.nodes: "all": numbers from 0 to 1023, and ranges of them, such as 0-3,7'],
    [
      'mems',
      linux({ resources: { cpu: { mems: '0-1024' } } }),
      'linux.resources.cpu.mems: "0-1024": numbers from 0 to 1023, and ranges of them, such as 0-3,7',
    ],
    ['cpus', linux({ resources: { cpu: { cpus: '8192' } } }), 'linux.resources.cpu.cpus: "8192": numbers from 0 to 8191, and ranges of them, such as 0-3,7'],
    [
      'affinity',
      process({ execCPUAffinity: { initial: '0-8192' } }),
      'process.execCPUAffinity.initial: "0-8192": numbers from 0 to 8191, and ranges of them, such as 0-3,7',
    ],
  ])('has no number that no kernel has: %s', (_, changes, message) => {
    expect(errors(changes)).toEqual([message]);
  });

  it('is no longer than the kernel reads', () => {
    expect(errors(policy('0-1023,'.repeat(100_000)))[0]).toMatch(/in at most 6244 characters$/);
  });

  it('may be as long as the machine is large, and takes as little memory', () => {
    const list = '0-1023,'.repeat(800);
    expect(errors(policy(list))).toEqual([]);
    expect(errors(linux({ resources: { cpu: { cpus: '0-8191', mems: '0-1023' } } }))).toEqual([]);
    expect(numbersOf(list)).toHaveLength(1024);
    expect(numbersOf(' 7, 0-3,2-4,')).toEqual([0, 1, 2, 3, 4, 7]);
    expect(numbersOf('0-8191,'.repeat(7000))).toHaveLength(8192);
  });
});

describe('a list', () => {
  const hook = { path: '/bin/true' };
  const rule = { names: ['read'], action: 'SCMP_ACT_ALLOW' };

  it.each<[string, number, (count: number) => object]>([
    ['mounts', 4096, (count) => ({ mounts: many(count, () => ({ destination: '/x', type: 'tmpfs' })) })],
    ['linux.devices', 4096, (count) => linux({ devices: many(count, (index) => ({ path: `/dev/x${index}`, type: 'p' })) })],
    ['linux.resources.devices', 4096, (count) => linux({ resources: { devices: many(count, () => ({ allow: false, access: 'rwm' })) } })],
    ['linux.seccomp.syscalls', 4096, (count) => linux({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: many(count, () => rule) } })],
    ['linux.maskedPaths', 16_384, (count) => linux({ maskedPaths: many(count, () => '/x') })],
    ['linux.readonlyPaths', 16_384, (count) => linux({ readonlyPaths: many(count, () => '/x') })],
    ['linux.sysctl', 1024, (count) => linux({ sysctl: keys(count), namespaces: [{ type: 'mount' }, { type: 'network' }, { type: 'ipc' }] })],
    ['linux.resources.unified', 1024, (count) => linux({ resources: { unified: keys(count) } })],
    ['annotations', 16_384, (count) => ({ annotations: keys(count) })],
    ['hooks.poststop', 1024, (count) => ({ hooks: { poststop: many(count, () => hook) } })],
    ['process.args', 131_072, (count) => process({ args: many(count, () => 'x') })],
    ['process.env', 131_072, (count) => process({ env: many(count, () => 'A=b') })],
    ['process.user.additionalGids', 65_536, (count) => process({ user: { additionalGids: many(count, (index) => index) } })],
    ['process.capabilities.bounding', 16_384, (count) => process({ capabilities: { bounding: many(count, () => 'CAP_KILL') } })],
  ])('has no more entries than make sense: %s', (path, most, changes) => {
    const told = errors(changes(most + 1));
    expect(told.map((text) => text.replace(/: an (array|object)( of \d+)?: /, ': '))).toEqual([
      expect.stringMatching(new RegExp(`^${path.replaceAll('.', '\\.')}: an (array|object) of at most ${most} entries$`)) as string,
    ]);
    expect(errors(changes(most)).filter((text) => text.includes('of at most'))).toEqual([]);
  });

  it('of arguments has no more bytes than execve takes', () => {
    const argument = 'x'.repeat(100_000);
    expect(errors(process({ args: many(60, () => argument) }))).toEqual([]);
    expect(errors(process({ args: many(70, () => argument) }))).toEqual([
      'process.args: an array of 70: at most 6291456 bytes, which is all that execve(2) takes: these have 7000070',
    ]);
  });
});
