import { fstatSync } from 'node:fs';

import { errnos, label, launch, openPipe, pollEvents, pollfd, resultOf, type Child, type Fd, type LaunchStdio, type Plan, type Step } from '@ctr/syscall';

const PIECE_BYTES = 2 ** 20;
/** 128 + SIGPIPE */
const BROKEN = 141;

/**
 * A pipe between the program and a pipe of the caller's, with a process that moves what comes.
 *
 * SIGPIPE does not end pid 1 of a pid namespace: `yes | head -1` would go on, or complain, once `head` has gone. So the broken pipe is met by a process
 * that it does end, and ctr does to the container what the signal would have done.
 *
 * @see pid_namespaces(7)
 */
export class Relay {
  /** stdin, stdout and stderr of the program. */
  readonly stdio: readonly [LaunchStdio, LaunchStdio, LaunchStdio];
  readonly #read: Fd;
  readonly #write: Fd;
  #child: Child | undefined;

  private constructor(withStderr: boolean) {
    const { read, write } = openPipe('stdout');
    this.#read = read;
    this.#write = write;
    this.stdio = ['inherit', write, withStderr ? write : 'inherit'];
  }

  /** The relay that stdout needs: none unless it is a pipe or a socket. stderr goes the same way where it is the same pipe, so that lines keep their order. */
  static forStdout(): Relay | undefined {
    const [stdout, stderr] = [fstatSync(1), fstatSync(2)];
    if (!stdout.isFIFO() && !stdout.isSocket()) return undefined;
    return new Relay(stdout.dev === stderr.dev && stdout.ino === stderr.ino);
  }

  /** Starts to move. Resolves when everything has been moved and the program's side is closed: whether the caller's side was closed before. */
  async start(): Promise<boolean> {
    try {
      this.#child = await launch(moving(), { stdio: [this.#read, 'inherit', 'ignore'] });
    } finally {
      this.close();
    }
    const { code, signal } = await this.#child.exited;
    return code === BROKEN || signal === 'SIGPIPE';
  }

  /** Lets go of the pipe, which the program and the mover have. */
  close(): void {
    this.#read.close();
    this.#write.close();
  }

  /** Drops what has not been moved. */
  stop(): void {
    this.#child?.kill('SIGKILL');
  }
}

/** From stdin to stdout, without a copy. @see splice(2) */
function moving(): Plan {
  const ended: Step = { call: 'exit_group', args: [0], purpose: 'the program has closed its side' };
  const broken: Step = { call: 'exit_group', args: [BROKEN], purpose: 'as if by SIGPIPE' };
  const move: Step = {
    call: 'splice',
    args: [0, null, 1, null, PIECE_BYTES, 0],
    purpose: "from the program's pipe to the caller's",
    as: 'moved',
    tolerates: 'any',
    jump: { when: '==', to: ended },
  };
  const wait: Step = {
    call: 'ppoll',
    args: [pollfd({ fd: 1, events: pollEvents.POLLOUT }), 1, null, null, 8],
    purpose: 'wait for the reader',
    tolerates: 'any',
  };
  const more: Step = {
    call: 'ppoll',
    args: [pollfd({ fd: 0, events: pollEvents.POLLIN }), 1, null, null, 8],
    purpose: 'wait for the program',
    tolerates: 'any',
  };
  const again = label('once more');
  return [
    { call: 'setsid', args: [], purpose: "the terminal's signals are not for this process", tolerates: 'any' },
    { call: 'close', args: [3], purpose: 'nothing more to report' },
    again,
    move,
    { call: 'add', args: [resultOf(move), 0], purpose: 'is the pipe non-blocking?', tolerates: 'any', jump: { when: '==', than: -errnos.EAGAIN, to: wait } },
    { call: 'add', args: [resultOf(move), 0], purpose: 'is the reader gone?', tolerates: 'any', jump: { when: '<', to: broken } },
    { call: 'add', args: [0, 0], purpose: 'something was moved', jump: { when: '==', to: again } },
    ended,
    broken,
    wait,
    more,
    { call: 'add', args: [0, 0], purpose: 'both are ready', jump: { when: '==', to: again } },
  ];
}
