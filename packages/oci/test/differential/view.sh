# Says what a process of a container sees: sections, which view.ts takes apart. Few programs, since it is run for every bundle.
s=/proc/$$
section() { echo "== $1"; }
section status; cat $s/status
section limits; cat $s/limits
section mounts; cat $s/mountinfo
section cgroup; cat $s/cgroup
section ns; ls -l $s/ns
section environ; tr '\0' '\n' < $s/environ
section cwd; readlink $s/cwd
section fds; ls -l $s/fd
section stat; cat $s/stat
section files; cd $s; grep -H '' personality oom_score_adj timerslack_ns coredump_filter uid_map gid_map setgroups ../sys/kernel/domainname 2>/dev/null; cd /
section process
echo "ioprio $(ionice -p $$)"
echo "machine $(uname -m)"
echo "hostname $(uname -n)"
echo "network $(ip -o addr 2>&1 | tr -s '\n ' ' ')"
section devices; stat -c '%N %F %t,%T %a %u:%g' /dev /dev/* /dev/pts/ptmx 2>&1
section groups
cd /sys/fs/cgroup 2>/dev/null && for f in memory.limit_in_bytes memory.memsw.limit_in_bytes memory.soft_limit_in_bytes memory.swappiness memory.oom_control memory.max memory.high memory.low \
  memory.swap.max memory.oom.group cpu.shares cpu.cfs_quota_us cpu.cfs_period_us cpu.rt_runtime_us cpu.weight cpu.max cpuset.cpus cpuset.mems pids.max notify_on_release \
  cgroup.clone_children devices.list blkio.weight io.weight io.max cgroup.type cgroup.subtree_control; do echo $f; echo */$f; done | grep -v '[*]' | xargs grep -Hs ''
cd /
section look
