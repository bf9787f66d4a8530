import { limitOf, number, pair, wordsOf, type Source } from './counter.js';
import type { RdmaStatistics } from './statistics.js';

/** `rdma.current` and `rdma.max`: `mlx4_0 hca_handle=2 hca_object=2000`, the same on both versions. @see Documentation/admin-guide/cgroup-v1/rdma.rst of the kernel */
export function rdmaStatistics({ read }: Source): RdmaStatistics[] {
  const current = wordsOf(read('rdma.current'));
  const max = wordsOf(read('rdma.max'));
  return [...new Set([...current.keys(), ...max.keys()])].map((device) => ({
    device,
    hcaHandles: number(pair(current.get(device), 'hca_handle')),
    hcaHandlesMax: limitOf(pair(max.get(device), 'hca_handle')),
    hcaObjects: number(pair(current.get(device), 'hca_object')),
    hcaObjectsMax: limitOf(pair(max.get(device), 'hca_object')),
  }));
}
