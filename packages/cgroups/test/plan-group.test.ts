import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { explain } from '@ctr/syscall';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { CgroupError, parseLayout, planGroup, removeSteps, type CgroupLayout, type GroupOptions } from '@ctr/cgroups';

let top: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'ctr-cgroups-'));
});
afterEach(() => {
  rmSync(top, { recursive: true });
});

/** Directories as they are below /sys/fs/cgroup: what the checks before a plan look at. */
function files(content: Record<string, string>): void {
  for (const [path, text] of Object.entries(content)) {
    mkdirSync(dirname(join(top, path)), { recursive: true });
    writeFileSync(join(top, path), text);
  }
}

function shown(steps: Parameters<typeof explain>[0]): string {
  return explain(steps).replaceAll(top, '/sys/fs/cgroup');
}

function kindOf(plan: () => unknown): string {
  try {
    plan();
  } catch (error) {
    if (error instanceof CgroupError) return `${error.kind}: ${error.message.replaceAll(top, '/sys/fs/cgroup')}`;
    throw error;
  }
  throw new Error('it was planned');
}

describe('planGroup on version 1', () => {
  let layout: CgroupLayout;
  beforeEach(() => {
    const names = ['pids', 'memory', 'cpu,cpuacct', 'freezer'];
    for (const name of names) mkdirSync(join(top, name));
    const mounts = names.map((name, i) => `${40 + i} 1 0:${i} / ${top}/${name} rw - cgroup cgroup rw,${name}\n`).join('');
    layout = parseLayout(mounts, names.map((name, i) => `${i + 1}:${name}:/\n`).join(''));
  });

  it('makes, limits and joins a group, and leaves nothing open', () => {
    expect(shown(planGroup('web', { pids: 20 }, { layout }).steps)).toMatchInlineSnapshot(`
      " 1  mkdirat(AT_FDCWD, "/sys/fs/cgroup/pids/ctr", 0755) (EEXIST is fine)  # the group above
       2  mkdirat(AT_FDCWD, "/sys/fs/cgroup/pids/ctr/web", 0755)  # a pids group
       3  openat(AT_FDCWD, "/sys/fs/cgroup/pids/ctr/web", O_DIRECTORY|O_CLOEXEC|O_PATH) = $group  # the group
       4  openat($group, "pids.max", O_WRONLY|O_CLOEXEC) = $pids_max  # open pids.max
       5  write($pids_max, "20", 2)  # the limit: pids.max = 20
       6  close($pids_max)  # written
       7  openat($group, "notify_on_release", O_WRONLY|O_CLOEXEC) = $notify_on_release  # open notify_on_release
       8  write($notify_on_release, "1", 1)  # run the release agent, if there is one, at the end
       9  close($notify_on_release)  # written
      10  openat($group, "tasks", O_WRONLY|O_CLOEXEC) = $tasks  # open tasks
      11  write($tasks, "0", 1)  # join the group
      12  close($tasks)  # written
      13  close($group)  # nothing of the group stays open"
    `);
  });

  it('makes one directory for each hierarchy that is needed, and one where controllers are mounted together', () => {
    const group = planGroup(
      'web',
      { pids: 20, cpuCores: 0.5, cpuWeight: 50 },
      { layout, parent: '/a/b', measure: ['cpu', 'memory'], freezer: true, notifyOnRelease: false },
    );
    expect(group.directories.map((directory) => directory.replace(top, ''))).toEqual([
      '/pids/a/b/web',
      '/cpu,cpuacct/a/b/web',
      '/memory/a/b/web',
      '/freezer/a/b/web',
    ]);
    expect(group.cgroup).toBeUndefined();
    expect(shown(group.steps)).toMatchInlineSnapshot(`
      " 1  mkdirat(AT_FDCWD, "/sys/fs/cgroup/pids/a", 0755) (EEXIST is fine)  # the group above
       2  mkdirat(AT_FDCWD, "/sys/fs/cgroup/pids/a/b", 0755) (EEXIST is fine)  # the group above
       3  mkdirat(AT_FDCWD, "/sys/fs/cgroup/pids/a/b/web", 0755)  # a pids group
       4  openat(AT_FDCWD, "/sys/fs/cgroup/pids/a/b/web", O_DIRECTORY|O_CLOEXEC|O_PATH) = $pids_group  # the group
       5  openat($pids_group, "pids.max", O_WRONLY|O_CLOEXEC) = $pids_max  # open pids.max
       6  write($pids_max, "20", 2)  # the limit: pids.max = 20
       7  close($pids_max)  # written
       8  mkdirat(AT_FDCWD, "/sys/fs/cgroup/cpu,cpuacct/a", 0755) (EEXIST is fine)  # the group above
       9  mkdirat(AT_FDCWD, "/sys/fs/cgroup/cpu,cpuacct/a/b", 0755) (EEXIST is fine)  # the group above
      10  mkdirat(AT_FDCWD, "/sys/fs/cgroup/cpu,cpuacct/a/b/web", 0755)  # a cpu and cpuacct group
      11  openat(AT_FDCWD, "/sys/fs/cgroup/cpu,cpuacct/a/b/web", O_DIRECTORY|O_CLOEXEC|O_PATH) = $cpu_cpuacct_group  # the group
      12  openat($cpu_cpuacct_group, "cpu.cfs_quota_us", O_WRONLY|O_CLOEXEC) = $cpu_cfs_quota_us  # open cpu.cfs_quota_us
      13  write($cpu_cfs_quota_us, "50000", 5)  # the limit: cpu.cfs_quota_us = 50000
      14  close($cpu_cfs_quota_us)  # written
      15  openat($cpu_cpuacct_group, "cpu.shares", O_WRONLY|O_CLOEXEC) = $cpu_shares  # open cpu.shares
      16  write($cpu_shares, "512", 3)  # the limit: cpu.shares = 512
      17  close($cpu_shares)  # written
      18  mkdirat(AT_FDCWD, "/sys/fs/cgroup/memory/a", 0755) (EEXIST is fine)  # the group above
      19  mkdirat(AT_FDCWD, "/sys/fs/cgroup/memory/a/b", 0755) (EEXIST is fine)  # the group above
      20  mkdirat(AT_FDCWD, "/sys/fs/cgroup/memory/a/b/web", 0755)  # a memory group
      21  openat(AT_FDCWD, "/sys/fs/cgroup/memory/a/b/web", O_DIRECTORY|O_CLOEXEC|O_PATH) = $memory_group  # the group
      22  mkdirat(AT_FDCWD, "/sys/fs/cgroup/freezer/a", 0755) (EEXIST is fine)  # the group above
      23  mkdirat(AT_FDCWD, "/sys/fs/cgroup/freezer/a/b", 0755) (EEXIST is fine)  # the group above
      24  mkdirat(AT_FDCWD, "/sys/fs/cgroup/freezer/a/b/web", 0755)  # a freezer group
      25  openat(AT_FDCWD, "/sys/fs/cgroup/freezer/a/b/web", O_DIRECTORY|O_CLOEXEC|O_PATH) = $freezer_group  # the group
      26  openat($pids_group, "tasks", O_WRONLY|O_CLOEXEC) = $tasks  # open tasks
      27  write($tasks, "0", 1)  # join the group
      28  close($tasks)  # written
      29  openat($cpu_cpuacct_group, "tasks", O_WRONLY|O_CLOEXEC) = $tasks  # open tasks
      30  write($tasks, "0", 1)  # join the group
      31  close($tasks)  # written
      32  openat($memory_group, "tasks", O_WRONLY|O_CLOEXEC) = $tasks  # open tasks
      33  write($tasks, "0", 1)  # join the group
      34  close($tasks)  # written
      35  openat($freezer_group, "tasks", O_WRONLY|O_CLOEXEC) = $tasks  # open tasks
      36  write($tasks, "0", 1)  # join the group
      37  close($tasks)  # written
      38  close($pids_group)  # nothing of the group stays open
      39  close($cpu_cpuacct_group)  # nothing of the group stays open
      40  close($memory_group)  # nothing of the group stays open
      41  close($freezer_group)  # nothing of the group stays open"
    `);
  });

  it('makes nothing where nothing is asked for', () => {
    expect(planGroup('web', {}, { layout })).toMatchObject({ steps: [], directories: [], cgroup: undefined });
  });

  it('has parts that make up the whole', () => {
    const { steps, create, join: joining, close } = planGroup('web', { pids: 20 }, { layout });
    expect(steps).toEqual([...create, ...joining, ...close]);
  });

  it('refuses names and parents that lead elsewhere, and unknown options', () => {
    for (const name of ['..', 'a/b', '', 'pids.max', 'a\nb', 'x'.repeat(256)]) expect(() => planGroup(name, { pids: 20 }, { layout })).toThrow(TypeError);
    for (const parent of ['', '/..', '../x', '/a/../b', '//a', '/a/', '/a//b', './a', '/tasks'])
      expect(() => planGroup('web', { pids: 20 }, { layout, parent })).toThrow(TypeError);
    expect(() => planGroup('web', { pids: 20 }, { layout, mesure: ['cpu'] } as GroupOptions)).toThrow(/did you mean measure\?/);
    expect(() => planGroup('web', {}, { layout, measure: ['disk'] } as unknown as GroupOptions)).toThrow(TypeError);
    expect(() => planGroup('web', { pids: 0 }, { layout })).toThrow(RangeError);
  });

  it('measures block devices with the controller of their version', () => {
    const [first] = layout.hierarchies;
    if (!first) throw new Error('there is one');
    const places = (version: 1 | 2, controller: string): unknown => {
      files({ 'io/cgroup.controllers': 'io\n', 'io/cgroup.subtree_control': 'io\n', 'io/ctr/cgroup.subtree_control': 'io\n' });
      const hierarchies = [...layout.hierarchies, { ...first, version, controllers: [controller], mount: join(top, 'io'), readonly: false }];
      return planGroup('web', {}, { layout: { mode: version === 1 ? 'v1' : 'hybrid', hierarchies }, measure: ['io'] }).places;
    };
    expect(places(1, 'blkio')).toMatchObject([{ version: 1, controllers: ['blkio'], directory: join(top, 'io/ctr/web') }]);
    expect(places(2, 'io')).toMatchObject([{ version: 2, controllers: ['io'], directory: join(top, 'io/ctr/web') }]);
  });

  it('says which controller is missing', () => {
    const without = { ...layout, hierarchies: layout.hierarchies.filter(({ controllers }) => !controllers.includes('memory')) };
    expect(kindOf(() => planGroup('web', { memoryBytes: 4096 }, { layout: without }))).toMatchInlineSnapshot(
      `"no-controller: no control group hierarchy here has the memory controller (there are: pids, cpu, cpuacct, freezer): see /proc/cgroups: the kernel was built without it, or started with cgroup_disable=memory, or its v1 hierarchy is not mounted"`,
    );
  });

  it('says that nothing is mounted', () => {
    expect(kindOf(() => planGroup('web', { pids: 20 }, { layout: { mode: 'none', hierarchies: [] } }))).toMatchInlineSnapshot(
      `"not-mounted: no control groups are mounted here, and a limit needs the pids controller: mount -t cgroup2 none /sys/fs/cgroup (as root), or run without limits; in a container, start it with its /sys/fs/cgroup"`,
    );
  });

  it('says that it is read-only', () => {
    const readonly = { ...layout, hierarchies: layout.hierarchies.map((hierarchy) => ({ ...hierarchy, readonly: true })) };
    expect(kindOf(() => planGroup('web', { pids: 20 }, { layout: readonly }))).toMatchInlineSnapshot(
      `"read-only: /sys/fs/cgroup/pids is mounted read-only, so no pids group can be made: run outside of the container, or start that with its control groups writable (docker: --privileged, podman: --security-opt unmask=/sys/fs/cgroup)"`,
    );
  });

  it('says that the own group cannot be seen', () => {
    const hidden = { ...layout, hierarchies: layout.hierarchies.map((hierarchy) => ({ ...hierarchy, ownPath: '/x', ownDirectory: undefined })) };
    expect(kindOf(() => planGroup('web', { pids: 20 }, { layout: hidden, parent: 'ctr' }))).toMatchInlineSnapshot(
      `"not-delegated: the mount /sys/fs/cgroup/pids does not show the pids group of this process, /x: give an absolute parent"`,
    );
  });

  it('is removed by a launcher that stands alone with a bounded number of tries', () => {
    expect(shown(removeSteps(planGroup('web', { pids: 20 }, { layout })))).toMatchInlineSnapshot(`
      "1  unlinkat(AT_FDCWD, "/sys/fs/cgroup/pids/ctr/web", AT_REMOVEDIR) (EBUSY, ENOENT is fine), if != -16 go to 5  # remove the group
      2  nanosleep({tv_nsec=2000000}, NULL) (EINTR is fine)  # its last process is still ending
      3  add($tries, 1), if < 2500 go to 1  # count the tries
      4  unlinkat(AT_FDCWD, "/sys/fs/cgroup/pids/ctr/web", AT_REMOVEDIR)  # remove the group
      5  label()  # the group is gone"
    `);
  });
});

describe('planGroup on version 2', () => {
  let layout: CgroupLayout;
  beforeEach(() => {
    files({ 'cgroup.controllers': 'cpu memory pids\n', 'cgroup.subtree_control': 'memory\n', 'cgroup.procs': '1\n' });
    layout = parseLayout(`40 1 0:1 / ${top} rw - cgroup2 cgroup2 rw\n`, '0::/user.slice\n', 'cpu memory pids\n');
  });

  it('has the groups above pass the controllers on', () => {
    const group = planGroup('web', { pids: 20, memoryBytes: 64 * 2 ** 20, cpuCores: 1.5 }, { layout });
    expect(group.cgroup).toMatchObject({ kind: 'result', step: { as: 'group' } });
    expect(shown(group.steps)).toMatchInlineSnapshot(`
      " 1  mkdirat(AT_FDCWD, "/sys/fs/cgroup/ctr", 0755) (EEXIST is fine)  # the group above
       2  openat(AT_FDCWD, "/sys/fs/cgroup/cgroup.subtree_control", O_WRONLY|O_CLOEXEC) = $subtree_control  # which controllers the groups below get
       3  write($subtree_control, "+pids +memory +cpu", 18)  # pass the controllers on
       4  close($subtree_control)  # written
       5  openat(AT_FDCWD, "/sys/fs/cgroup/ctr/cgroup.subtree_control", O_WRONLY|O_CLOEXEC) = $subtree_control  # which controllers the groups below get
       6  write($subtree_control, "+pids +memory +cpu", 18)  # pass the controllers on
       7  close($subtree_control)  # written
       8  mkdirat(AT_FDCWD, "/sys/fs/cgroup/ctr/web", 0755)  # a pids and memory and cpu group
       9  openat(AT_FDCWD, "/sys/fs/cgroup/ctr/web", O_DIRECTORY|O_CLOEXEC|O_PATH) = $group  # the group
      10  openat($group, "pids.max", O_WRONLY|O_CLOEXEC) = $pids_max  # open pids.max
      11  write($pids_max, "20", 2)  # the limit: pids.max = 20
      12  close($pids_max)  # written
      13  openat($group, "memory.max", O_WRONLY|O_CLOEXEC) = $memory_max  # open memory.max
      14  write($memory_max, "67108864", 8)  # the limit: memory.max = 67108864
      15  close($memory_max)  # written
      16  openat($group, "cpu.max", O_WRONLY|O_CLOEXEC) = $cpu_max  # open cpu.max
      17  write($cpu_max, "150000 100000", 13)  # the limit: cpu.max = 150000 100000
      18  close($cpu_max)  # written
      19  openat($group, "cgroup.procs", O_WRONLY|O_CLOEXEC) = $cgroup_procs  # open cgroup.procs
      20  write($cgroup_procs, "0", 1)  # join the group
      21  close($cgroup_procs)  # written
      22  close($group)  # nothing of the group stays open"
    `);
  });

  it('leaves that out where they do it already, unless they are not there any more when the plan runs', () => {
    files({ 'cgroup.subtree_control': 'cpu memory pids\n', 'ctr/cgroup.subtree_control': 'pids\n', 'ctr/cgroup.controllers': 'cpu memory pids\n' });
    expect(shown(planGroup('web', { pids: 20 }, { layout }).create)).toMatchInlineSnapshot(`
      " 1  mkdirat(AT_FDCWD, "/sys/fs/cgroup/ctr", 0755) (EEXIST is fine), if == -17 go to 8  # the group above
       2  openat(AT_FDCWD, "/sys/fs/cgroup/cgroup.subtree_control", O_WRONLY|O_CLOEXEC) = $subtree_control  # which controllers the groups below get
       3  write($subtree_control, "+pids", 5)  # pass the controllers on
       4  close($subtree_control)  # written
       5  openat(AT_FDCWD, "/sys/fs/cgroup/ctr/cgroup.subtree_control", O_WRONLY|O_CLOEXEC) = $subtree_control  # which controllers the groups below get
       6  write($subtree_control, "+pids", 5)  # pass the controllers on
       7  close($subtree_control)  # written
       8  label()  # the groups above are ready
       9  mkdirat(AT_FDCWD, "/sys/fs/cgroup/ctr/web", 0755)  # a pids group
      10  openat(AT_FDCWD, "/sys/fs/cgroup/ctr/web", O_DIRECTORY|O_CLOEXEC|O_PATH) = $group  # the group
      11  openat($group, "pids.max", O_WRONLY|O_CLOEXEC) = $pids_max  # open pids.max
      12  write($pids_max, "20", 2)  # the limit: pids.max = 20
      13  close($pids_max)  # written"
    `);
    expect(shown(planGroup('web', { pids: 20 }, { layout, parent: '/' }).create)).toMatchInlineSnapshot(`
      "1  mkdirat(AT_FDCWD, "/sys/fs/cgroup/web", 0755)  # a pids group
      2  openat(AT_FDCWD, "/sys/fs/cgroup/web", O_DIRECTORY|O_CLOEXEC|O_PATH) = $group  # the group
      3  openat($group, "pids.max", O_WRONLY|O_CLOEXEC) = $pids_max  # open pids.max
      4  write($pids_max, "20", 2)  # the limit: pids.max = 20
      5  close($pids_max)  # written"
    `);
  });

  it('needs no controller to measure processor time, nor to freeze', () => {
    expect(shown(planGroup('web', {}, { layout, measure: ['cpu'], freezer: true }).steps)).toMatchInlineSnapshot(`
      "1  mkdirat(AT_FDCWD, "/sys/fs/cgroup/ctr", 0755) (EEXIST is fine)  # the group above
      2  mkdirat(AT_FDCWD, "/sys/fs/cgroup/ctr/web", 0755)  # a unified group
      3  openat(AT_FDCWD, "/sys/fs/cgroup/ctr/web", O_DIRECTORY|O_CLOEXEC|O_PATH) = $group  # the group
      4  openat($group, "cgroup.procs", O_WRONLY|O_CLOEXEC) = $cgroup_procs  # open cgroup.procs
      5  write($cgroup_procs, "0", 1)  # join the group
      6  close($cgroup_procs)  # written
      7  close($group)  # nothing of the group stays open"
    `);
  });

  it('goes below the group of this process', () => {
    files({
      'user.slice/cgroup.controllers': 'pids\n',
      'user.slice/cgroup.subtree_control': '',
      'user.slice/cgroup.procs': '',
      'user.slice/cgroup.type': 'domain\n',
    });
    expect(planGroup('web', { pids: 20 }, { layout, parent: 'ctr' }).directories).toEqual([`${top}/user.slice/ctr/web`]);
    expect(planGroup('web', { pids: 20 }, { layout, parent: '.' }).directories).toEqual([`${top}/user.slice/web`]);
  });

  it('says which controller the group above does not pass on', () => {
    files({ 'user.slice/cgroup.controllers': 'pids\n', 'user.slice/cgroup.subtree_control': '' });
    expect(kindOf(() => planGroup('web', { pids: 20, memoryBytes: 4096 }, { layout, parent: 'ctr' }))).toMatchInlineSnapshot(
      `"no-controller: /sys/fs/cgroup/user.slice has no memory controller (there are: pids): the group above it has to pass it on, by +memory in its cgroup.subtree_control (systemd: Delegate=memory for the unit)"`,
    );
  });

  it('says that processes are in the way', () => {
    files({
      'user.slice/cgroup.controllers': 'pids\n',
      'user.slice/cgroup.subtree_control': '',
      'user.slice/cgroup.procs': '7\n',
      'user.slice/cgroup.type': 'domain\n',
    });
    expect(kindOf(() => planGroup('web', { pids: 20 }, { layout, parent: 'ctr' }))).toMatchInlineSnapshot(
      `"busy: /sys/fs/cgroup/user.slice has processes in it, which keeps it from passing pids on to groups below (the "no internal processes" rule of cgroup v2): move them to a group of their own first: moveToLeaf of createGroup does, or mkdir /sys/fs/cgroup/user.slice/init && for pid in $(cat /sys/fs/cgroup/user.slice/cgroup.procs); do echo $pid > /sys/fs/cgroup/user.slice/init/cgroup.procs; done"`,
    );
  });

  it('says that no hierarchy has the controller', () => {
    const less = parseLayout(`40 1 0:1 / ${top} rw - cgroup2 cgroup2 rw\n`, '0::/user.slice\n', 'cpu\n');
    expect(kindOf(() => planGroup('web', { pids: 20 }, { layout: less }))).toMatchInlineSnapshot(
      `"no-controller: no control group hierarchy here has the pids controller (there are: cpu): the group above /sys/fs/cgroup has to pass it on (systemd: Delegate=yes for the unit), or the kernel was started with cgroup_disable=pids"`,
    );
  });

  it('is killed before it is removed by a launcher that stands alone', () => {
    expect(shown(removeSteps(planGroup('web', { pids: 20 }, { layout })))).toMatchInlineSnapshot(`
      " 1  openat(AT_FDCWD, "/sys/fs/cgroup/ctr/web", O_DIRECTORY|O_CLOEXEC|O_PATH) = $left (ENOENT is fine), if < 0 go to 6  # what is left of the group
       2  openat($left, "cgroup.kill", O_WRONLY|O_CLOEXEC) = $cgroup_kill  # its kill switch
       3  write($cgroup_kill, "1", 1)  # kill it
       4  close($cgroup_kill)  # written
       5  close($left)  # the group can be removed
       6  label()  # its processes are about to end
       7  unlinkat(AT_FDCWD, "/sys/fs/cgroup/ctr/web", AT_REMOVEDIR) (EBUSY, ENOENT is fine), if != -16 go to 11  # remove the group
       8  nanosleep({tv_nsec=2000000}, NULL) (EINTR is fine)  # its last process is still ending
       9  add($tries, 1), if < 2500 go to 7  # count the tries
      10  unlinkat(AT_FDCWD, "/sys/fs/cgroup/ctr/web", AT_REMOVEDIR)  # remove the group
      11  label()  # the group is gone"
    `);
  });
});
