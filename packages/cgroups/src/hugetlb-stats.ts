import { keyed, limitOf, number, type Source } from './counter.js';
import type { HugetlbStatistics } from './statistics.js';

/** `hugetlb.2MB.usage_in_bytes` and its like of v1. @see Documentation/admin-guide/cgroup-v1/hugetlb.rst of the kernel */
export function hugetlbStatistics1({ read, files }: Source): HugetlbStatistics[] {
  return pageSizes(files, 'usage_in_bytes').map((pageSize) => ({
    pageSize,
    currentBytes: number(read(`hugetlb.${pageSize}.usage_in_bytes`)),
    peakBytes: number(read(`hugetlb.${pageSize}.max_usage_in_bytes`)),
    limitBytes: limitOf(read(`hugetlb.${pageSize}.limit_in_bytes`)),
    limitHits: number(read(`hugetlb.${pageSize}.failcnt`)),
  }));
}

/** `hugetlb.2MB.current` and its like of v2. @see Documentation/admin-guide/cgroup-v2.rst of the kernel, HugeTLB Interface Files */
export function hugetlbStatistics2({ read, files }: Source): HugetlbStatistics[] {
  return pageSizes(files, 'current').map((pageSize) => ({
    pageSize,
    currentBytes: number(read(`hugetlb.${pageSize}.current`)),
    peakBytes: undefined,
    limitBytes: limitOf(read(`hugetlb.${pageSize}.max`)),
    limitHits: keyed(read(`hugetlb.${pageSize}.events`), 'max'),
  }));
}

/** The sizes stand in the names of the files. Those of reservations (`hugetlb.2MB.rsvd.current`) are others. */
function pageSizes(files: readonly string[], last: string): string[] {
  return files.flatMap((file) => {
    const [controller, pageSize, what, ...more] = file.split('.');
    return controller === 'hugetlb' && pageSize !== undefined && what === last && more.length === 0 ? [pageSize] : [];
  });
}
