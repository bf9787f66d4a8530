import type { ErrnoName } from './abi/errno.js';
import type { SyscallName } from './abi/numbers.js';
import type { Fd } from './fd.js';
import type { Memory, Pointer, Load, Struct } from './memory.js';

/**
 * One argument of a step.
 *
 * - `number`, `bigint`: the value itself
 * - `string`: the address of its bytes, NUL-terminated; `Uint8Array`: the address of a copy of its bytes
 * - `null`: a null pointer
 * - array: the address of a null-terminated vector of pointers (argv, envp)
 * - `Memory`, `Struct`, `Pointer`: an address in memory that steps share
 * - `Load`: the value that stands in such memory when the step is reached
 * - `ResultOf`: what an earlier step returned
 * - `Fd`: a file that the host has opened
 */
export type Arg = number | bigint | string | Uint8Array | null | Memory | Struct | Pointer | Load | ResultOf | Fd | readonly (string | Memory | Struct)[];

/** The result of an earlier step, as an argument of a later one; made by {@link resultOf}. */
export interface ResultOf {
  readonly kind: 'result';
  readonly step: Step;
}

/** Where to go on after a step, depending on its result (`-errno` for an error that the step tolerates). */
export interface Jump {
  /** How the result is compared with `than`; `<` is signed. */
  readonly when: '==' | '!=' | '<';
  /** What the result is compared with, read before the call is made. @default 0 */
  readonly than?: Arg;
  /** The step to go on with when the comparison holds; the next one in order otherwise. */
  readonly to: Step;
}

/**
 * One system call as data: which call, with which arguments, and what for. Making a step does nothing; a reader does:
 * `perform` makes the call here and now, `compile` and `launch` make it in a fresh process, `explain` prints it.
 *
 * The call `add` is not a system call: its result is the sum of its first two arguments, and an error if that is one (`fail` uses this).
 */
export interface Step {
  readonly call: SyscallName | 'add';
  readonly args: readonly Arg[];
  /** What this step is for, in a few words: `a fresh proc for the pid namespace`. */
  readonly purpose: string;
  /** A name for the result in what `explain` prints: `rootfs` gives `$rootfs`. */
  readonly as?: string;
  /** Errors that are no failure here; with `any`, none is. */
  readonly tolerates?: readonly ErrnoName[] | 'any';
  /** What to say when the step fails with a certain error, before the general hints. */
  readonly hints?: Partial<Record<ErrnoName, string>>;
  /** Where to go on, depending on the result. */
  readonly jump?: Jump;
  /** Store the result (64 bits) here rather than in a place of its own. */
  readonly into?: Pointer;
  /** Go on with this step after a failure, instead of reporting it and ending. */
  readonly onFailure?: Step;
}

/** Steps in the order in which they are taken. */
export type Plan = readonly Step[];

/**
 * Refers to the result of an earlier step.
 *
 * @example
 * ```ts
 * import { resultOf, type Step } from '@ctr/syscall';
 * const open: Step = { call: 'openat', args: [-100, '/etc', 0o10000000], purpose: 'a directory to start from', as: 'etc' };
 * const enter: Step = { call: 'fchdir', args: [resultOf(open)], purpose: 'go there' };
 * ```
 */
export function resultOf(step: Step): ResultOf {
  return { kind: 'result', step };
}

/**
 * A place to jump to: takes no action.
 *
 * @example
 * ```ts
 * import { label } from '@ctr/syscall';
 * const done = label('the mount point is there');
 * ```
 */
export function label(purpose: string): Step {
  return { call: 'add', args: [0, 0], purpose };
}

/**
 * A step that always fails with an error of its own choosing: the end of a branch in which something was found to be wrong.
 *
 * @example
 * ```ts
 * import { fail } from '@ctr/syscall';
 * const refuse = fail(21, 'a directory cannot be executed'); // EISDIR
 * ```
 */
export function fail(errno: number, purpose: string, hints?: Step['hints']): Step {
  return { call: 'add', args: [-errno, 0], purpose, ...(hints && { hints }) };
}
