/**
 * Files in which each device, interface or resource has a line of its own, and is written alone: what it is, by its key, where it has no line.
 */
const keyed: Readonly<Record<string, (key: string) => string>> = {
  'io.max': (key) => `${key} rbps=max wbps=max riops=max wiops=max`,
  'io.latency': (key) => `${key} target=0`,
  'io.weight': (key) => `${key} default`,
  'io.bfq.weight': (key) => `${key} default`,
  'rdma.max': (key) => `${key} hca_handle=max hca_object=max`,
  'misc.max': (key) => `${key} max`,
  'net_prio.ifpriomap': (key) => `${key} 0`,
  'blkio.bfq.weight_device': (key) => `${key} default`,
  'blkio.throttle.read_bps_device': (key) => `${key} 0`,
  'blkio.throttle.write_bps_device': (key) => `${key} 0`,
  'blkio.throttle.read_iops_device': (key) => `${key} 0`,
  'blkio.throttle.write_iops_device': (key) => `${key} 0`,
};

/**
 * What brings a file back to what it said.
 *
 * @param text what the file said
 * @param value what is, or was, written to it
 */
export function restoring(file: string, text: string, value: string): string {
  const unset = keyed[file];
  const lines = text.split('\n').map((line) => line.trim());
  if (unset) {
    // A weight without a disk is the one of all others.
    const key = value.includes(' ') ? value.slice(0, value.indexOf(' ')) : 'default';
    return lines.find((line) => line.startsWith(`${key} `)) ?? (key === 'default' ? text.trim() : unset(key));
  }
  if (file === 'memory.oom_control') return lines.find((line) => line.startsWith('oom_kill_disable '))?.slice(-1) ?? '0';
  // Writing no bytes at all is no write; an empty line is an empty list.
  return text.trim() || '\n';
}
