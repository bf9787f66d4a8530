import { delegate, type CgroupLayout, type Place } from '@ctr/cgroups';
import { mountFlags } from '@ctr/syscall';

import type { Config } from '../config/config.js';
import { parseMountOptions } from '../mount-options.js';
import { destinationOf } from '../plan/mounts.js';
import type { Namespaces } from '../plan/namespaces.js';

/** What decides whose the group of a container is. */
export interface GroupOwner {
  readonly config: Config;
  readonly namespaces: Namespaces;
  readonly layout: CgroupLayout;
  readonly warn: (message: string) => void;
}

/**
 * Gives the group of v2 to the user of the container's program, if the container has it mounted to be written, in a namespace of groups that begins there: systemd can run in a user namespace then.
 * What limits the group itself stays the host's. Who may not give it to that user is left with a group that only root can write to, and told.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#cgroup-ownership
 */
export function giveGroup(places: readonly Place[], { config, namespaces, layout, warn }: GroupOwner): void {
  const place = places.find(({ version }) => version === 2);
  const uid = hostUid(config, namespaces);
  if (!place || uid === undefined || !namespaces.isNew('cgroup') || !isWritable(config, layout)) return;
  try {
    delegate({ directories: [place.directory] }, { uid, gid: process.getegid?.() ?? 0 });
  } catch (error) {
    warn(`the cgroup of the container cannot be given to its user: ${(error as Error).message}`);
  }
}

/** Where groups of v1 are mounted none is given away: whoever may make groups below gets around limits there. */
function isWritable({ mounts = [] }: Config, { mode }: CgroupLayout): boolean {
  return mounts.some((mount) => {
    const isUnified = mount.type === 'cgroup2' || (mount.type === 'cgroup' && mode === 'v2');
    return isUnified && destinationOf(mount) === '/sys/fs/cgroup' && (parseMountOptions(mount.options ?? []).flags & mountFlags.MS_RDONLY) === 0;
  });
}

/** Who the user of the program is on the host; not to be known in a user namespace that is joined. */
function hostUid({ process, linux: { uidMappings = [] } = {} }: Config, namespaces: Namespaces): number | undefined {
  const uid = process?.user?.uid ?? 0;
  if (!namespaces.has('user')) return uid;
  if (!namespaces.isNew('user')) return undefined;
  const range = uidMappings.find(({ containerID, size }) => uid >= containerID && uid < containerID + size);
  return range && range.hostID + uid - range.containerID;
}
