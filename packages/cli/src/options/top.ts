import type { Option } from '../args.js';
import { ValueError } from '../usage-error.js';
import { parseDuration } from './duration.js';
import { jsonOption } from './output.js';

/** How often `ctr top` looks, and what it prints. */
export const topOptions: readonly Option[] = [
  {
    name: 'interval',
    short: 'd',
    metavar: 'TIME',
    group: 'Output',
    help: 'How long between two looks (default: 1s), 100ms or more',
    set: (settings, value) => {
      const intervalMs = parseDuration(value);
      if (intervalMs < 100) throw new ValueError('100ms or more');
      settings.intervalMs = intervalMs;
    },
  },
  {
    name: 'looks',
    short: 'n',
    metavar: 'N',
    group: 'Output',
    help: 'Ends after so many',
    set: (settings, value) => {
      if (!/^[1-9]\d{0,8}$/.test(value)) throw new ValueError('a whole number, 1 or more');
      settings.looks = Number(value);
    },
  },
  {
    name: 'once',
    group: 'Output',
    help: 'Prints one table and ends, as it does where stdout is no terminal',
    set: (settings) => {
      settings.once = true;
    },
  },
  { ...jsonOption, group: 'Output', help: 'A line of JSON for each container at each look, until it is ended' },
];
