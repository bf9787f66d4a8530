import { groupName, hierarchyOf, planGroup, type CgroupLayout, type Limits } from '@ctr/cgroups';
import { ownGroups } from '@ctr/runtime';

import { isRoot, type Finding, type Section } from './check.js';

/** The controllers, the limit that is made with each, and the option that asks for it. */
const controllers: Readonly<Record<string, readonly [limits: Limits, option: string]>> = {
  pids: [{ pids: 20 }, '--pids-limit'],
  memory: [{ memoryBytes: 2 ** 26 }, '--memory'],
  cpu: [{ cpuCores: 1 }, '--cpus'],
};

/** Which control groups there are, and whether a limit could be made. */
export async function cgroups(): Promise<Section> {
  const { layout, parent } = ownGroups();
  const limits = Object.keys(controllers).map((name) => controller(layout, parent, name));
  return { title: 'Control groups', findings: [mode(layout), ...limits, await systemd(layout)] };
}

function mode({ mode: found, hierarchies }: CgroupLayout): Finding {
  const all = hierarchies.flatMap((hierarchy) => hierarchy.controllers).filter((name) => !name.startsWith('name='));
  return {
    what: 'mode',
    ok: found !== 'none',
    needed: isRoot(),
    found: found === 'none' ? 'not mounted' : `${found} (${all.join(' ') || 'no controllers'})`,
    ...(found === 'none' && { advice: 'mount -t cgroup2 none /sys/fs/cgroup (as root)' }),
  };
}

/** Whether systemd can be asked for scopes, and for how many containers it has made one. */
async function systemd(layout: CgroupLayout): Promise<Finding> {
  const { findScopes, ownManager, requireSystemd } = await import('@ctr/cgroups/systemd');
  const finding = { what: 'systemd', needed: false };
  try {
    requireSystemd(layout);
    const count = findScopes({ layout }).length;
    const whose = ownManager() === 'system' ? 'of the system' : 'of this user';
    return { ...finding, ok: true, found: `that ${whose}, with ${count} ${count === 1 ? 'scope' : 'scopes'} of ctr (--cgroup-manager systemd)` };
  } catch (error) {
    return { ...finding, ok: false, found: 'makes no groups here', advice: error instanceof Error ? error.message : String(error) };
  }
}

/** Planning a group looks at everything, and makes nothing. */
function controller(layout: CgroupLayout, parent: string, name: string): Finding {
  const [limits, option] = controllers[name] ?? [{}, ''];
  const finding = { what: `${name} (${option})`, needed: isRoot() && name === 'pids' };
  const hierarchy = hierarchyOf(layout, name);
  try {
    planGroup(groupName('doctor'), limits, { layout, parent });
    return { ...finding, ok: true, found: `v${hierarchy?.version} at ${hierarchy?.mount}` };
  } catch (error) {
    const found = hierarchy ? `v${hierarchy.version} at ${hierarchy.mount}, not for this user` : 'no such controller';
    return { ...finding, ok: false, found, advice: error instanceof Error ? error.message : String(error) };
  }
}
