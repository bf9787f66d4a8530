import { beginWithPipes, type PipeStreams } from '@ctr/runtime/assembly';
import type { Child, LaunchStdio } from '@ctr/syscall';

import type { Streams } from '../plan/streams.js';

/** stdin, stdout and stderr of a program. */
export type OciStdio = 'pipe' | LaunchStdio;

/** A process, and this process's ends of the pipes that were asked for; `null` for a stream that is none. */
export type PipedChild = Child & PipeStreams;

/** Starts a process with the pipes that are asked for. */
export async function withPipes(
  stdio: readonly [OciStdio, OciStdio, OciStdio] | undefined,
  begin: (stdio: Streams | undefined) => Promise<Child>,
): Promise<PipedChild> {
  const none = { stdin: null, stdout: null, stderr: null };
  if (!stdio?.includes('pipe')) return Object.assign(await begin(stdio as Streams | undefined), none);
  return beginWithPipes(stdio, ({ given }) => begin(given));
}
