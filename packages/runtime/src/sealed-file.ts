import { AT_FDCWD, atFlags, errnos, fcntlCommands, label, Memory, memfdFlags, openFlags, resultOf, seals, type Jump, type Step } from '@ctr/syscall';

/** No process can write to a file with these seals, change its size, or remove a seal. */
export const ALL_SEALS = seals.F_SEAL_SEAL | seals.F_SEAL_SHRINK | seals.F_SEAL_GROW | seals.F_SEAL_WRITE;
const MEMFD_FLAGS = memfdFlags.MFD_CLOEXEC | memfdFlags.MFD_ALLOW_SEALING;
/** The most that the kernel moves in one call: whole pages below 2 GiB. */
const MAX_BYTES = 0x7ffff000;

/**
 * Makes sure that the process executes a sealed memfd: it copies its executable into one, and executes the copy, which begins with these steps again and goes on.
 * A process of the same pid namespace, and a program of the container with `CAP_SYS_PTRACE`, can open `/proc/<pid>/exe`: the file on disk must not be there.
 *
 * The seals decide by their number. A file of a tmpfs answers `F_SEAL_SEAL`, and other files EINVAL. All that is not less than {@link ALL_SEALS} forbids to write,
 * and the copy is not less: it is made once.
 *
 * @see memfd_create(2), fcntl(2): F_GET_SEALS, proc_pid_exe(5)
 */
export function runFromSealedFile(): Step[] {
  const memfd = new Memory(8, 'memfd');
  const sealed = label('the executable is sealed');
  const made = label('there is a memfd');
  const open: Step = {
    call: 'openat',
    args: [AT_FDCWD, '/proc/self/exe', openFlags.O_RDONLY | openFlags.O_CLOEXEC, 0],
    purpose: 'what this process executes',
    as: 'exe',
  };
  // MFD_EXEC is of Linux 6.3; before, every memfd could be executed.
  const create: Step = {
    call: 'memfd_create',
    args: ['ctr', MEMFD_FLAGS | memfdFlags.MFD_EXEC],
    purpose: 'a file in memory for a copy of it',
    tolerates: ['EINVAL'],
    into: memfd.at(0),
    jump: { when: '!=', than: -errnos.EINVAL, to: made },
  };
  const copy: Step = {
    call: 'sendfile',
    args: [memfd.i32(), resultOf(open), null, MAX_BYTES],
    purpose: 'the copy, until nothing is left to be copied',
    get jump(): Jump {
      return { when: '!=', to: copy };
    },
  };
  return [
    open,
    {
      call: 'fcntl',
      args: [resultOf(open), fcntlCommands.F_GET_SEALS, 0],
      purpose: 'can anybody write to it?',
      tolerates: ['EINVAL'],
      jump: { when: '<', than: ALL_SEALS, to: create },
    },
    { call: 'close', args: [resultOf(open)], purpose: 'nobody can', jump: { when: '==', to: sealed } },
    create,
    { call: 'memfd_create', args: ['ctr', MEMFD_FLAGS], purpose: 'such a file for an older kernel', into: memfd.at(0) },
    made,
    copy,
    { call: 'fcntl', args: [memfd.i32(), fcntlCommands.F_ADD_SEALS, ALL_SEALS], purpose: 'nobody can write to the copy' },
    { call: 'execveat', args: [memfd.i32(), '', ['ctr'], [], atFlags.AT_EMPTY_PATH], purpose: 'execute the copy' },
    sealed,
  ];
}
