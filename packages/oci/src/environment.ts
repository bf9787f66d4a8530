import { homeOf } from '@ctr/runtime/assembly';

import type { Process } from './config/process.js';

/** The environment of a program: that of the configuration, and the user's home, which programs rely on, if it has none. */
export function environmentOf({ env = [], user }: Process, rootfs: string): string[] {
  const given = [...env];
  if (!given.some((entry) => entry.startsWith('HOME='))) given.push(`HOME=${homeIn(rootfs, user?.uid ?? 0)}`);
  return given;
}

function homeIn(rootfs: string, uid: number): string {
  try {
    return homeOf(uid, rootfs) || '/';
  } catch {
    // An image may have anything in the place of its /etc/passwd: that is no reason not to run.
    return '/';
  }
}
