import type { Option } from '../args.js';
import { startDebugging } from '../debug.js';
import { ValueError } from '../usage-error.js';

export const passThroughOption: Option = {
  name: 'pass-through',
  short: 'T',
  group: 'Input and output',
  help: "Hands the caller's own files over, and no terminal: the program may change their mode, owner, offset and content",
  set: (settings) => {
    settings.passThrough = true;
  },
};

/** Where the program's input comes from, and where output goes. */
export const streamOptions: readonly Option[] = [
  passThroughOption,
  {
    name: 'tty',
    short: 't',
    group: 'Input and output',
    help: 'A terminal of its own also where the caller has none',
    set: (settings) => {
      settings.terminal = true;
    },
  },
  {
    name: 'interactive',
    short: 'i',
    group: 'Input and output',
    help: 'Stdin reaches the program, as it always does: taken out of habit',
    set: () => undefined,
  },
  {
    name: 'rm',
    group: 'Input and output',
    help: 'Nothing of the container stays after its end, as nothing ever does: taken out of habit',
    set: () => undefined,
  },
  {
    name: 'stats',
    group: 'Input and output',
    help: 'At the end, a line on stderr of what it used: time, memory, processes',
    set: (settings) => {
      settings.stats = true;
    },
  },
];

export const quietOption: Option = {
  name: 'quiet',
  short: 'q',
  group: 'Input and output',
  help: 'Says nothing but errors',
  set: (settings) => {
    settings.quiet = true;
  },
};

export const debugOption: Option = {
  name: 'debug',
  group: 'Look without running',
  help: 'Shows the whole plan and the stack with an error; CTR_DEBUG=1 does the same',
  set: () => startDebugging(),
};

export const jsonOption: Option = {
  name: 'json',
  group: 'Look without running',
  help: 'As JSON',
  set: (settings) => {
    settings.json = true;
  },
};

/** What would be done. */
export const dryRunOptions: readonly Option[] = [
  {
    name: 'dry-run',
    group: 'Look without running',
    help: 'Prints the plan as strace would, with the purpose of each step, and changes nothing',
    set: (settings) => {
      settings.dryRun = true;
    },
  },
  { ...jsonOption, help: 'With --dry-run or --show-posture: as JSON' },
];

export const postureOption: Option = {
  name: 'show-posture',
  group: 'Look without running',
  help: 'Prints what the plan keeps the program from, and changes nothing',
  set: (settings) => {
    settings.showPosture = true;
  },
};

export const fileOption: Option = {
  name: 'output',
  short: 'o',
  metavar: 'FILE',
  group: 'Output',
  help: 'The executable to write',
  set: (settings, value) => {
    if (value === '') throw new ValueError('the path of a file');
    settings.output = value;
  },
};
