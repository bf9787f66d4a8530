// The parsers that read what people, images and kernels write: whatever it is, they read it or say what is wrong, and soon.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { groupName, parseGroupName, parseLayout, readUsage } from '@ctr/cgroups';
import { parseMountinfo } from '@ctr/fs';
import { idMap, parseId, type IdRange } from '@ctr/namespaces';
import { lookupUser } from '@ctr/runtime';
import { capabilityNames, compileFilter, defaultProfile, describeFilter, parseCapability, simulate, type SeccompProfile } from '@ctr/security';

import { verdict } from '../../../tools/verdict.mjs';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(realpathSync(tmpdir()), 'ctr-parsers-'));
  mkdirSync(join(directory, 'etc'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Characters that such files are made of, and any others. */
const noise = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: fc.constantFrom(...Array.from('0123456789:/ \n\t,.-+=#\\xrwnosuid\0\u{FFFD}')), maxLength: 80 }),
);
/** A good text with some of it replaced. */
function spoilt(good: string): fc.Arbitrary<string> {
  return fc
    .array(fc.tuple(fc.nat(good.length), fc.nat(6), noise), { minLength: 1, maxLength: 3 })
    .map((changes) => changes.reduce((text, [at, length, other]) => text.slice(0, at) + other + text.slice(at + length), good));
}
const parameters = { numRuns: 600, interruptAfterTimeLimit: 5000 };
const check = <T>(values: fc.Arbitrary<T>, act: (value: T) => unknown): void =>
  fc.assert(
    fc.property(values, (value) => {
      expect(verdict(() => act(value))).toBeUndefined();
    }),
    parameters,
  );

describe('ids', () => {
  it('are decimal numbers, exactly, or refused', () => {
    check(fc.oneof(noise, fc.constantFrom('0', '1', '01', '+1', '1e0', '', '-1', '4294967295', '4294967296', '0x1', '１', ' 1', '1\n')), (text) => {
      expect(String(parseId(text))).toBe(text);
    });
  });

  it('of maps are within bounds and apart, or refused', () => {
    const number = fc.oneof(fc.integer({ min: -2, max: 20 }), fc.constantFrom(2 ** 32 - 1, 2 ** 32 - 2, 2 ** 32, 0.5, Number.NaN), fc.anything());
    const range = fc.record({ inside: number, outside: number, count: number }, { requiredKeys: [] });
    check(fc.oneof(fc.array(fc.oneof({ weight: 9, arbitrary: range }, fc.anything()), { maxLength: 4 }), fc.anything()), (ranges) => {
      const map = idMap(ranges as IdRange[]);
      for (const { inside, outside, count } of map)
        expect(inside >= 0 && outside >= 0 && count > 0 && Math.max(inside, outside) + count <= 2 ** 32 - 1).toBe(true);
    });
  });
});

describe('files of the kernel', () => {
  const mountinfo =
    '29 23 0:26 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro\n30 29 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw\n31 29 0:28 /a /sys/fs/cgroup/pids\\040x rw master:1 - cgroup cgroup rw,pids\n';

  it('mountinfo', () => check(fc.oneof(noise, spoilt(mountinfo)), parseMountinfo));

  it('mountinfo and cgroup, for the layout', () => {
    check(fc.tuple(fc.oneof(fc.constant(mountinfo), spoilt(mountinfo)), fc.oneof(noise, spoilt('9:pids:/a/b\n1:name=systemd:/\n0::/c\n')), noise), (texts) =>
      parseLayout(...texts),
    );
  });

  it('names of groups', () => {
    check(fc.oneof(noise, spoilt(groupName('web')), spoilt('web.compiled.77')), (text) => {
      const owner = parseGroupName(text);
      if (owner) expect(text.startsWith(`${owner.name}.`)).toBe(true);
    });
    check(noise, groupName);
  });

  it('what groups count', () => {
    const texts = fc.oneof(noise, spoilt('oom 0\noom_kill 1\n'), spoilt('12345\n'), spoilt('usage_usec 5\nuser_usec 3\n'));
    check(fc.dictionary(fc.constantFrom('memory.peak', 'memory.events', 'pids.peak', 'cpu.stat', 'pids.events', 'memory.max_usage_in_bytes', 'memory.oom_control', 'cpuacct.usage'), texts), (files) => {
      const group = mkdtempSync(join(directory, 'group-'));
      for (const [name, text] of Object.entries(files)) writeFileSync(join(group, name), text);
      readUsage([group]);
    }); // prettier-ignore
  });
});

describe('files of an image', () => {
  it('passwd and group', () => {
    const passwd = fc.oneof(noise, spoilt('root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/:/bin/sh\n'));
    const group = fc.oneof(noise, spoilt('root:x:0:\nweb:x:1000:root,web\n'));
    const user = fc.oneof(fc.constantFrom('root', 'web', '0', '1000', 'web:web', '0:root', '5:5', '-1', '4294967295', ':', '0:'), noise);
    check(fc.tuple(passwd, group, user), ([accounts, groups, text]) => {
      writeFileSync(join(directory, 'etc/passwd'), accounts);
      writeFileSync(join(directory, 'etc/group'), groups);
      const { uid, gid, groups: more } = lookupUser(text, directory);
      for (const id of [uid, gid, ...more]) expect(Number.isInteger(id) && id >= 0 && id < 2 ** 32 - 1).toBe(true);
    });
  });
});

describe('names of capabilities', () => {
  it('are those there are, or refused', () => {
    check(fc.oneof(noise, spoilt('CAP_NET_ADMIN'), fc.constantFrom('__proto__', 'constructor', 'toString', 'CAP_', 'all')), (text) => {
      expect(capabilityNames).toContain(parseCapability(text));
    });
  });
});

describe('profiles of system calls', () => {
  const names = fc.array(fc.constantFrom('read', 'write', 'execve', 'clone', 'ioctl', 'socketcall', 'nosuch', '__proto__', ''), { maxLength: 3 });
  const number = fc.oneof(fc.nat(8), fc.bigInt({ min: -1n, max: 2n ** 64n }), fc.constantFrom(-1, 0.5, 2 ** 53, Infinity, null));
  const action = fc.constantFrom('SCMP_ACT_ALLOW', 'SCMP_ACT_ERRNO', 'SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_NOTIFY', 'SCMP_ACT_TRACE', 'SCMP_ACT_X');
  const op = fc.constantFrom('SCMP_CMP_EQ', 'SCMP_CMP_NE', 'SCMP_CMP_LT', 'SCMP_CMP_GE', 'SCMP_CMP_MASKED_EQ', '==');
  const condition = fc.record({ caps: fc.array(fc.constantFrom('CAP_CHOWN', 'CAP_X')), arches: fc.array(fc.constantFrom('amd64', 'arm64')), minKernel: fc.constantFrom('4.8', '', 'x') }, { requiredKeys: [] }); // prettier-ignore
  const args = fc.array(fc.record({ index: number, value: number, valueTwo: number, op }, { requiredKeys: ['index', 'value', 'op'] }), { maxLength: 3 });
  const rule = fc.record(
    { names, action, args, errnoRet: number, includes: condition, excludes: condition, first: fc.boolean() },
    { requiredKeys: ['names', 'action'] },
  );
  const profile = fc.record(
    {
      defaultAction: action,
      defaultErrnoRet: number,
      architectures: fc.array(fc.constantFrom('SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32', 'SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM', 'SCMP_ARCH_Y'), {
        maxLength: 4,
      }),
      flags: fc.array(fc.constantFrom('SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_Z'), { maxLength: 1 }),
      syscalls: fc.array(rule, { maxLength: 5 }),
    },
    { requiredKeys: ['defaultAction'] },
  );

  it('of nearly the right form are compiled, or refused', () => {
    let compiled = 0;
    check(profile, (given) => {
      const filter = compileFilter(given as SeccompProfile);
      compiled++;
      expect(filter.count).toBeLessThanOrEqual(4096);
      describeFilter(filter);
      simulate(filter, { arch: 'x64', nr: 59 });
    });
    expect(compiled).toBeGreaterThan(10);
  });

  it('of any JSON at all, and with any part of a good one replaced', () => {
    check(fc.jsonValue({ maxDepth: 4 }), (given) => compileFilter(given as unknown as SeccompProfile));
    const text = JSON.stringify({ ...defaultProfile, syscalls: defaultProfile.syscalls?.slice(0, 4) });
    const parts = [...text.matchAll(/"[^"]*"(?=[,\]}])|\b\d+\b|\[[^[\]]*\]/g)];
    check(fc.tuple(fc.constantFrom(...parts), fc.json({ maxDepth: 2 })), ([part, other]) =>
      compileFilter(JSON.parse(text.slice(0, part.index) + other + text.slice(part.index + part[0].length)) as SeccompProfile),
    );
  });
});
