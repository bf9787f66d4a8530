import { isSyscallError } from '@ctr/syscall';

/** What shells and engines have agreed on for a command that could not be run. */
const failed = 125;
const notExecutable = 126;
const notFound = 127;

/**
 * The exit code that an error of `start` or `run` means to a shell: 127 if the program is not there, 126 if it cannot be executed, 125 for everything else.
 *
 * @see env(1), chroot(1), which end so too
 * @example
 * ```ts
 * import { exitCodeOf, start } from '@ctr/runtime';
 * const code = await start(['no-such-program']).catch(exitCodeOf); // 127
 * ```
 */
export function exitCodeOf(error: unknown): 125 | 126 | 127 {
  if (!isSyscallError(error)) return failed;
  // The steps of program.ts, and those of @ctr/oci in the words of runc. That execve(2) finds something missing which they have found is a matter of its `#!` line, or of its loader.
  if (!/^exec:? /.test(error.purpose ?? '')) return failed;
  return error.call !== 'execve' && error.code === 'ENOENT' ? notFound : notExecutable;
}
