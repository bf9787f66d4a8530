import { fstatSync, type Stats } from 'node:fs';

import { clearNonBlocking } from '@ctr/runtime/assembly';
import type { LaunchStdio, Step } from '@ctr/syscall';

import { isNullDevice, ownNull } from './own-null.js';

/** The standard streams of the program. */
export type Streams = readonly [LaunchStdio, LaunchStdio, LaunchStdio];

/** What they are: a terminal takes the place of all three. Throws a `TypeError` for a directory, by which the program could leave its root. */
export function streamsOf(terminal: boolean | undefined, given: Streams | undefined): Streams {
  if (terminal === true) return ['ignore', 'ignore', 'ignore'];
  const streams: Streams = given ?? ['inherit', 'inherit', 'inherit'];
  for (const [fd, stream] of streams.entries())
    if (statOf(stream, fd)?.isDirectory())
      throw new TypeError(`standard stream ${fd} is a directory, through which the program could reach the host: give a file, a pipe or /dev/null`);
  return streams;
}

/** Has the program wait for its standard streams, also where Node has made them non-blocking for itself. */
export function waitForStreams(streams: Streams): void {
  for (const [fd, stream] of streams.entries()) if (stream !== 'ignore') clearNonBlocking(stream === 'inherit' ? fd : stream.number);
}

/** The standard streams that are the null device. */
export function nullStreams(streams: Streams): number[] {
  return streams.flatMap((stream, fd) => (stream === 'ignore' || isNullDevice(statOf(stream, fd)) ? [fd] : []));
}

/**
 * Pipes and sockets among the standard streams belong to the user that the program is going to be: who opens /dev/stdout opens them anew, and is asked for permission.
 * The null device is the container's own. Files stay whose they are.
 */
export function giveStreams(uid: number, streams: Streams): Step[] {
  const pipes = uid === 0 ? [] : streams.flatMap((stream, fd) => (isPipe(statOf(stream, fd)) ? [fd] : []));
  return [
    ...ownNull(nullStreams(streams)),
    ...pipes.map((fd): Step => ({ call: 'fchown', args: [fd, uid, -1], purpose: `stream ${fd} belongs to user ${uid}`, tolerates: 'any' })),
  ];
}

function isPipe(stat: Stats | undefined): boolean {
  return stat !== undefined && (stat.isFIFO() || stat.isSocket());
}

function statOf(stream: LaunchStdio, fd: number): Stats | undefined {
  if (stream === 'ignore') return undefined;
  try {
    return fstatSync(stream === 'inherit' ? fd : stream.number);
  } catch {
    // It is closed.
    return undefined;
  }
}
