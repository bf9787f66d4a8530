import { existsSync } from 'node:fs';

import { findGroups, isOwnerAlive, parseGroupName } from '@ctr/cgroups';
import { groupsOf } from '@ctr/runtime';

/** A container, by its group. */
export interface FoundContainer {
  /** No two have the same. */
  readonly key: string;
  readonly name: string;
  /** One for each hierarchy it is in. */
  readonly directories: readonly string[];
  readonly isAlive: () => boolean;
}

/** Looks for the containers that there are at the moment. */
export type Find = () => FoundContainer[];

/**
 * What finds the containers of this user: in groups that ctr has made, and in scopes of systemd.
 *
 * @param parent as `--cgroup-parent` of the containers: only those in this group, or in this slice
 */
export async function finder(parent: string | undefined): Promise<Find> {
  const isSlice = parent !== undefined && /^[^/]+\.slice$/.test(parent);
  const where = groupsOf(parent);
  const groups: Find = () =>
    findGroups(where).map((group) => ({ key: group.directoryName, name: group.name, directories: group.directories, isAlive: () => isOwnerAlive(group) }));
  if ((parent !== undefined && !isSlice) || where.layout.mode !== 'v2' || !existsSync('/run/systemd/system')) return groups;
  const { findScopes } = await import('@ctr/cgroups/systemd');
  const options = { layout: where.layout, ...(isSlice && { slice: parent }) };
  const scopes: Find = () =>
    findScopes(options).flatMap(({ name, directory }) => {
      // Beside the group of the container is that of a process of ctr's.
      const group = `${directory}/container`;
      return existsSync(group) ? [{ key: group, name: parseGroupName(name)?.name ?? name, directories: [group], isAlive: () => true }] : [];
    });
  return isSlice ? scopes : () => [...groups(), ...scopes()];
}
