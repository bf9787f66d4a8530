// Rules about devices against the kernel: device files on a file system of the test's own, made and opened by a process in the group.
import { mkdtempSync, readdirSync, readFileSync, readSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { AT_FDCWD, call, cloneFlags, Fd, fileTypes, launch, Memory, mountFlags, openFlags, perform, type Step } from '@ctr/syscall';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import {
  createGroup,
  groupName,
  hierarchyOf,
  isDeviceAllowed,
  parseDeviceRule,
  planGroup,
  removeGroup,
  type CgroupLayout,
  type DeviceRequest,
  type DeviceRule,
} from '@ctr/cgroups';

import { checkLeftovers, groupsOf, layout, parent, rejection, removeParent, script } from './launched.js';

const unified: CgroupLayout = { mode: 'v2', hierarchies: layout.hierarchies.filter(({ version }) => version === 2) };
const versions: readonly [string, CgroupLayout, boolean][] = [
  ['version 1', layout, hierarchyOf(layout, 'devices')?.version === 1],
  ['version 2', unified, unified.hierarchies.length > 0],
];

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'ctr-devices-'));
});
afterEach(checkLeftovers);
afterAll(() => {
  rmdirSync(directory);
  removeParent();
});

/** Devices that may be opened without harm: null, zero, full, urandom, the log of the kernel; loop devices without a file. */
const devices = [
  ['char', 1, 3],
  ['char', 1, 5],
  ['char', 1, 7],
  ['char', 1, 9],
  ['char', 1, 11],
  ['char', 5, 0],
  ['block', 7, 0],
  ['block', 7, 1],
] as const;
const accesses = ['r', 'w', 'rw', 'm'] as const;
const requests = devices.flatMap(([type, major, minor]) => accesses.map((access): DeviceRequest => ({ type, major, minor, access })));
const openModes = { r: openFlags.O_RDONLY, w: openFlags.O_WRONLY, rw: openFlags.O_RDWR } as const;
const EPERM = 1n;

const text = (lines: string): DeviceRule[] => lines.split(', ').map((line) => parseDeviceRule(line.replace(/^!/, ''), !line.startsWith('!')));
const told = ({ type, major, minor, access }: DeviceRequest): string => `${type} ${major}:${minor} ${access}`;
const verdicts = (rules: readonly DeviceRule[]): string[] => requests.filter((request) => isDeviceAllowed(rules, request)).map(told);

/** Device files for all of {@link devices}, on a file system that only this process sees. */
function fixture(): Step[] {
  return [
    { call: 'unshare', args: [cloneFlags.CLONE_NEWNS], purpose: 'mounts of its own' },
    { call: 'mount', args: [null, '/', null, mountFlags.MS_REC | mountFlags.MS_PRIVATE, null], purpose: 'that nobody sees' },
    { call: 'mount', args: ['fixture', directory, 'tmpfs', 0, null], purpose: 'a file system for device files' },
    { call: 'chdir', args: [directory], purpose: 'make them there' },
    ...devices.map(([type, major, minor]): Step => mknod(`${type}-${major}-${minor}`, type, major, minor)),
  ];
}

function mknod(name: string, type: 'char' | 'block', major: number, minor: number): Step {
  const mode = (type === 'char' ? fileTypes.S_IFCHR : fileTypes.S_IFBLK) | 0o600;
  return { call: 'mknodat', args: [AT_FDCWD, name, mode, (major << 8) | minor], purpose: 'a device file' };
}

/** Everything is tried, and what came of it is written to stdout. */
function attempts(): Step[] {
  const results = new Memory(requests.length * 8, 'results');
  const steps = requests.map(({ type, major, minor, access }, i): Step => {
    const name = `${type}-${major}-${minor}`;
    const open: Step = {
      call: 'openat',
      args: [AT_FDCWD, name, openModes[access as 'r'] | openFlags.O_CLOEXEC | openFlags.O_NONBLOCK | openFlags.O_NOCTTY, 0],
      purpose: 'an attempt',
    };
    return { ...(access === 'm' ? mknod(`${name}-made`, type, major, minor) : open), tolerates: 'any', into: results.at(i * 8) };
  });
  return [...steps, { call: 'write', args: [1, results, results.byteLength], purpose: 'what came of them' }];
}

/** What is allowed by the kernel to a process that takes these steps, the last of which put it into a group. */
async function allowed(join: readonly Step[]): Promise<string[]> {
  const output = new Fd(call({ call: 'memfd_create', args: ['output', 1], purpose: 'the output of a test' }));
  try {
    const child = await launch([...fixture(), ...join, ...attempts(), ...script('true')], { stdio: ['ignore', output, 'inherit'] });
    expect(await child.exited).toMatchObject({ code: 0 });
    const bytes = Buffer.alloc(requests.length * 8);
    readSync(output.number, bytes, 0, bytes.length, 0);
    return requests.filter((_, i) => bytes.readBigInt64LE(i * 8) !== -EPERM).map(told);
  } finally {
    output.close();
  }
}

const lists = {
  'nothing at all': '!a',
  everything: 'a',
  'what is named': '!a, c 1:3 rwm, c 1:5 r, c 1:7 w, b 7:0 m',
  'all of a driver': '!a, c 1:* rw, b 7:* r',
  'all of a kind': '!a, c *:* rwm',
  'what is made': '!a, c *:* m, b *:* m',
  'several rules of one device': '!a, c 1:3 r, c 1:3 w, c *:5 r, c 1:* w',
  'a rule taken back': '!a, c 1:3 rwm, c 1:5 rwm, !c 1:3 wm',
  'all but some': '!c 1:11 rw, !b *:* rwm, !c 5:0 m',
  'all but some of a driver': '!c 1:* w, !c *:0 w',
  'what comes behind a reset': 'c 1:3 rwm, a, !c 1:3 rwm, !a, c 1:9 r',
} as const;

for (const [name, hierarchies, isHere] of versions) {
  describe.skipIf(!isHere)(`devices on ${name}`, () => {
    it('are all allowed to a group without rules', async () => {
      expect(await allowed([])).toEqual(requests.map(told));
      const group = await createGroup(`${parent}/${groupName()}`, {}, { layout: hierarchies });
      await group.remove();
    });

    it.each(Object.entries(lists))('may be used as the rules say: %s', async (_, lines) => {
      const rules = text(lines);
      const group = planGroup(groupName(), { devices: rules }, { layout: hierarchies, parent });
      expect(await allowed(group.steps)).toEqual(verdicts(rules));
      await removeGroup(group.directories);
    });

    it('are decided about by the groups above as well', async () => {
      const [outer, inner] = [text('!a, c 1:3 rw, c 1:5 rw'), text('!a, c 1:3 rw')];
      const above = `${parent}/${groupName()}`;
      const group = await createGroup(above, { devices: outer }, { layout: hierarchies });
      const below = planGroup(groupName(), { devices: inner }, { layout: hierarchies, parent: above });
      expect(await allowed(below.steps)).toEqual(verdicts(inner));
      await removeGroup(below.directories);
      await group.remove();
    });

    it('may be used by other rules after a change', async () => {
      const before = text('!a, c 1:3 rwm, c 1:5 r');
      const group = await createGroup(`${parent}/${groupName()}`, { devices: before }, { layout: hierarchies });
      const joining = group.directories
        .filter((path) => path.includes(name === 'version 1' ? '/devices/' : ''))
        .map((path): Step[] => {
          const open: Step = { call: 'openat', args: [AT_FDCWD, `${path}/cgroup.procs`, openFlags.O_WRONLY | openFlags.O_CLOEXEC, 0], purpose: 'the group' };
          return [open, { call: 'write', args: [{ kind: 'result', step: open }, '0', 1], purpose: 'join it' }];
        });
      expect(await allowed(joining.flat())).toEqual(verdicts(before));
      for (const after of ['!a, c 1:5 rw, b 7:0 rwm', '!a', '!a, c *:* m, c 1:* r', 'a'].map(text)) {
        await group.set({ devices: after });
        expect(await allowed(joining.flat())).toEqual(verdicts(after));
      }
      await group.remove();
    });

    it('leave no file open here', async () => {
      const files = (): number => readdirSync('/proc/self/fd').length;
      const before = files();
      const group = await createGroup(`${parent}/${groupName()}`, { devices: text('!a') }, { layout: hierarchies });
      await group.set({ devices: text('!a, c 1:3 r') });
      await group.remove();
      const planned = planGroup(groupName(), { devices: text('!a') }, { layout: hierarchies, parent });
      perform([...planned.create, ...planned.close]);
      await removeGroup(planned.directories);
      expect(files()).toBe(before);
    });
  });
}

const holes = ['!a, c 1:* rwm, !c 1:3 w', '!b *:0 r, b 7:* rwm'];

describe.skipIf(!versions[1]?.[2])('the program of version 2', () => {
  it.each(holes)('makes a hole in what is allowed or denied: %s', async (lines) => {
    const group = planGroup(groupName(), { devices: text(lines) }, { layout: unified, parent });
    expect(await allowed(group.steps)).toEqual(verdicts(text(lines)));
    await removeGroup(group.directories);
  });

  it('is one, however often it was changed', async () => {
    const group = await createGroup(`${parent}/${groupName()}`, { devices: text('!a') }, { layout: unified });
    for (let i = 0; i < 70; i++) await group.set({ devices: text('!a, c 1:3 r') });
    await group.remove();
  });
});

describe.skipIf(!versions[0]?.[2])('the devices controller of version 1', () => {
  it.each(holes)('cannot make a hole in what is allowed or denied, which is told before anything is made: %s', (lines) => {
    expect(() => planGroup(groupName(), { devices: text(lines) }, { layout, parent })).toThrow(/^cgroup v1 cannot /);
  });

  it('refuses what the group above does not allow, and keeps the list', async () => {
    const above = `${parent}/${groupName()}`;
    const outer = await createGroup(above, { devices: text('!a, c 1:3 rw') });
    const inner = await createGroup(`${above}/${groupName()}`, { devices: text('!a, c 1:3 r') });
    const list = `${inner.directories.find((path) => path.includes('/devices/'))}/devices.list`;
    const error = await rejection(inner.set({ devices: text('!a, c 1:3 w, c 1:5 r') }));
    expect(error.message).toMatch(/EPERM.*device rules: allow c 1:5 r\nhint: the group above does not allow that itself/);
    expect(readFileSync(list, 'latin1')).toBe('c 1:3 r\n');
    expect((await rejection(createGroup(`${above}/${groupName()}`, { devices: [] }))).message).toMatch(/EPERM/);
    await inner.remove();
    await outer.remove();
  });

  it('is used in the place of a program where both are there', async () => {
    const group = planGroup(groupName(), { devices: text('!a') }, { layout, parent });
    expect(group.places.map(({ version, controllers }) => [version, controllers])).toEqual([[1, ['devices']]]);
    const child = await launch([...group.steps, ...script('exec /bin/busybox sleep 1000')], { stdio: ['ignore', 'ignore', 'ignore'] });
    expect(groupsOf(child.pid).map((line) => line.split(':')[1])).toEqual(['devices']);
    await removeGroup(group.directories);
    await child.exited;
  });
});
