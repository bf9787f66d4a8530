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

/** Debian 12 with systemd 252, in a session over ssh. */
export const debian12: LayoutTexts = {
  mountinfo: `22 27 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
23 27 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc rw
24 27 0:5 / /dev rw,nosuid,relatime shared:2 - devtmpfs udev rw,size=1977712k,nr_inodes=494428,mode=755,inode64
25 24 0:22 / /dev/pts rw,nosuid,noexec,relatime shared:3 - devpts devpts rw,gid=5,mode=620,ptmxmode=000
26 27 0:23 / /run rw,nosuid,nodev,noexec,relatime shared:5 - tmpfs tmpfs rw,size=400736k,mode=755,inode64
27 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,discard,errors=remount-ro
28 22 0:6 / /sys/kernel/security rw,nosuid,nodev,noexec,relatime shared:8 - securityfs securityfs rw
31 22 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
32 22 0:27 / /sys/fs/pstore rw,nosuid,nodev,noexec,relatime shared:10 - pstore pstore rw
34 22 0:29 / /sys/fs/bpf rw,nosuid,nodev,noexec,relatime shared:12 - bpf bpf rw,mode=700
`,
  cgroup: '0::/user.slice/user-1000.slice/session-12.scope\n',
  unifiedControllers: 'cpuset cpu io memory hugetlb pids rdma misc\n',
};

/** Ubuntu 24.04, a terminal of the desktop: below the user's own systemd, to which the group is delegated. */
export const ubuntu2404: LayoutTexts = {
  mountinfo: `24 31 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
31 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw
35 24 0:30 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
123 31 7:3 / /snap/core22/1380 ro,nodev,relatime shared:72 - squashfs /dev/loop3 ro,errors=continue,threads=single
`,
  cgroup: '0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.gnome.Terminal.slice/vte-spawn-5b9d1f6c-8a3e.scope\n',
  unifiedControllers: 'cpuset cpu io memory hugetlb pids rdma misc dmem\n',
};

/** Fedora: SELinux among the options, a root of btrfs. */
export const fedora: LayoutTexts = {
  mountinfo: `24 65 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:3 - sysfs sysfs rw,seclabel
31 24 0:28 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:5 - cgroup2 cgroup2 rw,seclabel,nsdelegate,memory_recursiveprot
33 24 0:30 / /sys/fs/selinux rw,nosuid,noexec,relatime shared:7 - selinuxfs selinuxfs rw
65 1 0:34 /root / rw,relatime shared:1 - btrfs /dev/nvme0n1p3 rw,seclabel,compress=zstd:1,ssd,space_cache=v2,subvolid=257,subvol=/root
`,
  cgroup: '0::/system.slice/sshd.service\n',
  unifiedControllers: 'cpuset cpu io memory hugetlb pids rdma misc\n',
};

/** Alpine with OpenRC as it was until 3.19: all of version 1, each for itself, one of OpenRC's own, and a cgroup2 with nothing left for it. */
export const alpineHybrid: LayoutTexts = {
  mountinfo: `19 1 253:2 / / rw,relatime - ext4 /dev/vda2 rw
20 19 0:18 / /sys rw,nosuid,nodev,noexec,relatime - sysfs sysfs rw
27 20 0:22 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - tmpfs cgroup_root rw,size=10240k,mode=755
28 27 0:23 / /sys/fs/cgroup/openrc ${v1Options} - cgroup openrc rw,release_agent=/lib/rc/sh/cgroup-release-agent.sh,name=openrc
29 27 0:24 / /sys/fs/cgroup/unified ${v1Options} - cgroup2 none rw,nsdelegate
30 27 0:25 / /sys/fs/cgroup/cpuset ${v1Options} - cgroup cpuset rw,cpuset
31 27 0:26 / /sys/fs/cgroup/cpu ${v1Options} - cgroup cpu rw,cpu
32 27 0:27 / /sys/fs/cgroup/cpuacct ${v1Options} - cgroup cpuacct rw,cpuacct
33 27 0:28 / /sys/fs/cgroup/blkio ${v1Options} - cgroup blkio rw,blkio
34 27 0:29 / /sys/fs/cgroup/memory ${v1Options} - cgroup memory rw,memory
35 27 0:30 / /sys/fs/cgroup/devices ${v1Options} - cgroup devices rw,devices
36 27 0:31 / /sys/fs/cgroup/freezer ${v1Options} - cgroup freezer rw,freezer
37 27 0:32 / /sys/fs/cgroup/pids ${v1Options} - cgroup pids rw,pids
`,
  cgroup: '9:pids:/\n8:freezer:/\n7:devices:/\n6:memory:/\n5:blkio:/\n4:cpuacct:/\n3:cpu:/\n2:cpuset:/\n1:name=openrc:/sshd\n0::/openrc.sshd\n',
  unifiedControllers: '\n',
};

/** Alpine with OpenRC since then: version 2 alone. */
export const alpineUnified: LayoutTexts = {
  mountinfo: `19 1 253:2 / / rw,relatime - ext4 /dev/vda2 rw
20 19 0:18 / /sys rw,nosuid,nodev,noexec,relatime - sysfs sysfs rw
27 20 0:22 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - cgroup2 none rw,nsdelegate
`,
  cgroup: '0::/openrc.sshd\n',
  unifiedControllers: 'cpuset cpu io memory hugetlb pids rdma misc\n',
};

/** docker run --privileged on version 2: the same as without, but writable. */
export const dockerPrivileged: LayoutTexts = {
  ...dockerUnified,
  mountinfo: dockerUnified.mountinfo.replace('/sys/fs/cgroup ro,', '/sys/fs/cgroup rw,').replace('/sys ro,', '/sys rw,'),
};

/** docker run --cgroupns host on version 2: the path is the host's, and so is what the mount shows. */
export const dockerHostNamespace: LayoutTexts = { ...dockerUnified, cgroup: '0::/system.slice/docker-5d1c8b7e.scope\n' };

/** docker on version 1 with --cgroupns private: what is at the top of each mount is `/` to the container. */
export const dockerLegacyPrivate: LayoutTexts = {
  mountinfo: dockerLegacy.mountinfo.replaceAll('/docker/5d1c /sys/fs', '/ /sys/fs'),
  cgroup: dockerLegacy.cgroup.replaceAll('/docker/5d1c', '/').replace('0::/system.slice/containerd.service', '0::/../../system.slice/containerd.service'),
};

/** podman as an ordinary user on version 2, with a cgroup namespace: read-only, and mounted by a user namespace. */
export const podmanRootless: LayoutTexts = {
  mountinfo: `1021 907 0:80 / / rw,nodev,relatime - overlay overlay rw,context="system_u:object_r:container_file_t:s0:c1,c2",lowerdir=/home/u/.local/share/containers/storage/overlay/l/A,userxattr
1024 1021 0:83 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
1026 1021 0:84 / /sys ro,nosuid,nodev,noexec,relatime - sysfs sysfs rw,seclabel
1030 1026 0:28 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw,seclabel,nsdelegate,memory_recursiveprot
`,
  cgroup: '0::/\n',
  unifiedControllers: 'cpu memory pids\n',
};

/** A pod of Kubernetes by containerd on version 2. */
export const kubernetesUnified: LayoutTexts = {
  mountinfo: `1893 1741 0:412 / / rw,relatime master:501 - overlay overlay rw,lowerdir=/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/78/fs
1897 1893 0:415 / /sys ro,nosuid,nodev,noexec,relatime - sysfs sysfs ro
1898 1897 0:28 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw
1905 1893 259:1 /var/lib/kubelet/pods/1f2a/etc-hosts /etc/hosts rw,noatime - ext4 /dev/nvme0n1p1 rw
`,
  cgroup: '0::/\n',
  unifiedControllers: 'cpuset cpu io memory hugetlb pids rdma misc\n',
};

/** A pod of Kubernetes on version 1: the paths are the host's, and the mounts show the container's groups only. */
export const kubernetesLegacy: LayoutTexts = {
  mountinfo: `1893 1741 0:412 / / rw,relatime master:501 - overlay overlay rw,lowerdir=/l/A
1897 1893 0:415 / /sys ro,nosuid,nodev,noexec,relatime - sysfs sysfs ro
1898 1897 0:416 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,mode=755
1899 1898 0:27 /kubepods/burstable/pod1f2a/9b3c /sys/fs/cgroup/systemd ro,nosuid,nodev,noexec,relatime master:9 - cgroup cgroup rw,xattr,name=systemd
1900 1898 0:31 /kubepods/burstable/pod1f2a/9b3c /sys/fs/cgroup/cpu,cpuacct ro,nosuid,nodev,noexec,relatime master:14 - cgroup cgroup rw,cpu,cpuacct
1901 1898 0:33 /kubepods/burstable/pod1f2a/9b3c /sys/fs/cgroup/memory ro,nosuid,nodev,noexec,relatime master:16 - cgroup cgroup rw,memory
1902 1898 0:34 /kubepods/burstable/pod1f2a/9b3c /sys/fs/cgroup/pids ro,nosuid,nodev,noexec,relatime master:17 - cgroup cgroup rw,pids
`,
  cgroup:
    '8:memory:/kubepods/burstable/pod1f2a/9b3c\n5:pids:/kubepods/burstable/pod1f2a/9b3c\n3:cpu,cpuacct:/kubepods/burstable/pod1f2a/9b3c\n1:name=systemd:/kubepods/burstable/pod1f2a/9b3c\n',
};

/** WSL 2 with systemd, as it is now: version 2, and a drive of Windows with a backslash for a name. */
export const wslSystemd: LayoutTexts = {
  mountinfo: `75 67 8:32 / / rw,relatime shared:1 - ext4 /dev/sdc rw,discard,errors=remount-ro,data=ordered
93 75 0:24 / /sys rw,nosuid,nodev,noexec,noatime shared:13 - sysfs sysfs rw
101 93 0:29 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:14 - cgroup2 cgroup2 rw,nsdelegate
141 75 0:47 / /mnt/c rw,noatime shared:29 - 9p C:\\134 rw,aname=drvfs;path=C:\\;uid=1000;gid=1000;symlinkroot=/mnt/,mmap,access=client,msize=65536,trans=fd,rfd=5,wfd=5
`,
  cgroup: '0::/init.scope\n',
  unifiedControllers: 'cpuset cpu io memory hugetlb pids rdma misc\n',
};

/** An unprivileged container of LXC on version 2: its group is its own to divide. */
export const lxc: LayoutTexts = {
  mountinfo: `480 410 0:52 / / rw,relatime - zfs pool/web rw,xattr,posixacl
482 480 0:60 / /sys rw,relatime - sysfs sysfs rw
495 482 0:28 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - cgroup2 none rw,nsdelegate,memory_recursiveprot
`,
  cgroup: '0::/init.scope\n',
  unifiedControllers: 'cpuset cpu io memory hugetlb pids rdma misc\n',
};
