import { constants, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { readLayout, type CgroupLayout, type FindOptions, type Hierarchy } from '@ctr/cgroups';
import { perUser, requireAccess } from '@ctr/syscall';

import { isInUserNamespace } from './own-user-namespace.js';

/**
 * Where the groups of this user's containers are: at the top for root, and for others below the group that is delegated to them, which is the one that this
 * process is in or, on cgroup v2, one above it. What `planGroup` and `collectGarbage` of @ctr/cgroups take.
 *
 * Read once for each user that this process is: reading the mount table takes longer than planning a group, and hierarchies do not move while a process runs.
 *
 * @see The kernel's Documentation/admin-guide/cgroup-v2.rst, "Delegation"
 * @example What the dead containers of this user have left
 * ```ts
 * import { collectGarbage } from '@ctr/cgroups';
 * import { ownGroups } from '@ctr/runtime';
 * await collectGarbage(ownGroups());
 * ```
 */
export function ownGroups(): Required<FindOptions> {
  return found();
}

const found = perUser((): Required<FindOptions> => {
  const layout = readLayout();
  return process.geteuid?.() === 0 && !isInUserNamespace() ? { layout, parent: '/ctr' } : { layout: delegated(layout), parent: 'ctr' };
});

/**
 * Likewise, for containers whose group is below another than that of {@link ownGroups}.
 *
 * @param parent as `cgroupParent` of a container: with a leading slash from the top, without one from the group that is this user's; `undefined` for the default
 * @example What dead containers below another group have left
 * ```ts
 * import { collectGarbage } from '@ctr/cgroups';
 * import { groupsOf } from '@ctr/runtime';
 * await collectGarbage(groupsOf('/jobs'));
 * ```
 */
export function groupsOf(parent: string | undefined): Required<FindOptions> {
  return parent === undefined ? ownGroups() : { ...ownGroups(), parent };
}

/** The same hierarchies, in which the group that is delegated to this user, if there is one, stands for that of this process. */
export function delegated(layout: CgroupLayout): CgroupLayout {
  return { ...layout, hierarchies: layout.hierarchies.map((hierarchy) => (hierarchy.version === 2 ? nearest(hierarchy) : hierarchy)) };
}

/**
 * A group of v2 passes no controllers on while a process is in it, so that of a process is of no use for others: the nearest one above is that is this user's and has none.
 * systemd's for a user has such: `app.slice` below `user@1000.service`, for instance.
 */
function nearest(hierarchy: Hierarchy): Hierarchy {
  const { mount, ownDirectory } = hierarchy;
  if (ownDirectory === undefined) return hierarchy;
  for (let directory = ownDirectory; directory.startsWith(mount) && isOwn(directory); directory = dirname(directory)) {
    if (readFileSync(`${directory}/cgroup.procs`, 'latin1') === '') return { ...hierarchy, ownDirectory: directory };
    if (directory === mount) break;
  }
  return hierarchy;
}

/** Whether groups can be made in it, and processes moved to these. */
function isOwn(directory: string): boolean {
  try {
    for (const path of [directory, `${directory}/cgroup.procs`]) requireAccess(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
