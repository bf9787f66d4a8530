import { continueInChild, type Fd, type Step } from '@ctr/syscall';

import { OciError } from '../error.js';
import { openProcess } from '../state/identity.js';
import type { StoredState } from '../state/stored.js';
import { foreignNamespaces, joinAll } from './join-all.js';

/** Steps that lead into a container, and the files that they need. */
export interface WayIntoContainer extends Disposable {
  readonly steps: readonly Step[];
}

/** Into the cgroup and the namespaces of a container that is there: the plan goes on as one of its processes. */
export function wayIntoContainer({ process, places }: StoredState): WayIntoContainer {
  const pidfd = process && openProcess(process);
  if (!process || !pidfd) throw new OciError('not-running', 'container not running');
  const kinds = foreignNamespaces(process.pid);
  void places;
  return {
    steps: [...joinAll(pidfd, kinds), ...continueInChild({ memory: kinds.includes('time') ? 'copied' : 'shared' })],
    [Symbol.dispose]: () => pidfd.close(),
  };
}
