import type { Option } from './args.js';

/** Options that stand before the command. */
export const globalOptions: readonly Option[] = [
  { names: ['root'], metavar: 'DIR', help: 'where the states of containers are kept (default /run/ctr-oci, or $XDG_RUNTIME_DIR/ctr-oci)' },
  { names: ['log'], metavar: 'FILE', help: 'write errors and warnings to a file as well, which is made if need be' },
  { names: ['log-format'], metavar: 'FORMAT', help: 'text or json' },
  { names: ['debug'], help: 'log what is done, to stderr without --log; with the error of a step, print the whole plan, too' },
  { names: ['systemd-cgroup'], help: 'have systemd make the cgroups' },
  { names: ['cgroup-manager'], metavar: 'NAME', help: 'cgroupfs, systemd or disabled' },
  { names: ['rootless'], metavar: 'WHEN', help: 'true, false or auto; accepted, and always found out' },
  { names: ['criu'], metavar: 'PATH', help: 'accepted, and of no effect' },
  { names: ['version', 'v'], help: 'print the version' },
  { names: ['help', 'h'], help: 'print what there is' },
];

const bundle: Option = { names: ['bundle', 'b'], metavar: 'DIR', help: 'the directory with config.json (default the working directory)' };
const consoleSocket: Option = { names: ['console-socket'], metavar: 'PATH', help: 'the socket that gets the master of the terminal' };
const pidFile: Option = { names: ['pid-file'], metavar: 'FILE', help: 'write the pid to a file' };
const preserveFds: Option = { names: ['preserve-fds'], metavar: 'N', help: 'the program has N files of the caller from fd 3 on' };
const format: Option = { names: ['format', 'f'], metavar: 'FORMAT', help: 'table or json' };

const creating: readonly Option[] = [
  bundle,
  consoleSocket,
  { names: ['pidfd-socket'], metavar: 'PATH', help: 'the socket that gets a pidfd of the first process' },
  pidFile,
  { names: ['no-pivot'], help: 'change the root without pivot_root, on a ramdisk' },
  { names: ['no-new-keyring'], help: "the program has the caller's session keyring" },
  preserveFds,
];

/** A command, as the parser and the help know it. */
export interface Command {
  readonly summary: string;
  readonly usage: string;
  readonly options: readonly Option[];
  /** Whether the words behind the id are those of another program, with its options. */
  readonly endsAtId?: true;
}

/** All of them, in the order of the help. */
export const commands: Readonly<Record<string, Command>> = {
  create: { summary: 'create a container, which waits to be started', usage: 'create [OPTIONS] ID', options: creating },
  start: { summary: 'start a container that was created', usage: 'start ID', options: [] },
  run: {
    summary: 'create a container and start it',
    usage: 'run [OPTIONS] ID',
    options: [
      ...creating,
      { names: ['detach', 'd'], help: 'do not wait for its end' },
      { names: ['keep'], help: 'do not delete it at its end' },
      { names: ['no-subreaper'], help: 'accepted, and of no effect' },
    ],
  },
  state: { summary: 'print the state of a container', usage: 'state ID', options: [] },
  kill: {
    summary: 'send a signal to a container (default TERM)',
    usage: 'kill [OPTIONS] ID [SIGNAL]',
    options: [{ names: ['all', 'a'], help: 'to all of its processes' }],
  },
  delete: { summary: 'remove what is left of a container', usage: 'delete [OPTIONS] ID', options: [{ names: ['force', 'f'], help: 'also of one that runs' }] },
  exec: {
    summary: 'start a further process in a container',
    usage: 'exec [OPTIONS] ID COMMAND [ARGUMENTS]',
    endsAtId: true,
    options: [
      { names: ['process', 'p'], metavar: 'FILE', help: 'a file with the process, as in config.json' },
      consoleSocket,
      { names: ['pidfd-socket'], metavar: 'PATH', help: 'the socket that gets a pidfd of the process' },
      pidFile,
      { names: ['detach', 'd'], help: 'do not wait for its end' },
      { names: ['tty', 't'], help: 'with a terminal' },
      { names: ['cwd'], metavar: 'PATH', help: 'the directory to start in' },
      { names: ['env', 'e'], metavar: 'NAME=VALUE', repeatable: true, help: 'add to the environment' },
      { names: ['user', 'u'], metavar: 'UID[:GID]', help: 'who to be' },
      { names: ['additional-gids', 'g'], metavar: 'GID', repeatable: true, help: 'further groups' },
      { names: ['cap', 'c'], metavar: 'NAME', repeatable: true, help: 'a further capability' },
      { names: ['no-new-privs'], help: 'no program brings rights with it' },
      { names: ['apparmor'], metavar: 'PROFILE', help: 'the AppArmor profile' },
      { names: ['process-label'], metavar: 'LABEL', help: 'the SELinux label' },
      preserveFds,
      {
        names: ['cgroup'],
        metavar: '[CONTROLLERS:]PATH',
        repeatable: true,
        help: 'a cgroup below that of the container; on v1 also for some controllers alone',
      },
      { names: ['ignore-paused'], help: 'also in a container that is paused' },
    ],
  },
  ps: { summary: 'print the processes of a container', usage: 'ps [OPTIONS] ID [PS OPTIONS]', endsAtId: true, options: [format] },
  list: { summary: 'print all containers', usage: 'list [OPTIONS]', options: [format, { names: ['quiet', 'q'], help: 'their ids alone' }] },
  pause: { summary: 'stop all processes of a container where they are', usage: 'pause ID', options: [] },
  resume: { summary: 'let them go on', usage: 'resume ID', options: [] },
  update: {
    summary: 'change the limits of a container',
    usage: 'update [OPTIONS] ID',
    options: [
      { names: ['resources', 'r'], metavar: 'FILE', help: 'a file with linux.resources as JSON, or - for stdin' },
      { names: ['blkio-weight'], metavar: 'N', help: '10 to 1000' },
      { names: ['cpu-period'], metavar: 'MICROSECONDS', help: 'the period of the quota' },
      { names: ['cpu-quota'], metavar: 'MICROSECONDS', help: 'the time in each period' },
      { names: ['cpu-burst'], metavar: 'MICROSECONDS', help: 'what may be added to it' },
      { names: ['cpu-share'], metavar: 'N', help: 'the share: 2 to 262144' },
      { names: ['cpu-rt-period'], metavar: 'MICROSECONDS', help: 'the period of realtime processes' },
      { names: ['cpu-rt-runtime'], metavar: 'MICROSECONDS', help: 'their time in it' },
      { names: ['cpu-idle'], metavar: '0|1', help: 'run only where nothing else wants to' },
      { names: ['cpuset-cpus'], metavar: 'LIST', help: 'the processors' },
      { names: ['cpuset-mems'], metavar: 'LIST', help: 'the memory nodes' },
      { names: ['memory'], metavar: 'BYTES', help: 'memory; k, m and g are units' },
      { names: ['memory-reservation'], metavar: 'BYTES', help: 'what is left to it' },
      { names: ['memory-swap'], metavar: 'BYTES', help: 'memory and swap together' },
      { names: ['kernel-memory'], metavar: 'BYTES', help: 'accepted, and of no effect' },
      { names: ['kernel-memory-tcp'], metavar: 'BYTES', help: 'accepted, and of no effect' },
      { names: ['pids-limit'], metavar: 'N', help: 'processes' },
    ],
  },
  events: {
    summary: 'print what a container uses, again and again',
    usage: 'events [OPTIONS] ID',
    options: [
      { names: ['interval'], metavar: 'DURATION', help: 'how often: 5s, 500ms, 1m (default 5s)' },
      { names: ['stats'], help: 'once' },
    ],
  },
  spec: {
    summary: 'write a config.json to begin with',
    usage: 'spec [OPTIONS]',
    options: [bundle, { names: ['rootless'], help: 'for an ordinary user' }],
  },
  features: { summary: 'print what this runtime knows, as JSON', usage: 'features', options: [] },
  checkpoint: { summary: 'not there: it takes CRIU', usage: 'checkpoint', options: [] },
  restore: { summary: 'not there: it takes CRIU', usage: 'restore', options: [] },
};
