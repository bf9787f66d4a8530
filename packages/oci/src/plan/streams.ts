import { fstatSync } from 'node:fs';

import type { Step } from '@ctr/syscall';

/**
 * Pipes and sockets among the standard streams of the caller belong to the user that the program is going to be: who opens /dev/stdout opens them anew, and is asked for permission.
 * Files stay whose they are.
 */
export function giveStreams(uid: number): Step[] {
  if (uid === 0) return [];
  return [0, 1, 2].filter(isPipe).map((fd) => ({ call: 'fchown', args: [fd, uid, -1], purpose: `stream ${fd} belongs to user ${uid}`, tolerates: 'any' }));
}

function isPipe(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isFIFO() || stat.isSocket();
  } catch {
    return false;
  }
}
