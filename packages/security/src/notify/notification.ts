import {
  auditArches,
  call,
  checkOptions,
  errnos,
  ioctls,
  openFlags,
  seccompAddFdFlags,
  seccompData,
  seccompNotif,
  seccompNotifAddfd,
  seccompNotifFlags,
  seccompNotifResp,
  syscallNumbers,
  type ErrnoName,
  type Fd,
  type Step,
  type SyscallAbi,
} from '@ctr/syscall';

import { checkInteger, checkWord } from '../check.js';
import { X32_SYSCALL_BIT } from '../seccomp/architecture.js';
import { CallerMemory } from './caller-memory.js';

/** How a file is put into the process that made a call. */
export interface AddFdOptions {
  /** The number that it gets there; a file that has it is closed. @default the lowest that is free */
  readonly at?: number;
  /** Whether it is closed when the process executes another program. @default true */
  readonly cloexec?: boolean;
  /** Whether its number is the answer as well, in one step: the process never has it without knowing. @default false */
  readonly send?: boolean;
}

/**
 * A system call that waits to be answered: the {@link Notifier} hands it out. It is answered once, by `continue`, `fail`, `return`, or `addFd` with `send`; until then the
 * thread that made it sleeps. If it is killed meanwhile, or a signal interrupts it, there is nobody to answer: then these methods do nothing and say so
 * (`false`, `undefined`), since it is no error of the answer's.
 *
 * **What is decided here is no protection** if the call is made afterwards by `continue`: another thread may change what its pointers point to in between.
 * Make the call on the caller's behalf, with what was read, and answer with its result.
 *
 * @see seccomp_unotify(2)
 * @example Directories that are only said to be made
 * ```ts
 * import type { Notification } from '@ctr/security';
 * function answer(notification: Notification): void {
 *   const path = notification.readString(notification.args[1] ?? 0n); // the second argument of mkdirat(2)
 *   if (path === undefined) notification.fail('EFAULT');
 *   else if (path.startsWith('/tmp/')) notification.return(0);
 *   else notification.fail('EROFS');
 * }
 * ```
 */
export class Notification {
  /** The kernel's number of this notification. */
  readonly id: bigint;
  /** The thread that made the call, by its number here; 0 if it is in a pid namespace that this process does not see. */
  readonly pid: number;
  /** The number of the call, for its architecture. */
  readonly nr: number;
  /** The name of the call: `mkdirat`; `undefined` where ctr knows none. */
  readonly name: string | undefined;
  /** What kind of program made it: a machine runs more than one. `undefined` where ctr knows none. */
  readonly arch: SyscallAbi | undefined;
  /** The six registers of the arguments, without sign: an `int` is `BigInt.asIntN(32, …)` of one. */
  readonly args: readonly bigint[];
  /** Where in the program the call was made. */
  readonly instructionPointer: bigint;
  readonly #listener: Fd;
  readonly #memory: CallerMemory;
  #isAnswered = false;

  /** Reads what the kernel has written (struct seccomp_notif). */
  constructor(listener: Fd, bytes: Buffer) {
    const data = bytes.subarray(seccompNotif.offsetOf('data'));
    this.id = bytes.readBigUInt64LE(seccompNotif.offsetOf('id'));
    this.pid = bytes.readUInt32LE(seccompNotif.offsetOf('pid'));
    this.nr = data.readInt32LE(seccompData.offsetOf('nr'));
    this.arch = archOf(data.readUInt32LE(seccompData.offsetOf('arch')), this.nr);
    this.name = this.arch && nameOf(this.nr, this.arch);
    this.args = Array.from({ length: 6 }, (_, i) => data.readBigUInt64LE(seccompData.offsetOf('args') + i * 8));
    this.instructionPointer = data.readBigUInt64LE(seccompData.offsetOf('instruction_pointer'));
    this.#listener = listener;
    this.#memory = new CallerMemory(this.pid, () => this.isValid());
  }

  /** Lets the kernel make the call, with whatever stands in the caller's memory by then. @returns whether the caller still waited */
  continue(): boolean {
    return this.#answer({ flags: seccompNotifFlags.SECCOMP_USER_NOTIF_FLAG_CONTINUE }, 'let the call be made');
  }

  /** The call fails with an errno. Throws a `RangeError` for a name that is none. @returns whether the caller still waited */
  fail(code: ErrnoName): boolean {
    checkWord('fail: there is no errno', code, errnos);
    return this.#answer({ error: -errnos[code] }, `let the call fail with ${code}`);
  }

  /** The call succeeds with a result. Throws a `RangeError` for one that a program would take for an errno. @returns whether the caller still waited */
  return(value: number | bigint): boolean {
    const result = BigInt(value);
    if (BigInt.asIntN(64, result) !== result) throw new RangeError(`return: ${value} does not fit 64 bits`);
    if (result < 0n && result >= -4095n) throw new RangeError(`return: a program takes ${value} for an errno: use fail`);
    return this.#answer({ val: result }, `let the call return ${result}`);
  }

  /**
   * Puts an open file into the process that made the call. The file here stays open. This waits until that process gets to run.
   *
   * Throws a `SyscallError` (EMFILE: the process may have no more files; EBADF: nor one with that number; EBUSY: that number is being given to another).
   *
   * @returns the number that it has there; `undefined` if the caller no longer waits
   */
  addFd(file: Fd, options: AddFdOptions = {}): number | undefined {
    checkOptions('addFd', options, ['at', 'cloexec', 'send']);
    const { at, cloexec = true, send = false } = options;
    if (at !== undefined) checkInteger('addFd: at', at, 0, 2 ** 31 - 1);
    if (this.#isGone()) return undefined;
    const { SECCOMP_ADDFD_FLAG_SEND, SECCOMP_ADDFD_FLAG_SETFD } = seccompAddFdFlags;
    const request = seccompNotifAddfd({
      id: this.id,
      flags: (send ? SECCOMP_ADDFD_FLAG_SEND : 0) | (at === undefined ? 0 : SECCOMP_ADDFD_FLAG_SETFD),
      srcfd: file,
      newfd: at ?? 0,
      newfd_flags: cloexec ? openFlags.O_CLOEXEC : 0,
    });
    const number = this.#ioctl(ioctls.SECCOMP_IOCTL_NOTIF_ADDFD, request, 'put a file into the caller', {
      EMFILE: 'the caller may have no more files: it is for the program to close some, so let its call fail with EMFILE',
      EBADF: 'the number is beyond the limit on open files of the caller',
    });
    if (number === undefined) return undefined;
    if (send) this.#isAnswered = true;
    return number;
  }

  /** Whether the caller still waits: what was learnt of it by its pid is of another process otherwise. */
  isValid(): boolean {
    if (this.#listener.closed) return false;
    const id = Buffer.alloc(8);
    id.writeBigUInt64LE(this.id);
    return this.#ioctl(ioctls.SECCOMP_IOCTL_NOTIF_ID_VALID, id, 'does the caller still wait?') !== undefined;
  }

  /**
   * Reads the memory of the caller. `undefined` if not all of it is there, or the caller no longer waits.
   * Throws a `SyscallError` (EACCES, EPERM) without the right to look into the caller: see ptrace(2), PTRACE_MODE_ATTACH_FSCREDS.
   */
  readBytes(address: bigint, byteLength: number): Buffer | undefined {
    checkInteger('readBytes: byteLength', byteLength, 1, MAX_BYTES);
    return this.#memory.read(address, byteLength);
  }

  /**
   * Reads a string that ends with a NUL byte, as UTF-8: what is none is replaced, and for that there is `readBytes`.
   * `undefined` if it is not there, does not end within so many bytes, or the caller no longer waits. Throws as `readBytes` does.
   */
  readString(address: bigint, maxBytes = PATH_MAX): string | undefined {
    checkInteger('readString: maxBytes', maxBytes, 1, MAX_BYTES);
    return this.#memory.readUntilNul(address, maxBytes)?.toString('utf8');
  }

  /**
   * Writes to the memory of the caller: the result of a call that returns more than a number. It does not ask whether the memory may be written.
   * Throws as `readBytes` does.
   *
   * @returns whether all was written, to a caller that waited
   */
  writeBytes(address: bigint, bytes: Uint8Array): boolean {
    return this.#memory.write(address, bytes) ?? false;
  }

  #answer(response: Parameters<typeof seccompNotifResp>[0], purpose: string): boolean {
    if (this.#isGone()) return false;
    this.#isAnswered = true;
    return this.#ioctl(ioctls.SECCOMP_IOCTL_NOTIF_SEND, seccompNotifResp({ id: this.id, ...response }), purpose) !== undefined;
  }

  #isGone(): boolean {
    if (this.#isAnswered) throw new TypeError(`the notification of ${this.name ?? `call ${this.nr}`} has been answered already`);
    return this.#listener.closed;
  }

  /** The result, or `undefined` if the caller has gone. */
  #ioctl(request: number, argument: Step['args'][number], purpose: string, hints: NonNullable<Step['hints']> = {}): number | undefined {
    const result = call({ call: 'ioctl', args: [this.#listener, request, argument], purpose, hints, tolerates: ['ENOENT'] });
    return result === -errnos.ENOENT ? undefined : result;
  }
}

/** linux/limits.h: the size of a path, with its NUL */
const PATH_MAX = 4096;
/** More than any argument of a call has a use for. */
const MAX_BYTES = 2 ** 24;

const archs: Readonly<Record<number, SyscallAbi>> = {
  [auditArches.AUDIT_ARCH_X86_64]: 'x64',
  [auditArches.AUDIT_ARCH_I386]: 'i386',
  [auditArches.AUDIT_ARCH_AARCH64]: 'arm64',
  [auditArches.AUDIT_ARCH_ARM]: 'arm',
};

function archOf(auditArch: number, nr: number): SyscallAbi | undefined {
  const arch = archs[auditArch];
  return arch === 'x64' && nr & X32_SYSCALL_BIT ? 'x32' : arch;
}

const names: Partial<Record<SyscallAbi, ReadonlyMap<number, string>>> = {};

function nameOf(nr: number, arch: SyscallAbi): string | undefined {
  names[arch] ??= new Map([...syscallNumbers(arch)].map(([name, number]) => [number, name]));
  return names[arch].get(nr);
}
