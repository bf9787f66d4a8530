import type { Limits } from '../limits.js';
import type { Setting } from '../setting.js';

const absent = 'this kernel has no huge pages of that size: those of /sys/kernel/mm/hugepages are there';

/** `hugetlb.SIZE.max` and `hugetlb.SIZE.rsvd.max`. @see Documentation/admin-guide/cgroup-v2.rst of the kernel, HugeTLB Interface Files */
export function hugetlb({ hugepages = {} }: Limits): Setting[] {
  return Object.entries(hugepages).flatMap(([size, limit]): Setting[] => [
    { file: `hugetlb.${size}.max`, value: String(limit), absent },
    { file: `hugetlb.${size}.rsvd.max`, value: String(limit), absent },
  ]);
}
