import { stat } from 'node:fs/promises';

import { errnos, isSyscallError, openFd, SyscallError, type ErrnoName } from '@ctr/syscall';

import { allNamespaces, namespaceFile, type Namespace } from './kinds.js';
import { checkPid } from './pid.js';

/**
 * The namespaces that a process is in, as inode numbers: two processes whose number of a kind is the same share that namespace.
 * A kind that the kernel does not have is 0.
 *
 * Rejects with a `SyscallError`: ENOENT or ESRCH if the process is not there or ends meanwhile, EACCES if it is another user's.
 *
 * @see namespaces(7): /proc/PID/ns
 * @example
 * ```ts
 * import { inspect } from '@ctr/namespaces';
 * const { net, uts } = await inspect(process.pid);
 * ```
 */
export async function inspect(pid: number): Promise<Record<Namespace, bigint>> {
  using directory = openNamespaces(pid);
  const inodes = await Promise.all(allNamespaces.map(async (kind) => [kind, await inode(directory.number, pid, kind)] as const));
  const found = Object.fromEntries(inodes) as Record<Namespace, bigint>;
  // Every kernel has mount namespaces, and every process but one that has ended is in one.
  if (found.mount === 0n) throw failure(pid, 'mount', 'ESRCH');
  return found;
}

/**
 * Whether two processes are in the same namespace of a kind.
 * Rejects as {@link inspect} does.
 *
 * @example
 * ```ts
 * import { sameNamespace } from '@ctr/namespaces';
 * console.log(await sameNamespace('net', process.pid, process.pid)); // true
 * ```
 */
export async function sameNamespace(kind: Namespace, pid: number, other: number): Promise<boolean> {
  namespaceFile(kind);
  const [one, two] = await Promise.all([inspect(pid), inspect(other)]);
  return one[kind] === two[kind];
}

/** A handle on one process's directory: it does not become another one's if the pid is used again. */
function openNamespaces(pid: number): ReturnType<typeof openFd> {
  checkPid(pid);
  try {
    return openFd(`/proc/${pid}/ns`, { directory: true });
  } catch (error) {
    if (isSyscallError(error) && error.code === 'ENOENT') throw failure(pid, 'user', 'ENOENT');
    throw error;
  }
}

async function inode(directory: number, pid: number, kind: Namespace): Promise<bigint> {
  try {
    return (await stat(`/proc/self/fd/${directory}/${namespaceFile(kind)}`, { bigint: true })).ino;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code as ErrnoName;
    if (code === 'ENOENT') return 0n;
    throw failure(pid, kind, code);
  }
}

function failure(pid: number, kind: Namespace, code: ErrnoName): SyscallError {
  const hints: Partial<Record<ErrnoName, string>> = {
    ENOENT: `there is no process ${pid}`,
    ESRCH: `process ${pid} has ended`,
    EACCES: "the namespaces of another user's process are seen with CAP_SYS_PTRACE only",
  };
  const hint = hints[code];
  return new SyscallError({
    call: 'stat',
    line: `stat("/proc/${pid}/ns/${namespaceFile(kind)}")`,
    errno: errnos[code] ?? 0,
    purpose: `the ${kind} namespace of process ${pid}`,
    ...(hint && { hint }),
  });
}
