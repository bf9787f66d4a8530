import { member } from '../schema/problem.js';
import type { Rule } from './rule.js';

export const linuxRules: readonly Rule[] = [
  {
    about: ['process'],
    check(config, report) {
      if (config.process === undefined) report.warning('process', undefined, 'a container is created without it, but not started');
    },
  },
  {
    about: ['linux.devices'],
    check(config, report) {
      const paths = new Map<string, number>();
      for (const [index, { path }] of (config.linux?.devices ?? []).entries()) {
        const first = paths.get(path);
        if (first !== undefined)
          report.warning(`linux.devices[${index}].path`, path, `a path that is free: linux.devices[${first}] has it, and this one is of no effect`);
        else paths.set(path, index);
      }
    },
  },
  {
    about: ['linux.netDevices'],
    check(config, report) {
      const at = (key: string): string => member('linux.netDevices', key);
      const names = new Map<string, string>();
      for (const [key, { name = '' }] of Object.entries(config.linux?.netDevices ?? {})) {
        const inside = name === '' ? key : name;
        const other = names.get(inside);
        if (other !== undefined && !inside.includes('%d'))
          report.error(at(key) + (name === '' ? '' : '.name'), inside, `a name that ${at(other)} does not get`);
        names.set(inside, key);
      }
    },
  },
];
