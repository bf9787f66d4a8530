import { readlinkSync } from 'node:fs';

import { isSyscallError, openFd, resolveFlags, type Fd } from '@ctr/syscall';

/** As the kernel has it: linux/namei.h, MAXSYMLINKS */
const MOST_LINKS = 40;
const inside = resolveFlags.RESOLVE_IN_ROOT | resolveFlags.RESOLVE_NO_MAGICLINKS;

/**
 * Where to make what a mount goes to, if a symbolic link of the image leads there and nothing is there: `/etc/resolv.conf` of an image that systemd was to run in, for one.
 * It is only another path, by which the place is found and made with the root as `/` as any other, whatever has changed meanwhile.
 */
export function throughDanglingLink(rootfs: string, at: string): string {
  try {
    using root = openFd(rootfs, { directory: true });
    return isThere(root, at) ? at : followed(root, at);
  } catch {
    // What keeps it from being looked up is told when the mount is made.
    return at;
  }
}

function isThere(root: Fd, path: string): boolean {
  try {
    using _there = openFd(path, { at: root, resolve: inside });
    return true;
  } catch (error) {
    if (isSyscallError(error) && error.code === 'ENOENT') return false;
    throw error;
  }
}

function followed(root: Fd, at: string): string {
  const rest = at.split('/');
  const found: string[] = [];
  for (let links = 0; rest.length > 0;) {
    const name = rest.shift() ?? '';
    if (name === '' || name === '.') continue;
    const target = name === '..' ? undefined : targetOf(root, `/${found.join('/')}`, name);
    if (target !== undefined) {
      if (++links > MOST_LINKS) return at;
      if (target.startsWith('/')) found.length = 0;
      rest.unshift(...target.split('/'));
    } else if (name === '..') found.pop();
    else found.push(name);
  }
  return `/${found.join('/')}`;
}

function targetOf(root: Fd, directory: string, name: string): string | undefined {
  try {
    using above = openFd(directory, { at: root, directory: true, resolve: inside });
    return readlinkSync(`/proc/self/fd/${above.number}/${name}`);
  } catch {
    // It is no link, or not there.
    return undefined;
  }
}
