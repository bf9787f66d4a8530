import { call, fcntlCommands, Fd } from '@ctr/syscall';

/** stdin, stdout and stderr come before them. */
const FIRST = 3;

/** The files of the caller from fd 3 on, so many of them, each once more. Throws a `SyscallError` (EBADF) for one that is not open. */
export function passedFiles(count: number): Fd[] {
  const files: Fd[] = [];
  try {
    for (let number = FIRST; number < FIRST + count; number++) {
      const name = `file ${number} of the caller`;
      const hints = { EBADF: 'as many files have to be open as are to be preserved' };
      files.push(new Fd(call({ call: 'fcntl', args: [number, fcntlCommands.F_DUPFD_CLOEXEC, FIRST + count], purpose: name, hints }), name));
    }
    return files;
  } catch (error) {
    for (const file of files) file.close();
    throw error;
  }
}
