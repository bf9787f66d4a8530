import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { groupName, isOwnerAlive, parseGroupName } from '@ctr/cgroups';

import { checkName } from '../src/group-name.js';

describe('groupName', () => {
  it('says who owns the group: a name, the pid and when that started', () => {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const startTime = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
    const name = groupName('web');
    expect(name).toMatch(new RegExp(`^web\\.${process.pid}\\.${startTime.toString(36)}(-[0-9a-z]+)?$`));
    expect(parseGroupName(name)).toMatchObject({ name: 'web', pid: process.pid, startTime });
  });

  it('is another one each time where no name is given', () => {
    expect(groupName()).not.toBe(groupName());
    expect(parseGroupName(groupName())?.name).toMatch(/^(\d+-)?\d+$/);
  });

  it('keeps the dots of a name', () => {
    expect(parseGroupName(groupName('a.b.7.c'))?.name).toBe('a.b.7.c');
  });

  it.each([
    '',
    '.',
    '..',
    '../x',
    'a/b',
    '/a',
    '.hidden',
    'a b',
    'a\nb',
    'a\0b',
    'ä',
    'tasks',
    'cgroup.procs',
    'memory.max',
    'hugetlb.2MB.max',
    'notify_on_release',
    'release_agent',
  ])('refuses the name %j', (name) => {
    expect(() => groupName(name)).toThrow(TypeError);
  });

  it('takes the names of controllers themselves, which no control file has', () => {
    for (const name of ['memory', 'pids', 'cpu', 'cgroup', '-', '+', '_', '0']) expect(parseGroupName(groupName(name))?.name).toBe(name);
  });

  it('refuses a name that is too long with the part of the owner', () => {
    const suffix = groupName('a').length - 1;
    expect(groupName('a'.repeat(255 - suffix))).toHaveLength(255);
    expect(() => groupName('a'.repeat(256 - suffix))).toThrow('longer than 255 bytes');
    expect(() => checkName('a'.repeat(256))).toThrow(TypeError);
  });
});

describe('parseGroupName', () => {
  it.each(['web', 'web.1', 'web.x.1', '.1.2', 'web.0.a', 'web.01.a', 'web.1.A', 'a b.1.2', 'web.1.2-', 'cgroup.procs'])(
    'does not take %j for one of its names',
    (name) => {
      expect(parseGroupName(name)).toBeUndefined();
    },
  );

  it('reads the names of compiled launchers, which know no more than their pid', () => {
    expect(parseGroupName('web.compiled.7')).toEqual({ name: 'web', pid: 7, startTime: undefined });
  });

  it('reads the pid namespace', () => {
    expect(parseGroupName('web.7.a-z')).toEqual({ name: 'web', pid: 7, startTime: 10, pidNamespace: 35 });
  });
});

describe('isOwnerAlive', () => {
  const own = parseGroupName(groupName('web'));
  if (!own) throw new Error('groupName and parseGroupName disagree');

  it('tells this process from one that had its pid before, and from none', () => {
    expect(isOwnerAlive(own)).toBe(true);
    expect(isOwnerAlive({ ...own, startTime: (own.startTime ?? 0) - 1 })).toBe(false);
    expect(isOwnerAlive({ ...own, pid: 4_194_304 })).toBe(false);
  });

  it('goes by the pid alone where that is all there is', () => {
    expect(isOwnerAlive({ name: 'web', pid: process.pid, startTime: undefined })).toBe(true);
    expect(isOwnerAlive({ name: 'web', pid: 4_194_304, startTime: undefined })).toBe(false);
  });

  it('takes the owners of other pid namespaces to be alive', () => {
    expect(isOwnerAlive({ name: 'web', pid: 4_194_304, startTime: 1, pidNamespace: 1 })).toBe(true);
  });
});
