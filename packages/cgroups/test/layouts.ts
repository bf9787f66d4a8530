// What /proc/self/mountinfo and /proc/self/cgroup say on systems of different kinds.

export interface LayoutTexts {
  readonly mountinfo: string;
  readonly cgroup: string;
  readonly unifiedControllers?: string;
}

const v1Options = 'rw,nosuid,nodev,noexec,relatime';

/** Fedora, Debian 11 and later, Ubuntu 22.04 and later. */
export const systemdUnified: LayoutTexts = {
  mountinfo: `23 29 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
24 29 0:23 / /proc rw,nosuid,nodev,noexec,relatime shared:14 - proc proc rw
29 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw,errors=remount-ro
34 23 0:29 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
35 23 0:30 / /sys/fs/pstore rw,nosuid,nodev,noexec,relatime shared:10 - pstore pstore rw
`,
  cgroup: '0::/user.slice/user-1000.slice/session-3.scope\n',
  unifiedControllers: 'cpuset cpu io memory hugetlb pids rdma misc\n',
};

/** Ubuntu 20.04, Debian 10. */
export const systemdHybrid: LayoutTexts = {
  mountinfo: `24 29 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
29 1 253:0 / / rw,relatime shared:1 - ext4 /dev/mapper/vg-root rw
32 24 0:27 / /sys/fs/cgroup ro,nosuid,nodev,noexec shared:9 - tmpfs tmpfs ro,mode=755
33 32 0:28 / /sys/fs/cgroup/unified ${v1Options} shared:10 - cgroup2 cgroup2 rw,nsdelegate
34 32 0:29 / /sys/fs/cgroup/systemd ${v1Options} shared:11 - cgroup cgroup rw,xattr,name=systemd
38 32 0:33 / /sys/fs/cgroup/cpu,cpuacct ${v1Options} shared:15 - cgroup cgroup rw,cpu,cpuacct
39 32 0:34 / /sys/fs/cgroup/memory ${v1Options} shared:16 - cgroup cgroup rw,memory
40 32 0:35 / /sys/fs/cgroup/pids ${v1Options} shared:17 - cgroup cgroup rw,pids
41 32 0:36 / /sys/fs/cgroup/freezer ${v1Options} shared:18 - cgroup cgroup rw,freezer
42 32 0:37 / /sys/fs/cgroup/net_cls,net_prio ${v1Options} shared:19 - cgroup cgroup rw,net_cls,net_prio
`,
  cgroup: `11:net_cls,net_prio:/
10:freezer:/
9:pids:/user.slice/user-1000.slice/session-1.scope
8:memory:/user.slice/user-1000.slice/session-1.scope
6:cpu,cpuacct:/user.slice
1:name=systemd:/user.slice/user-1000.slice/session-1.scope
0::/user.slice/user-1000.slice/session-1.scope
`,
  unifiedControllers: '\n',
};

/** CentOS 7: version 1 alone. */
export const systemdLegacy: LayoutTexts = {
  mountinfo: `17 60 0:16 / /sys rw,nosuid,nodev,noexec,relatime shared:6 - sysfs sysfs rw,seclabel
24 17 0:20 / /sys/fs/cgroup ro,nosuid,nodev,noexec shared:8 - tmpfs tmpfs ro,seclabel,mode=755
25 24 0:21 / /sys/fs/cgroup/systemd ${v1Options} shared:9 - cgroup cgroup rw,seclabel,xattr,name=systemd
27 24 0:23 / /sys/fs/cgroup/cpu,cpuacct ${v1Options} shared:10 - cgroup cgroup rw,seclabel,cpuacct,cpu
28 24 0:24 / /sys/fs/cgroup/memory ${v1Options} shared:11 - cgroup cgroup rw,seclabel,memory
60 1 253:0 / / rw,relatime shared:1 - xfs /dev/mapper/centos-root rw,seclabel
`,
  cgroup: `4:memory:/user.slice
3:cpuacct,cpu:/user.slice
1:name=systemd:/user.slice/user-0.slice/session-1.scope
`,
};

/** A small virtual machine: every controller of version 1 mounted for itself, and a cgroup2 with what was left over. */
export const separateHybrid: LayoutTexts = {
  mountinfo: `23 1 254:0 / / rw,relatime - ext4 /dev/root rw
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`,
  cgroup: '8:pids:/\n4:memory:/agent/4f2a\n2:cpuacct:/\n1:cpu:/\n0::/\n',
  unifiedControllers: 'hugetlb\n',
};

/** A docker container on version 2: its own cgroup namespace, mounted read-only. */
export const dockerUnified: LayoutTexts = {
  mountinfo: `612 511 0:54 / / rw,relatime master:230 - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A:/var/lib/docker/overlay2/l/B
615 612 0:58 / /sys ro,nosuid,nodev,noexec,relatime - sysfs sysfs ro
616 615 0:29 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw,nsdelegate,memory_recursiveprot
`,
  cgroup: '0::/\n',
  unifiedControllers: 'cpuset cpu io memory hugetlb pids rdma misc\n',
};

/** A docker container on version 1 without a cgroup namespace: the mounts show the container's groups only. */
export const dockerLegacy: LayoutTexts = {
  mountinfo: `733 650 0:64 / / rw,relatime master:291 - overlay overlay rw,lowerdir=/l/A
737 733 0:67 / /sys ro,nosuid,nodev,noexec,relatime - sysfs sysfs ro
738 737 0:68 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,mode=755
739 738 0:29 /docker/5d1c /sys/fs/cgroup/systemd ro,nosuid,nodev,noexec,relatime master:11 - cgroup cgroup rw,xattr,name=systemd
741 738 0:33 /docker/5d1c /sys/fs/cgroup/cpu,cpuacct ro,nosuid,nodev,noexec,relatime master:15 - cgroup cgroup rw,cpu,cpuacct
742 738 0:35 /docker/5d1c /sys/fs/cgroup/pids ro,nosuid,nodev,noexec,relatime master:17 - cgroup cgroup rw,pids
`,
  cgroup: '9:pids:/docker/5d1c\n6:cpu,cpuacct:/docker/5d1c\n1:name=systemd:/docker/5d1c\n0::/system.slice/containerd.service\n',
};

/** WSL 2 before it had systemd. */
export const wsl: LayoutTexts = {
  mountinfo: `57 49 8:32 / / rw,relatime - ext4 /dev/sdc rw,discard,errors=remount-ro,data=ordered
67 57 0:27 / /sys rw,nosuid,nodev,noexec,noatime - sysfs sysfs rw
73 67 0:30 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,mode=755
74 73 0:31 / /sys/fs/cgroup/unified ${v1Options} - cgroup2 cgroup2 rw,nsdelegate
75 73 0:32 / /sys/fs/cgroup/cpuset ${v1Options} - cgroup cgroup rw,cpuset
76 73 0:33 / /sys/fs/cgroup/cpu ${v1Options} - cgroup cgroup rw,cpu
79 73 0:36 / /sys/fs/cgroup/memory ${v1Options} - cgroup cgroup rw,memory
85 73 0:42 / /sys/fs/cgroup/pids ${v1Options} - cgroup cgroup rw,pids
`,
  cgroup: '12:pids:/\n6:memory:/\n3:cpu:/\n2:cpuset:/\n0::/\n',
  unifiedControllers: '\n',
};

/** A sandbox that mounts none: gVisor, a chroot, an init without them. */
export const none: LayoutTexts = {
  mountinfo: '20 1 8:1 / / rw - ext4 /dev/sda1 rw\n21 20 0:5 / /proc rw - proc proc rw\n',
  cgroup: '0::/\n',
};
