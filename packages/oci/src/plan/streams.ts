import { fstatSync } from 'node:fs';

import type { Fd, LaunchStdio, Step } from '@ctr/syscall';

/** The standard streams of the program. */
export type Streams = readonly [LaunchStdio, LaunchStdio, LaunchStdio];

/** What they are: a terminal takes the place of all three. */
export function streamsOf(terminal: boolean | undefined, given: Streams | undefined): Streams {
  return terminal === true ? ['ignore', 'ignore', 'ignore'] : (given ?? ['inherit', 'inherit', 'inherit']);
}

/**
 * Pipes and sockets among the standard streams belong to the user that the program is going to be: who opens /dev/stdout opens them anew, and is asked for permission.
 * Files stay whose they are, /dev/null above all, which is the host's.
 */
export function giveStreams(uid: number, streams: Streams): Step[] {
  if (uid === 0) return [];
  return streams.flatMap((stream, fd): Step[] =>
    stream !== 'ignore' && isPipe(stream === 'inherit' ? fd : stream)
      ? [{ call: 'fchown', args: [fd, uid, -1], purpose: `stream ${fd} belongs to user ${uid}`, tolerates: 'any' }]
      : [],
  );
}

function isPipe(file: number | Fd): boolean {
  try {
    const stat = fstatSync(typeof file === 'number' ? file : file.number);
    return stat.isFIFO() || stat.isSocket();
  } catch {
    return false;
  }
}
