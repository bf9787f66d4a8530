import { AT_FDCWD, errnos, fail, fcntlCommands, label, Memory, openFlags, signals, timespec, waitFlags, type Load, type Step, type Struct } from '@ctr/syscall';

import { streamNames } from '../streams.js';
import { endAs, passedOn } from '../supervise.js';
import { relayInput } from './input.js';
import { relayOutput } from './output.js';
import { FileType, goTo, typeEnds } from './process.js';

const fds = [0, 1, 2] as const;
type StreamFd = (typeof fds)[number];
/** The third byte of the flags of a file that is open as a path: O_PATH, above all others that there may be. */
const O_PATH_BYTE = openFlags.O_PATH >> 16;
/** How a launcher, and a relay of it, ends after a failure. */
const FAILED_STATUS = 125;
/** How long the caller's reader may take to read what a program has left that was killed. */
const GRACE_SECONDS = 1;

/** The standard streams of a launcher that has no host: what they are, the relays, which are children of the launcher, and what is left to be delivered after the end of the program. */
export class LauncherStreams {
  /** Which streams have the null device behind them: 8 bytes each, which are not zero for such. */
  readonly isNull = new Memory(24, 'is null');
  /** What the relays do; a step that fails there says so for a stream, and not for the set-up. */
  readonly relaying: readonly Step[];
  readonly #passThrough: boolean;
  readonly #types = [new FileType(), new FileType(), new FileType()] as const;
  /** How they are open. */
  readonly #flags = [new Memory(8, 'flags'), new Memory(8, 'flags'), new Memory(8, 'flags')] as const;
  /** The two ends of each pipe, which are no files to begin with; there is room for a result of 64 bits in the place of the second. */
  readonly #ends = [noPipe(), noPipe(), noPipe()] as const;
  /** The processes of the relays: 8 bytes each, zero where there is none, or none any more. */
  readonly #pids = [new Memory(8, 'pid'), new Memory(8, 'pid'), new Memory(8, 'pid')] as const;
  readonly #begin = [label('the relay of stdin'), label('the relay of stdout'), label('the relay of stderr')] as const;

  /** @param passThrough whether the program gets the files of the caller themselves */
  constructor(passThrough: boolean) {
    this.#passThrough = passThrough;
    this.relaying = passThrough ? [] : this.#relays();
  }

  /** Before everything else: finds out what the streams are. */
  look(): Step[] {
    return [...standInForClosed(), ...this.#look()];
  }

  /** Makes the pipes and the relays. */
  begin(): Step[] {
    return this.#passThrough ? [] : fds.flatMap((fd) => this.#start(fd));
  }

  /** In the process that goes into the container: takes the program's sides of the pipes. */
  inside(): Step[] {
    if (this.#passThrough) return [];
    return fds.flatMap((fd): Step[] => {
      const next = label(`the pipe of ${streamNames[fd]} is in its place`);
      return [this.#unlessNull(fd, next), { call: 'dup3', args: [this.#programSide(fd), fd, 0], purpose: `the pipe of ${streamNames[fd]}` }, next];
    });
  }

  /** In the launcher, once there is such a process: the pipes end with what runs in the container. */
  handedOver(): Step[] {
    if (this.#passThrough) return [];
    return fds.map((fd): Step => ({ call: 'close', args: [this.#programSide(fd)], purpose: "this side is the program's", tolerates: 'any' }));
  }

  /** After the end of the program: waits until the readers have everything, and ends as it did. A signal that asks for an end is obeyed meanwhile. */
  end(ended: Memory): Step[] {
    if (this.#passThrough) return endAs(ended);
    const status = new Memory(16, 'relay status');
    const got = new Memory(8, 'got');
    const again = label('which relays have ended?');
    const listen = label('wait for the readers');
    const patient = label('as long as they take');
    const signaled = label('a signal');
    const stop: Step = { call: 'add', args: [got.u64(), 128], purpose: '128 and the signal', into: got.at(0) };
    const done = label('nothing is left');
    const wait = (timeout: Struct | null): Step => ({
      call: 'rt_sigtimedwait',
      args: [passedOn({ isJob: true }), null, timeout, 8],
      purpose: timeout ? 'a program that was killed leaves them a second' : 'wait for a relay to end, or a signal',
      tolerates: timeout ? ['EAGAIN', 'EINTR'] : ['EINTR'],
      into: got.at(0),
      jump: { when: '==', than: signals.SIGCHLD, to: again },
    });
    const ifGot = (when: '<' | '==' | '!=', than: number, to: Step, purpose: string): Step => ({
      call: 'add',
      args: [got.u64(), 0],
      purpose,
      tolerates: 'any',
      jump: { when, than, to },
    });
    return [
      again,
      // The launcher may have had children before it was executed, so that -1 would stand for them, too.
      ...fds.flatMap((fd): Step[] => {
        const pid = this.#pids[fd];
        const name = streamNames[fd];
        const next = label(`the relay of ${name} has ended`);
        const failed: Step = { call: 'add', args: [FAILED_STATUS << 8, 0], purpose: 'then this process ends so, too', into: ended.at(0) };
        return [
          { call: 'add', args: [pid.u64(), 0], purpose: `does ${name} have a relay still?`, jump: { when: '==', to: next } },
          {
            call: 'wait4',
            args: [pid.u64(), status, waitFlags.WNOHANG | waitFlags.__WALL, null],
            purpose: `has the relay of ${name} ended?`,
            jump: { when: '==', to: listen },
          },
          { call: 'add', args: [0, 0], purpose: 'it is reaped', into: pid.at(0) },
          { call: 'add', args: [status.u8(0), 0], purpose: 'was it killed?', jump: { when: '!=', to: failed } },
          { call: 'add', args: [status.u8(1), 0], purpose: 'has it failed?', jump: { when: '!=', than: FAILED_STATUS, to: next } },
          failed,
          next,
        ];
      }),
      goTo(done, 'all have ended'),
      listen,
      { call: 'add', args: [ended.u8(0), 0], purpose: 'has the program exited by itself?', jump: { when: '==', to: patient } },
      wait(timespec({ tv_sec: GRACE_SECONDS })),
      ifGot('==', -errnos.EAGAIN, done, 'is the second over?'),
      goTo(signaled, 'it is not'),
      patient,
      wait(null),
      signaled,
      ifGot('<', 0, listen, 'was it interrupted?'),
      ifGot('<', signals.SIGQUIT + 1, stop, 'is it SIGHUP, SIGINT or SIGQUIT?'),
      ifGot('!=', signals.SIGTERM, listen, 'is it SIGTERM?'),
      stop,
      { call: 'exit_group', args: [got.u64()], purpose: 'the relays end with this process' },
      done,
      ...endAs(ended),
    ];
  }

  #unlessNull(fd: StreamFd, next: Step): Step {
    return { call: 'add', args: [this.isNull.u64(fd * 8), 0], purpose: `is ${streamNames[fd]} the null device?`, jump: { when: '!=', to: next } };
  }

  #programSide(fd: StreamFd): Load {
    return this.#ends[fd].i32(fd === 0 ? 0 : 4);
  }

  #ownSide(fd: StreamFd): Load {
    return this.#ends[fd].i32(fd === 0 ? 4 : 0);
  }

  /** What the streams are. A directory, and a file that is open as a path, would lead the program out of its root. */
  #look(): Step[] {
    const asPath = fail(errnos.EBADF, 'a standard stream is open as a path only');
    const directory = fail(errnos.EISDIR, 'a standard stream is a directory');
    const loop = fail(errnos.EINVAL, 'stdin is the same file as stdout');
    const good = label('the standard streams can be such');
    return [
      ...fds.flatMap((fd): Step[] => {
        const type = this.#types[fd];
        const flags = this.#flags[fd];
        const device = label('a device');
        const next = label(`${streamNames[fd]} can be one`);
        return [
          type.read(fd),
          { call: 'fcntl', args: [fd, fcntlCommands.F_GETFL, 0], purpose: 'how it is open', into: flags.at(0) },
          { call: 'add', args: [O_PATH_BYTE - 1, 0], purpose: 'as a path?', jump: { when: '<', than: flags.u8(2), to: asPath } },
          type.below(typeEnds.fifo, next, 'is it a pipe?'),
          type.below(typeEnds.characterDevice, device, 'is it a device?'),
          type.below(typeEnds.directory, directory, 'is it a directory?'),
          goTo(next, 'it is a file or a socket'),
          device,
          type.unlessNull(next),
          { call: 'add', args: [1, 0], purpose: 'there is nothing behind it', into: this.isNull.at(fd * 8) },
          next,
        ];
      }),
      ...this.#refuseLoop(good, loop),
      asPath,
      directory,
      good,
    ];
  }

  /** Goes on elsewhere unless a relay would read what another one appends to the same file, without end: that fails. */
  #refuseLoop(good: Step, loop: Step): Step[] {
    if (this.#passThrough) return [goTo(good, 'all three can be')];
    const [input, output] = this.#types;
    const [inputFlags, outputFlags] = this.#flags;
    const file = label('stdin is a file');
    return [
      { call: 'add', args: [inputFlags.u8(0), 0], purpose: 'is stdin open to write only?', jump: { when: '==', than: openFlags.O_WRONLY, to: good } },
      input.below(typeEnds.directory, good, 'is stdin a pipe or a device?'),
      input.below(typeEnds.file, file, 'is it a file?'),
      goTo(good, 'it is a socket'),
      file,
      ...input.unlessSame(output, good),
      { call: 'add', args: [outputFlags.u8(0), 0], purpose: 'is it not written as well?', jump: { when: '==', to: good } },
      loop,
    ];
  }

  /** The pipe and the relay of a stream; stderr has those of stdout where both are one file, so that lines keep their order. */
  #start(fd: StreamFd): Step[] {
    const next = label(`the relay of ${streamNames[fd]} runs, if it needs one`);
    const own = label(`${streamNames[fd]} has a pipe of its own`);
    const shared: Step[] =
      fd === 2
        ? [
            ...this.#types[1].unlessSame(this.#types[2], own),
            {
              call: 'add',
              args: [this.#flags[1].u8(0), 0],
              purpose: 'is it open in the same way?',
              jump: { when: '!=', than: this.#flags[2].u8(0), to: own },
            },
            {
              call: 'add',
              args: [this.#programSide(1), 0],
              purpose: 'stderr is the same file as stdout',
              into: this.#ends[2].at(4),
              jump: { when: '!=', to: next },
            },
          ]
        : [];
    return [
      this.#unlessNull(fd, next),
      ...shared,
      own,
      { call: 'pipe2', args: [this.#ends[fd], openFlags.O_CLOEXEC], purpose: `a pipe for ${streamNames[fd]}` },
      {
        call: 'clone',
        args: [signals.SIGCHLD, 0, null, null, null],
        purpose: `a relay for ${streamNames[fd]}`,
        into: this.#pids[fd].at(0),
        jump: { when: '==', to: this.#begin[fd] },
      },
      { call: 'close', args: [this.#ownSide(fd)], purpose: "this side is the relay's" },
      next,
    ];
  }

  #relays(): Step[] {
    const [input, output, error] = this.#begin;
    const begun = label('the relay of an output');
    return [
      input,
      { call: 'dup3', args: [this.#ownSide(0), 1, 0], purpose: "the program's pipe" },
      ...relayInput({ exits: false }),
      error,
      { call: 'dup3', args: [2, 1, 0], purpose: 'the file of stderr' },
      { call: 'dup3', args: [this.#ownSide(2), 0, 0], purpose: "the program's pipe" },
      goTo(begun, 'as for stdout'),
      output,
      { call: 'dup3', args: [this.#ownSide(1), 0, 0], purpose: "the program's pipe" },
      begun,
      ...relayOutput({ exits: false }),
    ];
  }
}

function noPipe(): Memory {
  return new Memory(new Uint8Array(16).fill(0xff), 'pipe');
}

/**
 * Where the caller has closed a standard stream, nothing that the set-up opens may take its place: it would be open when the program is looked up.
 * The number after them is taken as well, until the channel needs it.
 */
function standInForClosed(): Step[] {
  const again = label('open one more');
  return [
    again,
    {
      call: 'openat',
      args: [AT_FDCWD, '/dev/null', openFlags.O_RDWR | openFlags.O_CLOEXEC, 0],
      purpose: 'until the standard streams are taken',
      as: 'null',
      jump: { when: '<', than: 3, to: again },
    },
  ];
}
