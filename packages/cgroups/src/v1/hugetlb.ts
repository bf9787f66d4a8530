import type { Limits } from '../limits.js';
import type { Setting } from '../setting.js';

const absent = 'this kernel has no huge pages of that size: those of /sys/kernel/mm/hugepages are there';

/** `hugetlb.SIZE.limit_in_bytes` and `hugetlb.SIZE.rsvd.limit_in_bytes`. @see Documentation/admin-guide/cgroup-v1/hugetlb.rst of the kernel */
export function hugetlb({ hugepages = {} }: Limits): Setting[] {
  return Object.entries(hugepages).flatMap(([size, limit]): Setting[] => {
    const value = limit === 'max' ? '-1' : String(limit);
    return [
      { file: `hugetlb.${size}.limit_in_bytes`, value, absent },
      { file: `hugetlb.${size}.rsvd.limit_in_bytes`, value, absent },
    ];
  });
}
