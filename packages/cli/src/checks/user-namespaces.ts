import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';

import { grantedIds, subIds, type SubIdRange } from '@ctr/namespaces';

import { isRoot, type Finding, type Section } from './check.js';
import { readSetting } from './kernel.js';

/** What distributions and administrators put in the way of user namespaces, by the name of each, and what gives more than one id to others than root. */
export async function userNamespaces(): Promise<Section> {
  return { title: 'User namespaces', findings: [...restrictions(), root(), ...(isRoot() ? [] : [...helpers(), await subordinates(), ids()])] };
}

function restrictions(): Finding[] {
  const max = readSetting('/proc/sys/user/max_user_namespaces');
  const debian = readSetting('/proc/sys/kernel/unprivileged_userns_clone');
  const ubuntu = readSetting('/proc/sys/kernel/apparmor_restrict_unprivileged_userns');
  return [
    restriction('user.max_user_namespaces', max, max !== '0', 'sysctl user.max_user_namespaces=15000 (as root) allows them'),
    restriction(
      'kernel.unprivileged_userns_clone (Debian)',
      debian,
      debian !== '0',
      'sysctl kernel.unprivileged_userns_clone=1 (as root) allows them to ordinary users',
    ),
    restriction(
      'kernel.apparmor_restrict_unprivileged_userns (Ubuntu)',
      ubuntu,
      ubuntu !== '1',
      'sysctl kernel.apparmor_restrict_unprivileged_userns=0 (as root), or an AppArmor profile with "userns," for node',
    ),
  ];
}

function restriction(what: string, value: string | undefined, ok: boolean, advice: string): Finding {
  return { what, ok, needed: !isRoot(), found: value ?? 'no such setting here', ...(!ok && { advice }) };
}

/** In a chroot the kernel makes no user namespaces, and on the first root file system of a boot no pivot_root. */
function root(): Finding {
  // 23 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
  // (1) id (2) parent (3) device (4) what is at its top (5) where (6) options (7) any number of tags - (8) type …
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const type = lines
    .findLast((line) => line.split(' ')[4] === '/')
    ?.split(' - ')[1]
    ?.split(' ')[0];
  const finding = { what: 'root file system', needed: true };
  if (type === undefined)
    return { ...finding, ok: false, found: 'a chroot', advice: 'leave the chroot: the kernel makes no user namespace in it, and no pivot_root' };
  if (type === 'rootfs')
    return { ...finding, ok: false, found: 'the initial ramfs', advice: 'pivot_root refuses the initial ramfs: switch to another root first (switch_root)' };
  return { ...finding, ok: true, found: type };
}

function helpers(): Finding[] {
  return ['newuidmap', 'newgidmap'].map((name) => {
    const path = ['/usr/bin', '/bin', '/usr/local/bin'].map((directory) => `${directory}/${name}`).find((file) => existsSync(file));
    const ok = path !== undefined && isExecutable(path);
    return {
      what: name,
      ok,
      needed: false,
      found: path ?? 'not found',
      ...(!ok && { advice: `install it (Debian, Ubuntu: uidmap; Fedora: shadow-utils): it gives a user namespace more than one id` }),
    };
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function subordinates(): Promise<Finding> {
  const finding = { what: 'subordinate ids', needed: false };
  const name = userName();
  const advice = `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${name} (as root) grants some`;
  try {
    const { uids, gids } = await subIds();
    const ok = uids.length > 0 && gids.length > 0;
    return { ...finding, ok, found: ok ? `uids ${ranges(uids)}, gids ${ranges(gids)}` : `none for ${name}`, ...(!ok && { advice }) };
  } catch (error) {
    return { ...finding, ok: false, found: error instanceof Error ? error.message : String(error), advice };
  }
}

/** What a container has in the end: all of the above together, and what else could be in the way. */
function ids(): Finding {
  const { maps, lacking } = grantedIds();
  const count = (map: readonly { readonly count: number }[]): number => map.reduce((sum, range) => sum + range.count, 0);
  const finding = { what: 'ids in a container', needed: false };
  if (lacking === undefined) return { ...finding, ok: true, found: `${count(maps.uids)} uids, ${count(maps.gids)} gids` };
  return { ...finding, ok: false, found: 'one: root of the container is this user', advice: lacking };
}

function ranges(all: readonly SubIdRange[]): string {
  return all.map(({ start, count }) => `${start}-${start + count - 1}`).join(' and ');
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.());
  }
}
