import { fstatSync } from 'node:fs';

import {
  call,
  errnos,
  fcntlCommands,
  launch,
  openPipe,
  pollEvents,
  pollfd,
  resultOf,
  type Child,
  type LaunchStdio,
  type Pipe,
  type Plan,
  type Step,
} from '@ctr/syscall';

const PIPE_BYTES = 2 ** 20;
/**
 * While splice(2) waits for room in a socket it holds the lock of the pipe, and whoever writes to the pipe can then not even be killed. So to a socket go
 * only pieces for which there is room whenever poll(2) says that there is some.
 */
const SOCKET_PIECE_BYTES = 2 ** 14;
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
  /** stdin, stdout and stderr for the program. */
  readonly stdio: readonly [LaunchStdio, LaunchStdio, LaunchStdio];
  /** Settles when everything has been moved and the program's side is closed, to `false`, or when the caller's side is, to `true`. */
  readonly isBroken: Promise<boolean>;
  readonly #pipe: Pipe;
  readonly #mover: Promise<Child>;

  private constructor(pipe: Pipe, mover: Promise<Child>, withStderr: boolean) {
    this.#pipe = pipe;
    this.#mover = mover;
    this.stdio = ['inherit', pipe.write, withStderr ? pipe.write : 'inherit'];
    this.isBroken = mover.then(async ({ exited }) => {
      const { code, signal } = await exited;
      return code === BROKEN || signal === 'SIGPIPE';
    });
    // Who waits for it to have started is told.
    this.isBroken.catch(() => undefined);
  }

  /**
   * The relay that stdout needs: none unless it is a pipe or a socket. stderr goes the same way where it is the same pipe, so that lines keep their order.
   * Its process is being {@link started} beside the container, since each takes its time.
   */
  static forStdout(): Relay | undefined {
    const [stdout, stderr] = [fstatSync(1), fstatSync(2)];
    if (!stdout.isFIFO() && !stdout.isSocket()) return undefined;
    const pipe = openPipe('stdout');
    call({ call: 'fcntl', args: [pipe.write, fcntlCommands.F_SETPIPE_SZ, PIPE_BYTES], purpose: 'fewer turns for the mover', tolerates: 'any' });
    const mover = launch(moving(stdout.isSocket()), { stdio: [pipe.read, 'inherit', 'ignore'] });
    return new Relay(pipe, mover, stdout.dev === stderr.dev && stdout.ino === stderr.ino);
  }

  /** Resolves when what comes is moved, and rejects if it cannot be. */
  async started(): Promise<void> {
    await this.#mover;
  }

  /** The program has its side: it is closed when the program closes it. */
  handedOver(): void {
    this.#pipe.write.close();
  }

  /** Nobody reads any more: who still writes gets SIGPIPE. Until then, also after {@link isBroken}, the pipe fills up. */
  close(): void {
    this.#pipe.read.close();
    this.#pipe.write.close();
  }

  /** Drops what has not been moved. */
  stop(): void {
    void this.#mover.then((mover) => mover.kill('SIGKILL'));
  }
}

/** From stdin to stdout, without a copy. @see splice(2) */
function moving(toSocket: boolean): Plan {
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
  const ended: Step = { call: 'exit_group', args: [0], purpose: 'the program has closed its side' };
  const broken: Step = { call: 'exit_group', args: [BROKEN], purpose: 'as if by SIGPIPE' };
  const move: Step = {
    call: 'splice',
    args: [0, null, 1, null, toSocket ? SOCKET_PIECE_BYTES : PIPE_BYTES, 0],
    purpose: "from the program's pipe to the caller's",
    as: 'moved',
    tolerates: 'any',
    jump: { when: '==', to: ended },
  };
  const first = toSocket ? more : move;
  return [
    { call: 'setsid', args: [], purpose: "the terminal's signals are not for this process", tolerates: 'any' },
    { call: 'close', args: [3], purpose: 'nothing more to report' },
    { call: 'add', args: [0, 0], purpose: 'begin', jump: { when: '==', to: first } },
    more,
    wait,
    move,
    { call: 'add', args: [resultOf(move), 0], purpose: 'is a side non-blocking?', tolerates: 'any', jump: { when: '==', than: -errnos.EAGAIN, to: more } },
    { call: 'add', args: [resultOf(move), 0], purpose: 'is the reader gone?', tolerates: 'any', jump: { when: '<', to: broken } },
    { call: 'add', args: [0, 0], purpose: 'something was moved', jump: { when: '==', to: first } },
    ended,
    broken,
  ];
}
