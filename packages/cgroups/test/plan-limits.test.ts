import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { explain, type Plan } from '@ctr/syscall';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { parseLayout, planGroup, type CgroupLayout } from '@ctr/cgroups';

let top: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'ctr-limits-'));
});
afterEach(() => {
  rmSync(top, { recursive: true });
});

/** Hierarchies of version 1, mounted below {@link top} by the names of their controllers. */
function v1(...names: readonly string[]): CgroupLayout {
  for (const name of names) mkdirSync(join(top, name));
  const mounts = names.map((name, i) => `${40 + i} 1 0:${i} / ${top}/${name} rw - cgroup cgroup rw,${name}\n`).join('');
  return parseLayout(mounts, names.map((name, i) => `${i + 1}:${name}:/\n`).join(''));
}

function shown(steps: Plan): string {
  return explain(steps).replaceAll(top, '/sys/fs/cgroup');
}

it('gives a cpuset group of version 1, and those above it, what they lack', () => {
  const layout = v1('cpuset');
  writeFileSync(join(top, 'cpuset/cpuset.cpus'), '0-3\n');
  expect(shown(planGroup('web', { cpus: '1' }, { layout, notifyOnRelease: false }).create)).toMatchInlineSnapshot(`
    " 1  mkdirat(AT_FDCWD, "/sys/fs/cgroup/cpuset/ctr", 0755) (EEXIST is fine)  # the group above
     2  mkdirat(AT_FDCWD, "/sys/fs/cgroup/cpuset/ctr/web", 0755)  # a cpuset group
     3  openat(AT_FDCWD, "/sys/fs/cgroup/cpuset/ctr/web", O_DIRECTORY|O_CLOEXEC|O_PATH) = $group  # the group
     4  openat(AT_FDCWD, "/sys/fs/cgroup/cpuset/ctr/cpuset.cpus", O_RDWR|O_CLOEXEC) = $cpuset_cpus  # open cpuset.cpus
     5  read($cpuset_cpus, &list, 4096), if != 1 go to 10  # what the group has already
     6  openat(AT_FDCWD, "/sys/fs/cgroup/cpuset/cpuset.cpus", O_RDONLY|O_CLOEXEC) = $cpuset_cpus_above  # that of the group above
     7  read($cpuset_cpus_above, &list, 4096) = $length  # what it has
     8  close($cpuset_cpus_above)  # read
     9  write($cpuset_cpus, &list, $length)  # cpuset.cpus of the group above
    10  label()  # the group has cpuset.cpus
    11  close($cpuset_cpus)  # nothing of the group stays open
    12  openat(AT_FDCWD, "/sys/fs/cgroup/cpuset/ctr/cpuset.mems", O_RDWR|O_CLOEXEC) = $cpuset_mems  # open cpuset.mems
    13  read($cpuset_mems, &list, 4096), if != 1 go to 18  # what the group has already
    14  openat(AT_FDCWD, "/sys/fs/cgroup/cpuset/cpuset.mems", O_RDONLY|O_CLOEXEC) = $cpuset_mems_above  # that of the group above
    15  read($cpuset_mems_above, &list, 4096) = $length  # what it has
    16  close($cpuset_mems_above)  # read
    17  write($cpuset_mems, &list, $length)  # cpuset.mems of the group above
    18  label()  # the group has cpuset.mems
    19  close($cpuset_mems)  # nothing of the group stays open
    20  openat(AT_FDCWD, "/sys/fs/cgroup/cpuset/ctr/web/cpuset.mems", O_RDWR|O_CLOEXEC) = $cpuset_mems  # open cpuset.mems
    21  read($cpuset_mems, &list, 4096), if != 1 go to 26  # what the group has already
    22  openat(AT_FDCWD, "/sys/fs/cgroup/cpuset/ctr/cpuset.mems", O_RDONLY|O_CLOEXEC) = $cpuset_mems_above  # that of the group above
    23  read($cpuset_mems_above, &list, 4096) = $length  # what it has
    24  close($cpuset_mems_above)  # read
    25  write($cpuset_mems, &list, $length)  # cpuset.mems of the group above
    26  label()  # the group has cpuset.mems
    27  close($cpuset_mems)  # nothing of the group stays open
    28  openat($group, "cpuset.cpus", O_WRONLY|O_CLOEXEC) = $cpuset_cpus  # open cpuset.cpus
    29  write($cpuset_cpus, "1", 1)  # the limit: cpuset.cpus = 1
    30  close($cpuset_cpus)  # written"
  `);
});

it('does so where another controller is mounted together with it', () => {
  const layout = v1('cpuset,cpu');
  writeFileSync(join(top, 'cpuset,cpu/cpuset.cpus'), '0-3\n');
  const steps = shown(planGroup('web', { cpuCores: 1 }, { layout, parent: '/', notifyOnRelease: false }).create);
  expect(steps.split('\n').filter((line) => line.includes('openat'))).toMatchInlineSnapshot(`
    [
      " 2  openat(AT_FDCWD, "/sys/fs/cgroup/cpuset,cpu/web", O_DIRECTORY|O_CLOEXEC|O_PATH) = $group  # the group",
      " 3  openat(AT_FDCWD, "/sys/fs/cgroup/cpuset,cpu/web/cpuset.cpus", O_RDWR|O_CLOEXEC) = $cpuset_cpus  # open cpuset.cpus",
      " 5  openat(AT_FDCWD, "/sys/fs/cgroup/cpuset,cpu/cpuset.cpus", O_RDONLY|O_CLOEXEC) = $cpuset_cpus_above  # that of the group above",
      "11  openat(AT_FDCWD, "/sys/fs/cgroup/cpuset,cpu/web/cpuset.mems", O_RDWR|O_CLOEXEC) = $cpuset_mems  # open cpuset.mems",
      "13  openat(AT_FDCWD, "/sys/fs/cgroup/cpuset,cpu/cpuset.mems", O_RDONLY|O_CLOEXEC) = $cpuset_mems_above  # that of the group above",
      "19  openat($group, "cpu.cfs_quota_us", O_WRONLY|O_CLOEXEC) = $cpu_cfs_quota_us  # open cpu.cfs_quota_us",
    ]
  `);
});

it('makes one group where controllers are mounted together', () => {
  const group = planGroup(
    'web',
    { networkClassId: 5, networkPriorities: { eth0: 1, lo: 2 } },
    { layout: v1('net_cls,net_prio'), parent: '/', notifyOnRelease: false },
  );
  expect(group.directories).toHaveLength(1);
  expect(shown(group.create)).toMatchInlineSnapshot(`
    " 1  mkdirat(AT_FDCWD, "/sys/fs/cgroup/net_cls,net_prio/web", 0755)  # a net_cls and net_prio group
     2  openat(AT_FDCWD, "/sys/fs/cgroup/net_cls,net_prio/web", O_DIRECTORY|O_CLOEXEC|O_PATH) = $group  # the group
     3  openat($group, "net_cls.classid", O_WRONLY|O_CLOEXEC) = $net_cls_classid  # open net_cls.classid
     4  write($net_cls_classid, "5", 1)  # the limit: net_cls.classid = 5
     5  close($net_cls_classid)  # written
     6  openat($group, "net_prio.ifpriomap", O_WRONLY|O_CLOEXEC) = $net_prio_ifpriomap  # open net_prio.ifpriomap
     7  write($net_prio_ifpriomap, "eth0 1", 6)  # the limit: net_prio.ifpriomap = eth0 1
     8  close($net_prio_ifpriomap)  # written
     9  openat($group, "net_prio.ifpriomap", O_WRONLY|O_CLOEXEC) = $net_prio_ifpriomap  # open net_prio.ifpriomap
    10  write($net_prio_ifpriomap, "lo 2", 4)  # the limit: net_prio.ifpriomap = lo 2
    11  close($net_prio_ifpriomap)  # written"
  `);
});

it('writes a weight to each file that the kernel has, and fails if it has none', () => {
  writeFileSync(join(top, 'cgroup.subtree_control'), 'io\n');
  const layout = parseLayout(`40 1 0:1 / ${top} rw - cgroup2 cgroup2 rw\n`, '0::/\n', 'io\n');
  expect(shown(planGroup('web', { ioWeight: 200 }, { layout, parent: '/' }).create)).toMatchInlineSnapshot(`
    " 1  mkdirat(AT_FDCWD, "/sys/fs/cgroup/web", 0755)  # a io group
     2  openat(AT_FDCWD, "/sys/fs/cgroup/web", O_DIRECTORY|O_CLOEXEC|O_PATH) = $group  # the group
     3  openat($group, "io.bfq.weight", O_WRONLY|O_CLOEXEC) = $io_bfq_weight (ENOENT is fine), if < 0 go to 10  # open io.bfq.weight
     4  write($io_bfq_weight, "109", 3) (EOPNOTSUPP is fine), if < 0 go to 9  # the limit: io.bfq.weight = 109
     5  close($io_bfq_weight)  # written
     6  openat($group, "io.weight", O_WRONLY|O_CLOEXEC) = $io_weight (ENOENT is fine), if < 0 go to 13  # open io.weight
     7  write($io_weight, "200", 3) (EOPNOTSUPP is fine)  # the limit: io.weight = 200
     8  close($io_weight), if == 0 go to 13  # written
     9  close($io_bfq_weight)  # refused
    10  openat($group, "io.weight", O_WRONLY|O_CLOEXEC) = $io_weight  # open io.weight
    11  write($io_weight, "200", 3)  # the limit: io.weight = 200
    12  close($io_weight)  # written
    13  label()  # the limit is set"
  `);
});

it('passes on the controllers of the files of unified', () => {
  writeFileSync(join(top, 'cgroup.subtree_control'), '\n');
  writeFileSync(join(top, 'cgroup.controllers'), 'cpu io memory\n');
  const layout = parseLayout(`40 1 0:1 / ${top} rw - cgroup2 cgroup2 rw\n`, '0::/\n', 'cpu io memory\n');
  const unified = { 'memory.high': '64M', 'io.max': '8:0 rbps=1', 'cgroup.max.depth': '2' };
  expect(shown(planGroup('web', { cpuWeight: 5, pressure: false, unified }, { layout, parent: '/' }).create)).toMatchInlineSnapshot(`
    " 1  openat(AT_FDCWD, "/sys/fs/cgroup/cgroup.subtree_control", O_WRONLY|O_CLOEXEC) = $subtree_control  # which controllers the groups below get
     2  write($subtree_control, "+memory +io +cpu", 16)  # pass the controllers on
     3  close($subtree_control)  # written
     4  mkdirat(AT_FDCWD, "/sys/fs/cgroup/web", 0755)  # a memory and io and cpu group
     5  openat(AT_FDCWD, "/sys/fs/cgroup/web", O_DIRECTORY|O_CLOEXEC|O_PATH) = $group  # the group
     6  openat($group, "cpu.weight", O_WRONLY|O_CLOEXEC) = $cpu_weight  # open cpu.weight
     7  write($cpu_weight, "5", 1)  # the limit: cpu.weight = 5
     8  close($cpu_weight)  # written
     9  openat($group, "cgroup.pressure", O_WRONLY|O_CLOEXEC) = $cgroup_pressure  # open cgroup.pressure
    10  write($cgroup_pressure, "0", 1)  # the limit: cgroup.pressure = 0
    11  close($cgroup_pressure)  # written
    12  openat($group, "memory.high", O_WRONLY|O_CLOEXEC) = $memory_high  # open memory.high
    13  write($memory_high, "64M", 3)  # the limit: memory.high = 64M
    14  close($memory_high)  # written
    15  openat($group, "io.max", O_WRONLY|O_CLOEXEC) = $io_max  # open io.max
    16  write($io_max, "8:0 rbps=1", 10)  # the limit: io.max = 8:0 rbps=1
    17  close($io_max)  # written
    18  openat($group, "cgroup.max.depth", O_WRONLY|O_CLOEXEC) = $cgroup_max_depth  # open cgroup.max.depth
    19  write($cgroup_max_depth, "2", 1)  # the limit: cgroup.max.depth = 2
    20  close($cgroup_max_depth)  # written"
  `);
});
