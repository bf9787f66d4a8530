import { statSync } from 'node:fs';

import { allNamespaces, join, namespaceFile, type Namespace } from '@ctr/namespaces';
import type { Fd, Step } from '@ctr/syscall';

/** The namespaces that a process is in and this one is not. */
export function foreignNamespaces(pid: number): Namespace[] {
  return allNamespaces.filter((kind) => {
    const [own, other] = ['self', pid].map((whose) => statSync(`/proc/${whose}/ns/${namespaceFile(kind)}`, { throwIfNoEntry: false })?.ino);
    return other !== undefined && own !== other;
  });
}

/** Steps that go into these namespaces of a process, all at once. */
export function joinAll(pidfd: Fd, kinds: readonly Namespace[]): Step[] {
  return kinds.length > 0 ? join(pidfd, ...kinds) : [];
}
