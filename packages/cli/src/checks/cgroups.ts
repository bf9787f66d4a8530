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
export function cgroups(): Section {
  const { layout, parent } = ownGroups();
  return { title: 'Control groups', findings: [mode(layout), ...Object.keys(controllers).map((name) => controller(layout, parent, name))] };
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
