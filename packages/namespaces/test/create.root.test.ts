import { continueInChild } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { allNamespaces, create, createFlags, inspect, namespaceFile, type Namespace } from '@ctr/namespaces';

import { asNobody, NOBODY } from './as-nobody.js';
import { launched, script } from '../../../test/support/launched.js';

const show = script(`for kind in ${allNamespaces.map(namespaceFile).join(' ')}; do /bin/busybox readlink /proc/self/ns/$kind; done`);

/** The inode of each kind from the lines `net:[4026531833]` that a program wrote. */
function inodes(output: string): Map<string, bigint> {
  return new Map([...output.matchAll(/^(\w+):\[(\d+)\]$/gm)].map(([, file = '', inode = '']) => [file, BigInt(inode)]));
}

async function differing(output: string): Promise<Namespace[]> {
  const inside = inodes(output);
  expect(inside.size).toBe(8);
  const host = await inspect(process.pid);
  return allNamespaces.filter((kind) => inside.get(namespaceFile(kind)) !== host[kind]);
}

describe('create', () => {
  for (const kind of allNamespaces) {
    it(`makes a ${kind} namespace, and no other`, async () => {
      const forNext = kind === 'pid' || kind === 'time' ? continueInChild({ memory: 'copied' }) : [];
      const { output } = await launched([...create(kind), ...forNext, ...show]);
      expect(await differing(output)).toEqual([kind]);
    });
  }

  it('makes all at once', async () => {
    const { output } = await launched([...create(...allNamespaces), ...continueInChild({ memory: 'copied' }), ...show]);
    expect(await differing(output)).toEqual(allNamespaces);
  });

  it('leaves this process where it was, and so do flags of clone', async () => {
    const before = await inspect(process.pid);
    const kinds = allNamespaces.filter((kind) => kind !== 'time');
    const { output } = await launched([...continueInChild({ namespaces: createFlags(kinds) }), ...show]);
    expect(await differing(output)).toEqual(kinds);
    expect(await inspect(process.pid)).toEqual(before);
  });

  it('gives an ordinary user all kinds, and root in them', async () => {
    const output = await asNobody(`
      import { allNamespaces, create, mapOwnIds } from '@ctr/namespaces';
      import { announceExec, continueInChild, launch } from '@ctr/syscall';
      const id = [{ inside: 0, outside: ${NOBODY}, count: 1 }];
      const others = allNamespaces.filter((kind) => kind !== 'user');
      const child = await launch([
        ...create('user'), ...mapOwnIds({ uids: id, gids: id }), ...create(...others), ...continueInChild({ memory: 'copied' }), announceExec(),
        { call: 'execve', args: ['/bin/busybox', ['sh', '-c', 'echo $$ $(/bin/busybox id -u) $(/bin/busybox id -g); for f in /proc/self/ns/*; do /bin/busybox readlink $f; done'], []], purpose: 'show' },
      ]);
      const { code } = await child.exited;
      if (code !== 0) process.exit(1);
    `);
    expect(output).toMatch(/^1 0 0\n/);
    const host = await inspect(process.pid);
    const inside = inodes(output);
    for (const kind of allNamespaces) expect(inside.get(namespaceFile(kind))).not.toBe(host[kind]);
  });

  it('gives an ordinary user none without a user namespace, and says so', async () => {
    const output = await asNobody(`
      import { create } from '@ctr/namespaces';
      import { launch } from '@ctr/syscall';
      await launch(create('mount')).catch((error) => console.log(error.message));
    `);
    expect(output).toMatch(
      /^unshare\(CLONE_NEWNS\) = EPERM \(operation not permitted\): new mount namespace\nhint: .*run as root, or create a user namespace first/,
    );
  });
});
