import { readdirSync } from 'node:fs';

import { cloneFlags } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { allNamespaces, namespaceFile, namespaceFlag, type Namespace } from '@ctr/namespaces';

describe('kinds of namespaces', () => {
  it('have the files of /proc/PID/ns, user first and pid last', () => {
    const files = readdirSync('/proc/self/ns');
    for (const kind of allNamespaces) expect(files).toContain(namespaceFile(kind));
    expect(allNamespaces.at(0)).toBe('user');
    expect(allNamespaces.at(-1)).toBe('pid');
    expect(new Set(allNamespaces).size).toBe(8);
  });

  it('have the flags of clone(2)', () => {
    expect(namespaceFlag('mount')).toBe(cloneFlags.CLONE_NEWNS);
    expect(namespaceFlag('time')).toBe(cloneFlags.CLONE_NEWTIME);
    expect(new Set(allNamespaces.map(namespaceFlag)).size).toBe(8);
  });

  it('answer other names with the one that is meant', () => {
    expect(() => namespaceFlag('mnt' as Namespace)).toThrow(new TypeError('no kind of namespace is called "mnt": ctr calls it mount'));
    expect(() => namespaceFile('network' as Namespace)).toThrow('ctr calls it net');
    expect(() => namespaceFlag('toString' as Namespace)).toThrow('there are user, mount, uts, ipc, net, cgroup, time, pid');
  });
});
