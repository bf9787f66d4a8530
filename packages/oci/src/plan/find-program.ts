import { AT_FDCWD, accessModes, errnos, fail, label, quote, type Step } from '@ctr/syscall';

/** Where a program without a slash is looked for when there is no PATH: as execvp(3) has it. */
const DEFAULT_PATH = '/usr/local/bin:/bin:/usr/bin';

/** linux/fcntl.h: of the same value as AT_REMOVEDIR, which is for another call */
const AT_EACCESS = 0x200;

/** The directories that a program is looked for in. */
export function pathOf(environment: readonly string[]): string[] {
  const path = environment.findLast((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? DEFAULT_PATH;
  return path.split(':').map((directory) => (directory === '' ? '.' : directory));
}

/**
 * Looks whether the program is there before the container waits to be started: who creates it is told, in the words that engines look for. It may still be gone, or be replaced, by then.
 */
export function findProgram(name: string, path: readonly string[]): Step[] {
  const shown = `exec: ${quote(name)}`;
  const found = label(`${name} is there`);
  const look = (file: string, more: Partial<Step>): Step => ({
    call: 'faccessat2',
    // As execve(2) asks: by the capabilities that are in effect, and not by who the user is.
    args: [AT_FDCWD, file, accessModes.X_OK, AT_EACCESS],
    purpose: shown,
    ...more,
  });
  // Only a directory has a dot in it. Who may do anything may enter it, which is the same right.
  const unlessDirectory = (file: string): Step => ({
    call: 'faccessat2',
    args: [AT_FDCWD, `${file}/.`, accessModes.F_OK, AT_EACCESS],
    purpose: `${shown}: whether it is a directory`,
    tolerates: 'any',
    jump: { when: '!=', to: found },
  });
  if (name.includes('/'))
    return [
      look(name, {
        hints: { ENOENT: 'the path is one of the container, not of the host', EACCES: 'see its mode, and whether its file system is mounted noexec' },
      }),
      unlessDirectory(name),
      fail(errnos.EACCES, shown, { EACCES: 'it is a directory' }),
      found,
    ];
  return [
    ...path.flatMap((directory) => {
      const next = label(`after ${directory}`);
      const file = `${directory}/${name}`;
      return [look(file, { tolerates: 'any', jump: { when: '!=', to: next } }), unlessDirectory(file), next];
    }),
    fail(errnos.ENOENT, `${shown}: executable file not found in $PATH`, { ENOENT: `it is in none of the directories of PATH=${path.join(':')}` }),
    found,
  ];
}
