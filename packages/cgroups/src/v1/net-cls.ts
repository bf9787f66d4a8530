import type { Limits } from '../limits.js';
import type { Setting } from '../setting.js';

/** `net_cls.classid`. @see Documentation/admin-guide/cgroup-v1/net_cls.rst of the kernel */
export function netCls({ networkClassId }: Limits): Setting[] {
  return networkClassId === undefined ? [] : [{ file: 'net_cls.classid', value: String(networkClassId) }];
}
