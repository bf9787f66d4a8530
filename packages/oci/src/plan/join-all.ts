import { statSync } from 'node:fs';

import { allNamespaces, join, namespaceFile, type Namespace } from '@ctr/namespaces';
import { dumpable } from '@ctr/security';
import type { Fd, Step } from '@ctr/syscall';

/** The namespaces that a process is in and this one is not. Throws an `Error` for a process that this one may not look into. */
export function foreignNamespaces(pid: number): Namespace[] {
  return allNamespaces.filter((kind) => {
    const [own, other] = ['self', pid].map((whose) => namespaceOf(whose, kind));
    return other !== undefined && own !== other;
  });
}

function namespaceOf(whose: string | number, kind: Namespace): number | undefined {
  try {
    return statSync(`/proc/${whose}/ns/${namespaceFile(kind)}`, { throwIfNoEntry: false })?.ino;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    throw new Error(
      `the namespaces of process ${whose} cannot be joined: until its program runs, nobody but root may look into the first process of a container. Start the container first, or do without hooks of startContainer and, where namespaces are joined, of createContainer`,
      { cause: error },
    );
  }
}

/**
 * Steps that go into these namespaces of a process, all at once. From before that until execve(2) no process in them can trace this one or open its files, nor can any other but
 * one of root of the user namespace that ctr was started in: the mark is that of the memory, which a change of credentials keeps (commit_creds(9) sets it to fs.suid_dumpable, which is 0 or 2
 * but for hosts that are debugged), as clone(2) does; execve(2) closes all files before it takes the mark off (begin_new_exec() of fs/exec.c).
 * The process's own files in proc belong to root from here on: what is written there comes before.
 */
export function joinAll(pidfd: Fd, kinds: readonly Namespace[]): Step[] {
  return kinds.length > 0 ? [...dumpable(false), ...join(pidfd, ...kinds)] : [];
}
