import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joined } from 'node:path';

import { launch, mountFlags, openFd, type Plan, type Step } from '@ctr/syscall';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { create, hostname, inspect, join, joinPath, mapOwnIds, pin, unpin } from '@ctr/namespaces';

import { launched, rejection, script } from '../../../test/support/launched.js';

describe('pin', () => {
  let directory: string;
  beforeAll(() => void (directory = mkdtempSync(joined(tmpdir(), 'ctr-pin-'))));
  // Every mount is made in a mount namespace that has gone with its process, so what is left are files.
  afterAll(() => rmSync(directory, { recursive: true }));

  /** A mount namespace in which a test can mount what it likes. */
  const privately = (...steps: Step[]): Plan => [
    ...create('mount'),
    { call: 'mount', args: [null, '/', null, mountFlags.MS_REC | mountFlags.MS_PRIVATE, null], purpose: 'nothing gets out' },
    ...steps,
  ];

  it('keeps a namespace without a process in it, until it is unpinned', async () => {
    const at = joined(directory, 'uts');
    const target = await launch([...create('uts'), ...hostname('kept'), ...script('exec /bin/busybox sleep 3600')]);
    const { uts } = await inspect(target.pid);
    const { output } = await launched(
      privately(
        ...pin(target.pid, 'uts', at),
        { call: 'kill', args: [target.pid, 9], purpose: 'its only process ends' },
        ...joinPath(at, 'uts'),
        ...script(`/bin/busybox hostname; /bin/busybox stat -c %i ${at}; /bin/busybox umount -l ${at}; /bin/busybox stat -c %F ${at}`),
      ),
    );
    await target.exited;
    expect(output).toBe(`kept\n${uts}\nregular empty file`);
  });

  it('is undone by unpin, file and all', async () => {
    const at = joined(directory, 'net');
    const { exit } = await launched(privately(...create('net'), ...pin('self', 'net', at), ...unpin(at), ...script('exit 0')));
    expect(exit.code).toBe(0);
    expect(readdirSync(directory)).not.toContain('net');
  });

  it('takes an open file, and keeps a mount namespace from outside of it, that is from an older one', async () => {
    // The kernel tells older from newer by numbers that it hands out in bundles, one for each CPU: only on the same CPU they ascend.
    const sleeper: Plan = [
      { call: 'sched_setaffinity', args: [0, 8, Buffer.from(BigUint64Array.of(1n).buffer)], purpose: 'the first CPU' },
      ...privately(...script('exec /bin/busybox sleep 3600')),
    ];
    await using older = await launch(sleeper);
    await using newer = await launch(sleeper);
    const at = joined(directory, 'mount');
    using file = openFd(`/proc/${newer.pid}/ns/mnt`, { flags: 0 });
    const { output } = await launched([...join(older.pid, 'mount'), ...pin(file, 'mount', at), ...script(`/bin/busybox stat -c %i ${at}`)]);
    expect(output).toBe(String((await inspect(newer.pid)).mount));
    const other = joined(directory, 'other');
    const error = await rejection(launch([...join(newer.pid, 'mount'), ...pin(older.pid, 'mount', other)]));
    expect(error.message).toMatch(
      /^move_mount\(\$tree, "", \$pin, "", .*\) = ELOOP .*\nhint: a mount namespace cannot be pinned in itself, nor in a newer one/,
    );
  });

  it('leaves no file behind when it may not mount, and does not touch one that is there', async () => {
    const id = [{ inside: 0, outside: 0, count: 1 }];
    const at = joined(directory, 'denied');
    const denied = await rejection(launch([...create('user'), ...mapOwnIds({ uids: id, gids: id }), ...pin('self', 'uts', at)]));
    expect(denied.message).toMatch(/^open_tree\(\$namespace, "", .*\) = EPERM .*\nhint: mounting needs CAP_SYS_ADMIN/);
    expect(readdirSync(directory)).not.toContain('denied');
    const taken = await rejection(launch(privately(...pin('self', 'uts', '/etc/passwd'))));
    expect(taken.message).toMatch(/^openat\(AT_FDCWD, "\/etc\/passwd", .*\) = EEXIST .*\nhint: something is pinned there already/);
    expect((await rejection(launch(privately(...unpin('/etc/passwd'))))).message).toMatch(/= EINVAL .*\nhint: nothing is pinned there/);
  });
});
