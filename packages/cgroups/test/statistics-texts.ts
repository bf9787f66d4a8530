// What the control files of a group say on version 1 and on version 2: the formats of the kernel's documentation, with numbers of no real group.

type Texts = Readonly<Record<string, string>>;

/** Of one group: a directory in each hierarchy. */
export const version1: Readonly<Record<string, Texts>> = {
  'cpu,cpuacct': {
    'cgroup.procs': '4711\n',
    'cpu.stat': 'nr_periods 120\nnr_throttled 40\nthrottled_time 2500000500\nnr_bursts 3\nburst_time 7000\n',
    'cpuacct.usage': '18446744073709551615\n',
    'cpuacct.usage_user': '5000000000\n',
    'cpuacct.usage_sys': '1500499\n',
  },
  memory: {
    'memory.usage_in_bytes': '50331648\n',
    'memory.max_usage_in_bytes': '67108864\n',
    'memory.limit_in_bytes': '67108864\n',
    'memory.memsw.limit_in_bytes': '100663296\n',
    'memory.failcnt': '17\n',
    'memory.kmem.usage_in_bytes': '1048576\n',
    'memory.kmem.tcp.usage_in_bytes': '4096\n',
    'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
    'memory.stat':
      'cache 1\nrss 2\nshmem 3\nswap 4\npgfault 5\npgmajfault 6\ninactive_file 7\nhierarchical_memory_limit 67108864\n' +
      'total_cache 20971520\ntotal_rss 29360128\ntotal_shmem 8192\ntotal_swap 12288\ntotal_pgfault 9000\ntotal_pgmajfault 11\ntotal_inactive_file 16777216\n',
  },
  pids: { 'pids.current': '3\n', 'pids.max': 'max\n', 'pids.peak': '12\n', 'pids.events': 'max 5\n' },
  blkio: {
    'blkio.throttle.io_service_bytes': 'Total 0\n',
    'blkio.throttle.io_service_bytes_recursive':
      '8:0 Read 4096\n8:0 Write 8192\n8:0 Sync 12288\n8:0 Async 0\n8:0 Discard 512\n8:0 Total 12800\n253:1 Read 1\nTotal 12801\n',
    'blkio.throttle.io_serviced_recursive': '8:0 Read 1\n8:0 Write 2\n8:0 Discard 3\n8:0 Total 6\nTotal 6\n',
  },
  cpuset: { 'cpuset.effective_cpus': '0-2,7\n', 'cpuset.effective_mems': '0\n' },
  hugetlb: {
    'hugetlb.2MB.usage_in_bytes': '4194304\n',
    'hugetlb.2MB.max_usage_in_bytes': '6291456\n',
    'hugetlb.2MB.limit_in_bytes': '9223372036854771712\n',
    'hugetlb.2MB.failcnt': '1\n',
    'hugetlb.2MB.rsvd.usage_in_bytes': '0\n',
  },
};

/** Of one group: its only directory. */
export const version2: Texts = {
  'cgroup.controllers': 'cpuset cpu io memory hugetlb pids rdma misc\n',
  'cpu.stat':
    'usage_usec 6123456\nuser_usec 5000000\nsystem_usec 1123456\nnice_usec 0\ncore_sched.force_idle_usec 0\nnr_periods 120\nnr_throttled 40\nthrottled_usec 2500000\nnr_bursts 3\nburst_usec 7\n',
  'memory.current': '50331648\n',
  'memory.peak': '67108864\n',
  'memory.max': '67108864\n',
  'memory.swap.current': '12288\n',
  'memory.swap.peak': '16384\n',
  'memory.swap.max': 'max\n',
  'memory.events': 'low 1\nhigh 2\nmax 17\noom 3\noom_kill 4\noom_group_kill 1\nsock_throttled 0\n',
  'memory.stat':
    'anon 29360128\nfile 20971520\nkernel 1048576\nkernel_stack 16384\nsock 4096\nshmem 8192\ninactive_file 16777216\nactive_file 4194304\nslab_reclaimable 1\nslab 65536\npgfault 9000\npgmajfault 11\n',
  'pids.current': '3\n',
  'pids.max': '20\n',
  'pids.peak': '12\n',
  'pids.events': 'max 5\n',
  'io.stat': '8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=512 dios=3\n8:16 \n253:1 rbytes=1 wbytes=0 rios=1 wios=0 dbytes=0 dios=0 cost.usage=12\n',
  'cpuset.cpus.effective': '0-2,7\n',
  'cpuset.mems.effective': '0\n',
  'hugetlb.2MB.current': '4194304\n',
  'hugetlb.2MB.max': 'max\n',
  'hugetlb.2MB.events': 'max 1\n',
  'hugetlb.2MB.rsvd.current': '0\n',
  'hugetlb.1GB.current': '0\n',
  'hugetlb.1GB.max': '1073741824\n',
  'hugetlb.1GB.events': 'max 0\n',
  'rdma.current': 'mlx4_0 hca_handle=2 hca_object=2000\nocrdma1 hca_handle=3 hca_object=max\n',
  'rdma.max': 'mlx4_0 hca_handle=5 hca_object=max\n',
  'misc.current': 'res_a 3\nres_b 0\n',
  'misc.max': 'res_a max\nres_b 4\n',
  'misc.events': 'res_a.max 0\nres_b.max 7\n',
  'cpu.pressure': 'some avg10=1.53 avg60=0.87 avg300=100.00 total=8034900893\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n',
  'memory.pressure': 'some avg10=0.00 avg60=0.00 avg300=0.00 total=12\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n',
  'io.pressure': '',
  'irq.pressure': 'full avg10=0.25 avg60=0.00 avg300=0.00 total=99\n',
};
