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
        if (first !== undefined) report.error(`linux.devices[${index}].path`, path, `a path that is free: linux.devices[${first}] has it`);
        paths.set(path, index);
      }
    },
  },
  {
    about: ['linux.netDevices'],
    check(config, report) {
      const names = new Map<string, string>();
      for (const [key, { name = '' }] of Object.entries(config.linux?.netDevices ?? {})) {
        const inside = name === '' ? key : name;
        const other = names.get(inside);
        if (other !== undefined && !inside.includes('%d'))
          report.error(`linux.netDevices[${JSON.stringify(key)}].name`, inside, `a name that ${other} does not get`);
        names.set(inside, key);
      }
    },
  },
];
