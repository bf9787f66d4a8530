import { getSystemErrorMap } from 'node:util';

import { errnoName, type ErrnoName } from './abi/errno.js';

const brand = Symbol.for('ctr.SyscallError');

/** What a {@link SyscallError} is made of. */
export interface SyscallFailure {
  /** The name of the call: `mount`. */
  readonly call: string;
  /** The call with its arguments, as strace prints it: `mount("proc", "/proc", "proc", MS_NOSUID, NULL)`. */
  readonly line: string;
  readonly errno: number;
  /** The index of the step in its plan, from 0, and the number of steps. */
  readonly step?: number;
  readonly of?: number;
  readonly purpose?: string;
  readonly hint?: string;
  /** The whole plan, as `explain` prints it, with an arrow at the step. */
  readonly plan?: string | (() => string);
}

/**
 * A system call that failed: which one, with which arguments, with which errno, for what purpose, and what may help.
 *
 * @example
 * ```ts
 * import { isSyscallError, perform } from '@ctr/syscall';
 * try {
 *   perform([{ call: 'chdir', args: ['/nowhere'], purpose: 'start from there' }]);
 * } catch (error) {
 *   if (isSyscallError(error)) console.log(error.code, error.line); // ENOENT chdir("/nowhere")
 * }
 * ```
 */
export class SyscallError extends Error {
  override readonly name = 'SyscallError';
  readonly call: string;
  readonly line: string;
  readonly errno: number;
  readonly code: ErrnoName;
  readonly step: number | undefined;
  readonly purpose: string | undefined;
  readonly hint: string | undefined;
  readonly #plan: string | (() => string) | undefined;

  constructor(failure: SyscallFailure) {
    super(messageOf(failure));
    this.call = failure.call;
    this.line = failure.line;
    this.errno = failure.errno;
    this.code = errnoName(failure.errno);
    this.step = failure.step;
    this.purpose = failure.purpose;
    this.hint = failure.hint;
    this.#plan = failure.plan;
    Object.defineProperty(this, brand, { value: true });
  }

  /** The whole plan with an arrow at the step that failed, where the step was part of one. */
  get plan(): string | undefined {
    return typeof this.#plan === 'function' ? this.#plan() : this.#plan;
  }
}

/**
 * Whether a value is a {@link SyscallError}, also one of another copy of this package (where `instanceof` says no).
 *
 * @example
 * ```ts
 * import { isSyscallError, openFd } from '@ctr/syscall';
 * try {
 *   openFd('/nowhere').close();
 * } catch (error) {
 *   if (isSyscallError(error)) console.log(error.code); // ENOENT
 * }
 * ```
 */
export function isSyscallError(value: unknown): value is SyscallError {
  return value instanceof Error && brand in value;
}

/** Those that Node has no words for, and that a program, a file system or a key can lead to: in the words of errno(3). */
const texts: Readonly<Partial<Record<ErrnoName, string>>> = {
  EBADMSG: 'bad message',
  ECHILD: 'no child processes',
  EDEADLK: 'resource deadlock avoided',
  EDQUOT: 'disk quota exceeded',
  ELIBBAD: 'accessing a corrupted shared library',
  ENOEXEC: 'exec format error',
  ENOKEY: 'required key not available',
  ENOMEDIUM: 'no medium found',
  ESTALE: 'stale file handle',
  EUCLEAN: 'structure needs cleaning',
};

/**
 * What an errno means, in words: `operation not permitted` for EPERM.
 *
 * @example
 * ```ts
 * import { errnoText, errnos } from '@ctr/syscall';
 * errnoText(errnos.EPERM); // 'operation not permitted'
 * ```
 */
export function errnoText(errno: number): string {
  const name = errnoName(errno);
  return getSystemErrorMap().get(-errno)?.[1] ?? texts[name] ?? name;
}

function messageOf({ call, line, errno, step, of, purpose, hint }: SyscallFailure): string {
  const where = step === undefined ? '' : `, step ${step + 1}${of === undefined ? '' : ` of ${of}`}`;
  const why = purpose === undefined ? '' : `: ${purpose}`;
  const error = `${errnoName(errno)} (${errnoText(errno)})${where}`;
  // A step that fails by itself has no call to show, only what it found.
  return `${call === 'add' ? `${purpose} = ${error}` : `${line} = ${error}${why}`}${hint === undefined ? '' : `\nhint: ${hint}`}`;
}
