import { posix } from 'node:path';

import { parseMountOptions } from '../mount-options.js';
import { namespaceOf, type Rule } from './rule.js';

/** Below /proc nothing is mounted but what lxcfs puts there: whoever mounts elsewhere could hide what the confinement of the program is set by. */
const belowProc = new Set(
  'cpuinfo diskstats meminfo stat swaps uptime loadavg slabinfo sys/kernel/ns_last_pid sys/crypto/fips_enabled'.split(' ').map((name) => `/proc/${name}`),
);

export const mountRules: readonly Rule[] = [
  {
    about: ['mounts'],
    check({ mounts = [] }, report) {
      const seen = new Map<string, number>();
      for (const [index, { destination, type, options = [] }] of mounts.entries()) {
        const at = `mounts[${index}].destination`;
        const place = posix.join('/', destination).replace(/(?<=.)\/$/, '');
        const { bind, remount } = parseMountOptions(options);
        if (place === '/') report.error(at, destination, 'a path other than /, which root.path is mounted at');
        else if (place.startsWith('/proc/') && !belowProc.has(place))
          report.error(at, destination, `a path outside of /proc, or one of ${[...belowProc].join(', ')}`);
        else if (place === '/proc' && type !== 'proc' && bind === undefined) report.error(at, destination, 'a path other than /proc, unless it is a proc');
        const first = seen.get(place);
        if (first !== undefined && !remount) report.warning(at, destination, `a path that is free: this mount hides mounts[${first}]`);
        seen.set(place, index);
      }
    },
  },
  {
    about: ['mounts', 'linux.namespaces'],
    check(config, report) {
      if (namespaceOf(config, 'user')) return;
      for (const [index, { options = [], uidMappings = [] }] of (config.mounts ?? []).entries())
        if (uidMappings.length === 0 && parseMountOptions(options).idmap !== undefined)
          report.error(`mounts[${index}].uidMappings`, undefined, 'mappings of its own, as there is no user namespace to take them from');
    },
  },
];
