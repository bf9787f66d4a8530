import type { Option } from '../args.js';
import { ValueError } from '../usage-error.js';
import { parseDuration } from './duration.js';
import { readEnvFile, setVariable } from './env.js';

export const bundleOption: Option = {
  name: 'oci',
  metavar: 'BUNDLE',
  group: 'Program',
  help: 'What an OCI bundle says, whatever tool has written it, as ctr-oci runs it: a directory with a config.json',
  set: (settings, value) => {
    if (value === '') throw new ValueError('the path of a directory');
    settings.oci = value;
  },
};

/** How the program runs. */
export const programOptions: readonly Option[] = [
  {
    name: 'env',
    short: 'e',
    metavar: 'K=V',
    group: 'Program',
    repeatable: true,
    help: "A variable of its environment; K alone takes the caller's value",
    set: ({ env }, value) => setVariable(env, value),
  },
  {
    name: 'env-file',
    metavar: 'FILE',
    group: 'Program',
    repeatable: true,
    help: 'Such variables, one a line; # begins a comment line',
    set: ({ fileEnv }, value) => readEnvFile(fileEnv, value),
  },
  {
    name: 'workdir',
    short: 'w',
    metavar: 'DIR',
    group: 'Program',
    help: 'The directory it starts in (default: /)',
    set: (settings, value) => {
      if (!value.startsWith('/')) throw new ValueError('an absolute path of the container');
      settings.workdir = value;
    },
  },
  {
    name: 'user',
    short: 'u',
    metavar: 'UID[:GID]',
    group: 'Program',
    help: "Who it runs as: ids, or names of the container's /etc/passwd and /etc/group (default: root)",
    set: (settings, value) => {
      if (!/^[^:]+(:[^:]+)?$/.test(value)) throw new ValueError('UID, UID:GID, name or name:group');
      settings.user = value;
    },
  },
  {
    name: 'init',
    group: 'Program',
    help: 'A small init as pid 1, which reaps orphans and passes signals on',
    set: (settings) => {
      settings.init = true;
    },
  },
];

/** A name makes a container known to others. */
export const nameOption: Option = {
  name: 'name',
  metavar: 'NAME',
  group: 'Program',
  help: 'A name for the container and its cgroup (default: a number)',
  set: (settings, value) => {
    if (!/^[A-Za-z0-9_+-][A-Za-z0-9_+.-]{0,199}$/.test(value)) throw new ValueError('up to 200 letters, digits and _ + - . of which the first is no dot');
    settings.name = value;
  },
};

/** An end that is sure to come. */
export const timeoutOption: Option = {
  name: 'timeout',
  metavar: 'TIME',
  group: 'Limits',
  help: 'Kills the container after 10s, 500ms, 5m or 2h, and exits with 124',
  set: (settings, value) => {
    settings.timeoutMs = parseDuration(value);
  },
};
