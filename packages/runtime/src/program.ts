import { AT_FDCWD, accessModes, errnos, fail, quote, type Step } from '@ctr/syscall';

import type { Spec } from './spec.js';

/** The program of a container, with what a name is that is looked for in the host's own userland. */
export function programOf(spec: Spec): Step[] {
  return program(spec, spec.rootfs === undefined ? { hint: "; without a rootfs these are the host's, and a name is never that of an image" } : {});
}

/**
 * The end of a plan: the program. A name without a slash is looked for in each directory of PATH, in the container, by execve itself.
 *
 * The first pass takes any candidate that can be executed. If none can, the second finds out why and fails with the reason,
 * so that the way that succeeds makes no call too many.
 *
 * @param hint what else is to be said of a name that is in none of them
 * @param saysWhy whether there is a second pass: a filter of system calls may refuse to look. The last candidate fails then
 * @see execve(2), execvp(3)
 */
export function program(
  { command: [name, ...args], env, path }: Pick<Spec, 'command' | 'env' | 'path'>,
  { hint = '', saysWhy = true }: { readonly hint?: string; readonly saysWhy?: boolean } = {},
): Step[] {
  const argv = [name, ...args];
  const candidates = name.includes('/') ? [name] : path.map((directory) => `${directory}/${name}`);
  const missing = fail(errnos.ENOENT, `exec ${quote(name)}: ${name.includes('/') ? 'no such file or directory' : 'executable file not found'}`, {
    ENOENT: name.includes('/') ? 'the path is one of the container, not of the host' : `it is in none of the directories of PATH=${path.join(':')}${hint}`,
  });
  const first = (file: string): Step => execute(file, argv, env, { tolerates: ['ENOENT', 'ENOTDIR', 'EACCES', 'ENOEXEC', 'ELOOP', 'ENAMETOOLONG'] });
  if (!saysWhy) return name.includes('/') ? [execute(name, argv, env, { hints: hints(name) })] : [...candidates.map(first), missing];
  return [...candidates.map(first), ...diagnose(candidates, argv, env, missing), missing];
}

/** For each candidate that is there, why it was not executed. */
function diagnose(candidates: readonly string[], argv: readonly string[], env: readonly string[], missing: Step): Step[] {
  let next = missing;
  const steps: Step[] = [];
  for (const file of candidates.toReversed()) {
    const isThere: Step = {
      call: 'faccessat',
      args: [AT_FDCWD, file, accessModes.F_OK],
      purpose: `exec ${quote(file)}: is it there?`,
      tolerates: ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'],
      jump: { when: '<', to: next },
      hints: { EACCES: `a directory on the way to ${file} may not be searched by this user: see its mode, and that of the root file system itself` },
    };
    steps.unshift(isThere, execute(file, argv, env, { hints: hints(file) }));
    next = isThere;
  }
  return steps;
}

function execute(file: string, argv: readonly string[], env: readonly string[], more: Pick<Step, 'tolerates' | 'hints'>): Step {
  return { call: 'execve', args: [file, argv, env], purpose: `exec ${quote(file)}`, ...more };
}

function hints(file: string): NonNullable<Step['hints']> {
  return {
    ENOENT: `${file} exists, so its interpreter is what is missing: the program in its "#!" line, or the dynamic loader it was linked with`,
    EACCES: `${file} is a directory, or not executable: see its mode (chmod +x), the directories above it, and whether its file system is mounted noexec`,
    ENOEXEC: `${file} is neither a script with a "#!" line nor a program for this machine's architecture`,
  };
}
