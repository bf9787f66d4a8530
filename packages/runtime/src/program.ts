import { AT_FDCWD, accessModes, errnos, fail, label, openFlags, type Step } from '@ctr/syscall';

import type { Spec } from './spec.js';

/**
 * The end of a plan: the program. A name without a slash is looked for in each directory of PATH, in the container, by execve itself.
 *
 * The first pass takes any candidate that can be executed. If none can, the second finds out why and fails with the reason,
 * so that the way that succeeds makes no call too many.
 *
 * @see execve(2), execvp(3)
 */
export function program({ command: [name, ...args], env, path }: Pick<Spec, 'command' | 'env' | 'path'>): Step[] {
  const argv = [name, ...args];
  const candidates = name.includes('/') ? [name] : path.map((directory) => `${directory}/${name}`);
  const execute = (file: string): Step => ({ call: 'execve', args: [file, argv, env], purpose: 'the program' });
  return [
    ...candidates.map((file): Step => ({ ...execute(file), tolerates: ['ENOENT', 'ENOTDIR', 'EACCES', 'ENOEXEC', 'ELOOP', 'ENAMETOOLONG', 'EISDIR'] })),
    ...candidates.flatMap((file) => diagnose(file, execute(file))),
    fail(errnos.ENOENT, notFound(name, path), { ENOENT: name.includes('/') ? 'the path is one of the container, not of the host' : `it is in none of the directories of PATH=${path.join(':')}` }),
  ];
}

function notFound(name: string, path: readonly string[]): string {
  return name.includes('/') ? `exec ${JSON.stringify(name)}: no such file or directory` : `exec ${JSON.stringify(name)}: executable file not found in PATH=${path.join(':')}`;
}

/** Fails with the reason why a file that exists was not executed; goes on with the next one if there is no such file. */
function diagnose(file: string, execute: Step): Step[] {
  const next = label('no such file');
  const notDirectory = label('a file');
  return [
    { call: 'faccessat', args: [AT_FDCWD, file, accessModes.F_OK], purpose: 'is there such a file?', tolerates: 'any', jump: { when: '<', to: next } },
    { call: 'openat', args: [AT_FDCWD, file, openFlags.O_PATH | openFlags.O_DIRECTORY | openFlags.O_CLOEXEC, 0], purpose: 'is it a directory?', tolerates: 'any', jump: { when: '<', to: notDirectory } },
    fail(errnos.EISDIR, `exec ${JSON.stringify(file)}: a directory cannot be executed`),
    notDirectory,
    {
      ...execute,
      hints: {
        ENOENT: `${file} exists, so its interpreter is what is missing: the program in its "#!" line, or the dynamic loader it was linked with`,
        EACCES: `${file} is not executable: see its mode (chmod +x), the directories above it, and whether its file system is mounted noexec`,
        ENOEXEC: `${file} is neither a script with a "#!" line nor a program for this machine's architecture`,
      },
    },
    next,
  ];
}
