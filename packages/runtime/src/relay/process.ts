import { atFlags, ioctls, maskHow, Memory, prctlOptions, signals, type Arg, type ResultOf, type Step } from '@ctr/syscall';

/** The exit code of a relay whose reader has gone: 128 + SIGPIPE, as a program ends by that signal. */
export const BROKEN = 141;
/** The size of a pipe that much is moved through: fs.pipe-max-size, up to which no rights are needed. */
export const PIPE_BYTES = 2 ** 20;
/** The most that is copied at a time. */
export const BUFFER_BYTES = 2 ** 16;

/**
 * Types of files, by the upper byte of a mode of stat(2): each value is the first one that is not of the type any more, nor of one before it.
 * The order is: fifo, character device, directory, block device and regular file, symbolic link, socket.
 */
export const typeEnds = { fifo: 0x20, characterDevice: 0x40, directory: 0x60, file: 0xa0 } as const;

/** statx(2), linux/stat.h: STATX_TYPE and STATX_INO; struct statx, the upper byte of stx_mode, stx_ino, and the two numbers of stx_rdev and of stx_dev as one. */
const STATX_TYPE_AND_INO = 0x101;
const STATX_BYTES = 256;
const MODE_UPPER = 0x1d;
const INO = 0x20;
const RDEV = 0x80;
const DEVICE = 0x88;
const NULL_DEVICE = 1 + 3 * 2 ** 32;

/** What is known of an open file once it has been read. */
export class FileType {
  readonly #stat = new Memory(STATX_BYTES, 'stat');

  /** @see statx(2) */
  read(fd: Arg): Step {
    return { call: 'statx', args: [fd, '', atFlags.AT_EMPTY_PATH, STATX_TYPE_AND_INO, this.#stat], purpose: 'the type of the file' };
  }

  /** Goes on elsewhere for a type that lies before the end of a range of {@link typeEnds}. */
  below(end: number, to: Step, purpose: string): Step {
    return { call: 'add', args: [this.#stat.u8(MODE_UPPER), 0], purpose, jump: { when: '<', than: end, to } };
  }

  /** Goes on elsewhere unless another file is the same one. */
  unlessSame(other: FileType, to: Step): Step[] {
    return [INO, DEVICE].map((at): Step => ({
      call: 'add',
      args: [this.#stat.u64(at), 0],
      purpose: 'is it the same file?',
      jump: { when: '!=', than: other.#stat.u64(at), to },
    }));
  }

  /** Goes on elsewhere unless it is the null device, which has to be a character device to be asked so. */
  unlessNull(to: Step): Step {
    return { call: 'add', args: [this.#stat.u64(RDEV), 0], purpose: 'is it the null device?', jump: { when: '!=', than: NULL_DEVICE, to } };
  }
}

/**
 * What a relay does first. No signal but SIGKILL reaches it: those of the caller's terminal are not meant for it, and a pipe that breaks is told by EPIPE.
 * It ends with the process that has started it, and no other process may look into it, since it holds the caller's files.
 */
export function becomeRelay(): Step[] {
  const all = new Memory(new Uint8Array(8).fill(0xff), 'all signals');
  return [
    { call: 'prctl', args: [prctlOptions.PR_SET_DUMPABLE, 0, 0, 0, 0], purpose: 'no process looks into a relay' },
    { call: 'rt_sigprocmask', args: [maskHow.SIG_SETMASK, all, null, 8], purpose: 'no signal is for a relay' },
    { call: 'prctl', args: [prctlOptions.PR_SET_PDEATHSIG, signals.SIGKILL, 0, 0, 0], purpose: 'a relay ends with the process that has started it' },
    { call: 'close_range', args: [3, 0xffffffff, 0], purpose: 'a relay has its two files, and stderr' },
  ];
}

/** The signals of a terminal go to a session, which a relay has of its own. */
export function leaveSession(): Step {
  return { call: 'setsid', args: [], purpose: 'a session of its own, without a terminal', tolerates: 'any' };
}

/** mmap(2), asm-generic/mman-common.h: PROT_READ and PROT_WRITE; MAP_PRIVATE and MAP_ANONYMOUS. */
const READ_WRITE = 3;
const PRIVATE_ANONYMOUS = 0x22;

/** Memory to copy by, which takes no room in the plan. */
export function mapBuffer(byteLength = BUFFER_BYTES): Step {
  return { call: 'mmap', args: [null, byteLength, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0], purpose: 'memory to copy by', as: 'buffer' };
}

/** How a relay ends. */
export interface RelayOptions {
  /** Whether it ends by itself where a file of the caller fails, and its exit code tells the errno: {@link errnoOf}. Otherwise it is a step of the plan that fails. */
  readonly exits: boolean;
}

/** The ends of a relay: all that is to be moved has been, the other side has gone, or a file of the caller fails. */
export class Ends {
  readonly ended: Step = { call: 'exit_group', args: [0], purpose: 'everything has been moved' };
  readonly failed: Step;
  readonly #broken: Step = { call: 'exit_group', args: [BROKEN], purpose: 'nobody reads any more' };
  readonly #exit: Step;

  /** @param moved the result of the call that moved nothing */
  constructor(moved: Memory, { exits }: RelayOptions) {
    this.#exit = { call: 'exit_group', args: [moved.u64()], purpose: 'the errno of the file that fails' };
    this.failed = {
      call: 'add',
      args: [moved.u64(), 0],
      purpose: 'has the reader gone?',
      // EBADF: the file is not open in this direction, so that nobody can be there.
      tolerates: ['EPIPE', 'ECONNRESET', 'EBADF'],
      jump: { when: '<', to: this.#broken },
      ...(exits && { onFailure: this.#exit }),
    };
  }

  /** Stand behind all other steps of the relay. */
  get steps(): Step[] {
    return [this.failed, this.#exit, this.#broken, this.ended];
  }
}

/** The errno of the file that has failed, of the exit code of a relay: the lower byte of `-errno`, which is what the call has returned. 0 for any other end. */
export function errnoOf(code: number | undefined): number {
  return code === undefined || code === 0 || code === BROKEN ? 0 : 256 - code;
}

/** Goes on elsewhere if the last call has returned this. */
export function ifMoved(moved: Memory, when: '==' | '!=' | '<', than: number, to: Step, purpose: string): Step {
  return { call: 'add', args: [moved.u64(), 0], purpose, tolerates: 'any', jump: { when, than, to } };
}

/** Goes there in any case. */
export function goTo(to: Step, purpose: string): Step {
  return { call: 'add', args: [0, 0], purpose, jump: { when: '==', to } };
}

/**
 * The difference of two numbers, of which the second is not larger: the plan has no subtraction, but the kernel has one, of the place in a file from its size.
 *
 * @see ioctl(2), FIONREAD
 */
export function subtract(from: Memory, less: Memory, scratch: ResultOf, last: Partial<Step> = {}): Step[] {
  return [
    { call: 'ftruncate', args: [scratch, from.u64()], purpose: 'a file of so many bytes' },
    { call: 'lseek', args: [scratch, less.u64(), 0], purpose: 'behind those that are done' },
    { call: 'ioctl', args: [scratch, ioctls.FIONREAD, from], purpose: 'the bytes that are left', ...last },
  ];
}

/** An empty file in memory, for {@link subtract}. */
export function scratchFile(): Step {
  return { call: 'memfd_create', args: ['count', 1], purpose: 'a file to count by', as: 'count' };
}
