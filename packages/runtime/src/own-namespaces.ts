import { readlinkSync } from 'node:fs';

import { namespaceFile, type Namespace } from '@ctr/namespaces';

/**
 * Refuses to change namespaces that are those of the system's first process: what is mounted, or named, there is so for everybody.
 * Throws an `Error` that says how to start in new ones.
 */
export function refuseNamespacesOfAll(kinds: readonly Namespace[]): void {
  // A first process sees itself in its proc, and has nobody to be compared with.
  if (linkOf('/proc/self') === '1') return;
  for (const kind of kinds) {
    const own = linkOf(`/proc/self/ns/${namespaceFile(kind)}`);
    if (own === undefined || own !== linkOf(`/proc/1/ns/${namespaceFile(kind)}`)) continue;
    throw new Error(
      `child would change the ${kind} namespace of the whole system, in which it is: start it in new ones (unshare --uts --pid --mount --fork ctr child …), or use run`,
    );
  }
}

/** Another user's process does not say; who may not look may not mount, either. */
function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
