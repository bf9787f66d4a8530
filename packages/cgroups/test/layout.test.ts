import { describe, expect, it } from 'vitest';

import { hierarchyOf, parseLayout, readLayout, type CgroupLayout } from '@ctr/cgroups';

import * as layouts from './layouts.js';
import type { LayoutTexts } from './layouts.js';

function parse({ mountinfo, cgroup, unifiedControllers }: LayoutTexts): CgroupLayout {
  return parseLayout(mountinfo, cgroup, unifiedControllers);
}

/** The mode, and one line for each hierarchy. */
function shown(layout: CgroupLayout): string[] {
  const lines = layout.hierarchies.map(
    (h) =>
      `v${h.version} ${h.controllers.join(',') || '-'} ${h.mount} ${h.readonly ? 'ro' : 'rw'} ${h.ownPath} → ${h.ownDirectory}${h.nsdelegate ? ' nsdelegate' : ''}`,
  );
  return [layout.mode, ...lines];
}

/** What each of the systems in layouts.ts has. */
const systems: Record<keyof typeof layouts, string[]> = {
  systemdUnified: [
    'v2',
    'v2 cpuset,cpu,io,memory,hugetlb,pids,rdma,misc /sys/fs/cgroup rw /user.slice/user-1000.slice/session-3.scope → /sys/fs/cgroup/user.slice/user-1000.slice/session-3.scope nsdelegate',
  ],
  systemdHybrid: [
    'hybrid',
    'v1 net_cls,net_prio /sys/fs/cgroup/net_cls,net_prio rw / → /sys/fs/cgroup/net_cls,net_prio',
    'v1 freezer /sys/fs/cgroup/freezer rw / → /sys/fs/cgroup/freezer',
    'v1 pids /sys/fs/cgroup/pids rw /user.slice/user-1000.slice/session-1.scope → /sys/fs/cgroup/pids/user.slice/user-1000.slice/session-1.scope',
    'v1 memory /sys/fs/cgroup/memory rw /user.slice/user-1000.slice/session-1.scope → /sys/fs/cgroup/memory/user.slice/user-1000.slice/session-1.scope',
    'v1 cpu,cpuacct /sys/fs/cgroup/cpu,cpuacct rw /user.slice → /sys/fs/cgroup/cpu,cpuacct/user.slice',
    'v1 name=systemd /sys/fs/cgroup/systemd rw /user.slice/user-1000.slice/session-1.scope → /sys/fs/cgroup/systemd/user.slice/user-1000.slice/session-1.scope',
    'v2 - /sys/fs/cgroup/unified rw /user.slice/user-1000.slice/session-1.scope → /sys/fs/cgroup/unified/user.slice/user-1000.slice/session-1.scope nsdelegate',
  ],
  systemdLegacy: [
    'v1',
    'v1 memory /sys/fs/cgroup/memory rw /user.slice → /sys/fs/cgroup/memory/user.slice',
    'v1 cpuacct,cpu /sys/fs/cgroup/cpu,cpuacct rw /user.slice → /sys/fs/cgroup/cpu,cpuacct/user.slice',
    'v1 name=systemd /sys/fs/cgroup/systemd rw /user.slice/user-0.slice/session-1.scope → /sys/fs/cgroup/systemd/user.slice/user-0.slice/session-1.scope',
  ],
  separateHybrid: [
    'hybrid',
    'v1 pids /sys/fs/cgroup/pids rw / → /sys/fs/cgroup/pids',
    'v1 memory /sys/fs/cgroup/memory rw /agent/4f2a → /sys/fs/cgroup/memory/agent/4f2a',
    'v1 cpuacct /sys/fs/cgroup/cpuacct rw / → /sys/fs/cgroup/cpuacct',
    'v1 cpu /sys/fs/cgroup/cpu rw / → /sys/fs/cgroup/cpu',
    'v2 hugetlb /sys/fs/cgroup/unified rw / → /sys/fs/cgroup/unified',
  ],
  dockerUnified: ['v2', 'v2 cpuset,cpu,io,memory,hugetlb,pids,rdma,misc /sys/fs/cgroup ro / → /sys/fs/cgroup nsdelegate'],
  dockerLegacy: [
    'v1',
    'v1 pids /sys/fs/cgroup/pids ro /docker/5d1c → /sys/fs/cgroup/pids',
    'v1 cpu,cpuacct /sys/fs/cgroup/cpu,cpuacct ro /docker/5d1c → /sys/fs/cgroup/cpu,cpuacct',
    'v1 name=systemd /sys/fs/cgroup/systemd ro /docker/5d1c → /sys/fs/cgroup/systemd',
  ],
  wsl: [
    'hybrid',
    'v1 pids /sys/fs/cgroup/pids rw / → /sys/fs/cgroup/pids',
    'v1 memory /sys/fs/cgroup/memory rw / → /sys/fs/cgroup/memory',
    'v1 cpu /sys/fs/cgroup/cpu rw / → /sys/fs/cgroup/cpu',
    'v1 cpuset /sys/fs/cgroup/cpuset rw / → /sys/fs/cgroup/cpuset',
    'v2 - /sys/fs/cgroup/unified rw / → /sys/fs/cgroup/unified nsdelegate',
  ],
  none: ['none'],
  debian12: [
    'v2',
    'v2 cpuset,cpu,io,memory,hugetlb,pids,rdma,misc /sys/fs/cgroup rw /user.slice/user-1000.slice/session-12.scope → /sys/fs/cgroup/user.slice/user-1000.slice/session-12.scope nsdelegate',
  ],
  ubuntu2404: [
    'v2',
    'v2 cpuset,cpu,io,memory,hugetlb,pids,rdma,misc,dmem /sys/fs/cgroup rw /user.slice/user-1000.slice/user@1000.service/app.slice/app-org.gnome.Terminal.slice/vte-spawn-5b9d1f6c-8a3e.scope → /sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.gnome.Terminal.slice/vte-spawn-5b9d1f6c-8a3e.scope nsdelegate',
  ],
  fedora: [
    'v2',
    'v2 cpuset,cpu,io,memory,hugetlb,pids,rdma,misc /sys/fs/cgroup rw /system.slice/sshd.service → /sys/fs/cgroup/system.slice/sshd.service nsdelegate',
  ],
  alpineHybrid: [
    'hybrid',
    'v1 pids /sys/fs/cgroup/pids rw / → /sys/fs/cgroup/pids',
    'v1 freezer /sys/fs/cgroup/freezer rw / → /sys/fs/cgroup/freezer',
    'v1 devices /sys/fs/cgroup/devices rw / → /sys/fs/cgroup/devices',
    'v1 memory /sys/fs/cgroup/memory rw / → /sys/fs/cgroup/memory',
    'v1 blkio /sys/fs/cgroup/blkio rw / → /sys/fs/cgroup/blkio',
    'v1 cpuacct /sys/fs/cgroup/cpuacct rw / → /sys/fs/cgroup/cpuacct',
    'v1 cpu /sys/fs/cgroup/cpu rw / → /sys/fs/cgroup/cpu',
    'v1 cpuset /sys/fs/cgroup/cpuset rw / → /sys/fs/cgroup/cpuset',
    'v1 name=openrc /sys/fs/cgroup/openrc rw /sshd → /sys/fs/cgroup/openrc/sshd',
    'v2 - /sys/fs/cgroup/unified rw /openrc.sshd → /sys/fs/cgroup/unified/openrc.sshd nsdelegate',
  ],
  alpineUnified: ['v2', 'v2 cpuset,cpu,io,memory,hugetlb,pids,rdma,misc /sys/fs/cgroup rw /openrc.sshd → /sys/fs/cgroup/openrc.sshd nsdelegate'],
  dockerPrivileged: ['v2', 'v2 cpuset,cpu,io,memory,hugetlb,pids,rdma,misc /sys/fs/cgroup rw / → /sys/fs/cgroup nsdelegate'],
  dockerHostNamespace: [
    'v2',
    'v2 cpuset,cpu,io,memory,hugetlb,pids,rdma,misc /sys/fs/cgroup ro /system.slice/docker-5d1c8b7e.scope → /sys/fs/cgroup/system.slice/docker-5d1c8b7e.scope nsdelegate',
  ],
  dockerLegacyPrivate: [
    'v1',
    'v1 pids /sys/fs/cgroup/pids ro / → /sys/fs/cgroup/pids',
    'v1 cpu,cpuacct /sys/fs/cgroup/cpu,cpuacct ro / → /sys/fs/cgroup/cpu,cpuacct',
    'v1 name=systemd /sys/fs/cgroup/systemd ro / → /sys/fs/cgroup/systemd',
  ],
  podmanRootless: ['v2', 'v2 cpu,memory,pids /sys/fs/cgroup ro / → /sys/fs/cgroup nsdelegate'],
  kubernetesUnified: ['v2', 'v2 cpuset,cpu,io,memory,hugetlb,pids,rdma,misc /sys/fs/cgroup ro / → /sys/fs/cgroup'],
  kubernetesLegacy: [
    'v1',
    'v1 memory /sys/fs/cgroup/memory ro /kubepods/burstable/pod1f2a/9b3c → /sys/fs/cgroup/memory',
    'v1 pids /sys/fs/cgroup/pids ro /kubepods/burstable/pod1f2a/9b3c → /sys/fs/cgroup/pids',
    'v1 cpu,cpuacct /sys/fs/cgroup/cpu,cpuacct ro /kubepods/burstable/pod1f2a/9b3c → /sys/fs/cgroup/cpu,cpuacct',
    'v1 name=systemd /sys/fs/cgroup/systemd ro /kubepods/burstable/pod1f2a/9b3c → /sys/fs/cgroup/systemd',
  ],
  wslSystemd: ['v2', 'v2 cpuset,cpu,io,memory,hugetlb,pids,rdma,misc /sys/fs/cgroup rw /init.scope → /sys/fs/cgroup/init.scope nsdelegate'],
  lxc: ['v2', 'v2 cpuset,cpu,io,memory,hugetlb,pids,rdma,misc /sys/fs/cgroup rw /init.scope → /sys/fs/cgroup/init.scope nsdelegate'],
};

describe('parseLayout', () => {
  it.each(Object.entries(layouts) as [keyof typeof systems, LayoutTexts][])('reads %s', (name, texts) => {
    expect(shown(parse(texts))).toEqual(systems[name]);
  });

  it('stands for any order of the hierarchies, and of the mounts', () => {
    const { mountinfo, cgroup, unifiedControllers } = layouts.systemdHybrid;
    const reversed = (text: string): string => `${text.trimEnd().split('\n').toReversed().join('\n')}\n`;
    const lines = shown(parseLayout(reversed(mountinfo), reversed(cgroup), unifiedControllers));
    expect(lines.toSorted()).toEqual(systems.systemdHybrid.toSorted());
  });

  it('knows no directory for a group that the mount does not show', () => {
    const mount = (root: string): string => `40 1 0:1 ${root} /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n`;
    expect(parseLayout(mount('/system.slice'), '0::/user.slice\n').hierarchies[0]?.ownDirectory).toBeUndefined();
    // Mounted outside of the cgroup namespace it is looked at from.
    expect(parseLayout(mount('/..'), '0::/\n').hierarchies[0]?.ownDirectory).toBeUndefined();
    expect(parseLayout(mount('/'), '0::/../other\n').hierarchies[0]?.ownDirectory).toBeUndefined();
    expect(parseLayout(mount('/a'), '0::/ab\n').hierarchies[0]?.ownDirectory).toBeUndefined();
  });

  it('takes the mount that shows the group of this process and can be written, where there are several', () => {
    const mountinfo = `40 1 0:1 / /run/elsewhere ro - cgroup2 cgroup2 rw
41 1 0:1 /other /run/other rw - cgroup2 cgroup2 rw
42 1 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
`;
    expect(parseLayout(mountinfo, '0::/a\n').hierarchies[0]?.mount).toBe('/sys/fs/cgroup');
  });

  it('leaves out a mount that something else is mounted over', () => {
    const cgroup2 = '40 30 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n';
    const sysfs = '30 1 0:9 / /sys rw - sysfs sysfs rw\n';
    expect(parseLayout(`${sysfs}${cgroup2}`, '0::/\n').mode).toBe('v2');
    expect(parseLayout(`${sysfs}${cgroup2}50 40 0:7 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n`, '0::/\n').mode).toBe('none');
    expect(parseLayout(`${sysfs}${cgroup2}50 30 0:7 / /sys/fs rw - tmpfs tmpfs rw\n`, '0::/\n').mode).toBe('none');
  });

  it('reads paths with spaces and colons, and of a group that was deleted', () => {
    const { hierarchies } = parseLayout('40 1 0:1 / /mnt/c\\040groups rw shared:1 master:2 - cgroup2 none rw\n', '0::/a:b (deleted)\n');
    expect(hierarchies[0]).toMatchObject({ mount: '/mnt/c groups', ownPath: '/a:b', ownDirectory: '/mnt/c groups/a:b' });
  });
});

describe('hierarchyOf', () => {
  it('finds the hierarchy of a controller, that of version 2 where both list it', () => {
    expect(hierarchyOf(parse(layouts.systemdHybrid), 'cpuacct')?.mount).toBe('/sys/fs/cgroup/cpu,cpuacct');
    expect(hierarchyOf(parse(layouts.separateHybrid), 'hugetlb')?.version).toBe(2);
    expect(hierarchyOf(parse({ ...layouts.systemdHybrid, unifiedControllers: 'pids' }), 'pids')?.version).toBe(2);
    expect(hierarchyOf(parse(layouts.separateHybrid), 'rdma')).toBeUndefined();
  });
});

describe('readLayout', () => {
  it('reads that of this system', () => {
    expect(['v1', 'v2', 'hybrid', 'none']).toContain(readLayout().mode);
  });
});
