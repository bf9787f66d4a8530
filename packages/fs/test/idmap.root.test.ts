import { chownSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { openFd, openFlags, type Fd } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { attach, bind, bindMount, idmap, openPlace } from '@ctr/fs';

import { inUserNamespace, launched, mountsBelow, printed, rejection, script, temporary } from './launched.js';

/** A user namespace in which the host's ids from 1000 on are those from 0 on. Its process need not live: an open namespace stays. */
async function userNamespace(): Promise<Fd> {
  let opened: Fd | undefined;
  const onWaiting = (pid: number): void => {
    for (const map of ['uid_map', 'gid_map']) writeFileSync(`/proc/${pid}/${map}`, '0 1000 1000\n');
    opened = openFd(`/proc/${pid}/ns/user`, { flags: openFlags.O_RDONLY });
  };
  await launched([...inUserNamespace().slice(0, -1), ...script('')], { onWaiting });
  if (!opened) throw new Error('no user namespace');
  return opened;
}

describe('idmap', () => {
  it('shows the host’s 5 as 1005, and writes 1007 as 7', async () => {
    using namespace = await userNamespace();
    const [from, at] = [temporary(), temporary()];
    writeFileSync(join(from, 'file'), '');
    chownSync(join(from, 'file'), 5, 6);
    const text = `busybox stat -c '%u %g' ${at}/file; busybox chown 1007:1008 ${at}/file`;
    expect(await printed(bind(from, at, { idMap: namespace }), text)).toBe('1005 1006');
    const { uid, gid } = statSync(join(from, 'file'));
    expect([uid, gid]).toEqual([7, 8]);
  });

  it('can be told of in the mount table', async () => {
    using namespace = await userNamespace();
    const at = temporary();
    const [mount] = await mountsBelow(at, bind(temporary(), at, { idMap: namespace, readonly: true }));
    expect(mount?.options).toEqual(['ro', 'relatime', 'idmapped']);
  });

  it('says that a mount is attached already, or that there is nothing to map', async () => {
    using namespace = await userNamespace();
    using initial = openFd('/proc/self/ns/user', { flags: openFlags.O_RDONLY });
    const { steps, mount } = bindMount(temporary());
    const place = openPlace(temporary());
    const attached = await rejection(mountsBelow('/', [...steps, ...place.steps, ...attach(mount, place.fd), ...idmap(mount, namespace)]));
    expect(attached.message).toMatch(/^mount_setattr\(.*\) = EINVAL .*\nhint: .* or the mount is attached or mapped already/);
    const nothing = await rejection(mountsBelow('/', bind(temporary(), temporary(), { idMap: initial })));
    expect(nothing.message).toMatch(/^mount_setattr\(.*\) = (EINVAL|EPERM) /);
  });
});
