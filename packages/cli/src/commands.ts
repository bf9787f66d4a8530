import type { Option } from './args.js';
import { fileOptions } from './options/files.js';
import { cgroupParentOption, limitOptions } from './options/limits.js';
import { namespaceOptions } from './options/namespaces.js';
import { debugOption, dryRunOptions, fileOption, jsonOption, passThroughOption, postureOption, quietOption, streamOptions } from './options/output.js';
import { bundleOption, nameOption, programOptions, timeoutOption } from './options/program.js';
import { securityOptions } from './options/security.js';
import { topOptions } from './options/top.js';

/** A command of ctr, as the help and the documentation show it. What it does stands in commands/, in the file of its name. */
export interface Command {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  readonly usage: string;
  readonly options: readonly Option[];
  /** What else there is to know, a paragraph each. */
  readonly notes: readonly string[];
  readonly examples: readonly (readonly [line: string, what: string])[];
}

/** Where containers are looked for. */
const belowOption: Option = {
  ...cgroupParentOption,
  group: 'Containers',
  help: 'The cgroup above those of the containers, as ctr run takes it (default: /ctr)',
};
const containerSettings: readonly Option[] = [...programOptions, nameOption, ...fileOptions, ...limitOptions, ...namespaceOptions, ...securityOptions];

/** What the child of a container cannot choose any more: it is a process, in namespaces, already. */
const notOfChild = new Set(['init', 'name', 'net', 'pid', 'ipc', 'uts', 'cgroupns', 'userns', 'time', 'mountns', 'ids']);

/** All of them, in the order of the help. */
export const commands: readonly Command[] = [
  {
    name: 'run',
    summary: 'Run a command in a new container',
    usage: 'ctr run [OPTIONS] [--] COMMAND [ARGUMENTS]',
    options: [bundleOption, ...containerSettings, timeoutOption, ...streamOptions, quietOption, ...dryRunOptions, postureOption, debugOption],
    notes: [
      'Options end at the first word that is none: what follows is the command, as it is. Without a command, at a terminal, it is a shell.',
      'Where stdin and stdout are a terminal, the container gets one of its own; otherwise the program gets pipes, and ctr relays what passes between them and the files of the caller. -T hands these files over.',
      'It exits as the command does: with its exit code, or 128 + n if signal n ended it; 124 if its time was over, 125 if ctr failed, 126 if the command cannot be executed, 127 if it is not found.',
      'NS is new, host, pid:N (that of process N) or the path of a file, such as /run/netns/NAME.',
      'INT, TERM, HUP, QUIT, USR1, USR2, WINCH and CONT are passed on. The kernel would not let pid 1 of a container die by a signal that it does not handle: ctr kills it then, and exits with 128 + n. A second TERM kills in any case.',
    ],
    examples: [
      ['ctr run bash', "a shell in a container of the host's own programs"],
      ['ctr run --rootfs ./alpine --pids-limit 20 sh', 'a root file system, and at most 20 processes'],
      ['ctr run -m 64m --cpus 0.5 -v .:/src:ro -w /src make', 'limits, and a directory of the host'],
      ['ctr run --net host --timeout 10s curl https://example.org', "the host's network, for ten seconds"],
      ['ctr run --dry-run true', 'every system call it would make, and what for'],
      ['ctr run --oci ./bundle --dry-run', 'the same of a bundle that some other tool has written'],
    ],
  },
  {
    name: 'child',
    summary: "The container's half of run alone, in namespaces that exist already",
    usage: 'ctr child [OPTIONS] [--] COMMAND [ARGUMENTS]',
    options: [...containerSettings.filter(({ name }) => !notOfChild.has(name)), passThroughOption, quietOption, ...dryRunOptions, debugOption],
    notes: [
      'It sets the host name, takes the new root, mounts what belongs in it and starts the command, in the namespaces that it is in. So start it in new ones, as in the example.',
      'It relays the standard streams, waits, and exits as the command does. The command is pid 1 of a pid namespace of its own, with its own mounts, in those of ctr.',
      'With -T it becomes the command itself, in this very process. A cgroup that is made for limits then stays after the end, empty.',
    ],
    examples: [['unshare --uts --pid --mount --fork ctr child sh', 'by hand what run does']],
  },
  {
    name: 'compile',
    summary: 'Write a container as one small executable that needs no Node',
    usage: 'ctr compile -o FILE [OPTIONS] [--] COMMAND [ARGUMENTS]',
    options: [fileOption, ...containerSettings, passThroughOption, quietOption, ...dryRunOptions, debugOption],
    notes: [
      'The executable starts the same container, relays its standard streams, waits for it, removes its cgroup and exits as the command did. It is for this machine: the paths in it, and the userland that it shows, are those of this host.',
    ],
    examples: [['ctr compile -o hello --pids-limit 20 echo hello && ./hello', 'a container in a few kilobytes']],
  },
  {
    name: 'doctor',
    summary: 'Show what this host offers to containers, and what to do about the rest',
    usage: 'ctr doctor [OPTIONS]',
    options: [{ ...jsonOption, group: 'Output' }],
    notes: ['It exits with 0 unless something is missing that ctr run cannot do without, and with 1 then.'],
    examples: [['ctr doctor --json', 'for a program to read']],
  },
  {
    name: 'gc',
    summary: 'Remove the cgroups that killed ctr processes have left behind',
    usage: 'ctr gc [OPTIONS]',
    options: [belowOption, { ...quietOption, group: 'Output' }, { ...debugOption, group: 'Output' }],
    notes: ['Each ctr run does so as well, where it makes its own. Containers whose ctr is alive are never touched.'],
    examples: [['ctr gc --cgroup-parent /jobs', 'what ctr run --cgroup-parent /jobs has left']],
  },
  {
    name: 'top',
    summary: 'Show what the containers that run use, as it changes',
    usage: 'ctr top [OPTIONS]',
    options: [belowOption, ...topOptions, { ...debugOption, group: 'Output' }],
    notes: [
      'Processor time is in percent of one processor, memory with the page cache. A ~ is before figures that are the sum of what the processes say of themselves: on cgroup v1, nothing else counts where no limit (or --stats) has asked for it.',
      'PRESSURE is what was lacked most, and the share of the last ten seconds in which some process had to wait for it; it is told on cgroup v2.',
      'q or Ctrl-C ends it.',
    ],
    examples: [
      ['ctr top --once', 'a table for a script'],
      ["ctr top --json -n 1 | jq 'select(.cpuPercent > 50).name'", 'who is busy'],
    ],
  },
  {
    name: 'help',
    summary: 'Show what a command does, and its options',
    usage: 'ctr help [COMMAND]',
    options: [],
    notes: [],
    examples: [],
  },
  {
    name: 'version',
    summary: 'Show the versions of ctr, Node and the kernel',
    usage: 'ctr version',
    options: [],
    notes: [],
    examples: [],
  },
];

/** The command of a name. */
export function commandNamed(name: string): Command | undefined {
  return commands.find((command) => command.name === name);
}
