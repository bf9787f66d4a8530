import type { Option } from '../args.js';
import type { DiskLimit } from '../settings.js';
import { ValueError } from '../usage-error.js';
import { parseSize } from './size.js';

/** Also of the commands that look for what containers have. */
export const cgroupParentOption: Option = {
  name: 'cgroup-parent',
  metavar: 'PATH',
  group: 'Limits',
  help: "The cgroup above the container's: /PATH from the top, PATH from the caller's (default: /ctr); with systemd a slice",
  set: (settings, value) => {
    if (value === '') throw new ValueError('a path, such as /jobs');
    settings.cgroupParent = value;
  },
};

const cgroupManagerOption: Option = {
  name: 'cgroup-manager',
  metavar: 'NAME',
  group: 'Limits',
  help: 'Who makes the cgroup: cgroupfs (ctr itself, the default) or systemd, for which --cgroup-parent is a slice',
  set: (settings, value) => {
    if (value !== 'cgroupfs' && value !== 'systemd') throw new ValueError('cgroupfs or systemd');
    settings.cgroupManager = value;
  },
};

/** Limits of the container's cgroup. */
export const limitOptions: readonly Option[] = [
  {
    name: 'pids-limit',
    metavar: 'N',
    group: 'Limits',
    help: 'Processes and threads at a time (default: 2048); max or -1: no limit',
    set: ({ limits }, value) => {
      limits.pids = isNoLimit(value) ? 'max' : parseNumber(value, 'a whole number of processes, max or -1 for no limit');
    },
  },
  {
    name: 'memory',
    short: 'm',
    metavar: 'SIZE',
    group: 'Limits',
    help: 'Memory: 64m, 1.5g; without a unit in bytes',
    set: ({ limits }, value) => {
      limits.memoryBytes = isNoLimit(value) ? 'max' : parseSize(value);
    },
  },
  {
    name: 'cpus',
    metavar: 'N',
    group: 'Limits',
    help: 'Time of so many processors: 0.5, 2',
    set: ({ limits }, value) => {
      limits.cpuCores = isNoLimit(value) ? 'max' : parseNumber(value, 'a number of processors, such as 1.5');
    },
  },
  {
    name: 'memory-swap',
    metavar: 'SIZE',
    group: 'Limits',
    help: 'Memory and swap together; the same as --memory: no swap; max or -1: no limit',
    set: (settings, value) => {
      if (isNoLimit(value)) settings.memorySwapBytes = 'max';
      else if (parseSize(value) > 0) settings.memorySwapBytes = parseSize(value);
    },
  },
  {
    name: 'memory-reservation',
    metavar: 'SIZE',
    group: 'Limits',
    help: 'Memory that is left to it while others can give theirs',
    set: ({ limits }, value) => {
      limits.memoryReservationBytes = isNoLimit(value) ? 'max' : parseSize(value);
    },
  },
  {
    name: 'memory-swappiness',
    metavar: 'N',
    group: 'Limits',
    help: "How readily its memory is swapped out: 0 to 200; -1: as the host's (cgroup v1)",
    set: ({ limits }, value) => {
      if (value !== '-1') limits.memorySwappiness = parseNumber(value, 'a whole number from 0 to 200');
    },
  },
  {
    name: 'oom-kill-disable',
    group: 'Limits',
    help: 'Nothing is killed for lack of memory: it waits until there is some (cgroup v1)',
    set: ({ limits }) => {
      limits.memoryOomKill = false;
    },
  },
  {
    name: 'cpu-shares',
    metavar: 'N',
    group: 'Limits',
    help: "Its part where processor time is short: 2 to 262144, where others' is 1024",
    set: ({ limits }, value) => {
      const shares = parseNumber(value, 'a whole number from 2 to 262144');
      if (shares > 0) limits.cpuShares = shares;
    },
  },
  {
    name: 'cpu-period',
    metavar: 'MICROSECONDS',
    group: 'Limits',
    help: 'The period of --cpu-quota and --cpus: 1000 to 1000000 (default: 100000)',
    set: ({ limits }, value) => {
      const period = parseNumber(value, 'a whole number of microseconds from 1000 to 1000000');
      if (period > 0) limits.cpuPeriodMicroseconds = period;
    },
  },
  {
    name: 'cpu-quota',
    metavar: 'MICROSECONDS',
    group: 'Limits',
    help: 'Processor time in each period; max or -1: no limit',
    set: ({ limits }, value) => {
      const quota = isNoLimit(value) ? 'max' : parseNumber(value, 'a whole number of microseconds, 1000 or more; max or -1 for no limit');
      if (quota !== 0) limits.cpuQuotaMicroseconds = quota;
    },
  },
  {
    name: 'cpuset-cpus',
    metavar: 'LIST',
    group: 'Limits',
    help: 'The processors it may run on: 0-3,5',
    set: ({ limits }, value) => {
      limits.cpus = value;
    },
  },
  {
    name: 'cpuset-mems',
    metavar: 'LIST',
    group: 'Limits',
    help: 'The memory nodes it gets its memory from: 0,1',
    set: ({ limits }, value) => {
      limits.memoryNodes = value;
    },
  },
  {
    name: 'blkio-weight',
    metavar: 'N',
    group: 'Limits',
    help: "Its part of the disks' time: 10 to 1000",
    set: ({ limits }, value) => {
      const weight = parseNumber(value, 'a whole number from 10 to 1000');
      if (weight > 0) limits.blkioWeight = weight;
    },
  },
  disk('blkio-weight-device', 'N', 'Its part of the time of one disk: /dev/sda:200', 'blkioWeight', (text) => parseNumber(text, 'DEVICE:N, N from 10 to 1000')),
  disk('device-read-bps', 'SIZE', 'Bytes a second that it reads from a disk: /dev/sda:1m', 'readBytesPerSecond', parseSize),
  disk('device-write-bps', 'SIZE', 'Bytes a second that it writes to a disk', 'writeBytesPerSecond', parseSize),
  disk('device-read-iops', 'N', 'Reads a second from a disk: /dev/sda:100', 'readOperationsPerSecond', operations),
  disk('device-write-iops', 'N', 'Writes a second to a disk', 'writeOperationsPerSecond', operations),
  {
    name: 'cgroup-conf',
    metavar: 'FILE=VALUE',
    group: 'Limits',
    repeatable: true,
    help: 'Any file of a controller of cgroup v2: memory.high=64m',
    set: ({ limits }, value) => {
      const equals = value.indexOf('=');
      if (equals < 1) throw new ValueError('FILE=VALUE, such as memory.high=64M');
      limits.unified = { ...limits.unified, [value.slice(0, equals)]: value.slice(equals + 1) };
    },
  },
  cgroupParentOption,
  cgroupManagerOption,
];

/** A limit of one disk, as docker writes it. */
function disk(name: string, metavar: string, help: string, limit: DiskLimit['limit'], read: (text: string) => number): Option {
  return {
    name,
    metavar: `DEVICE:${metavar}`,
    group: 'Limits',
    repeatable: true,
    help,
    set: ({ diskLimits }, text) => {
      const colon = text.lastIndexOf(':');
      if (!text.startsWith('/') || colon < 2) throw new ValueError(`DEVICE:${metavar}, where DEVICE is the path of a disk, such as /dev/sda`);
      const value = isNoLimit(text.slice(colon + 1)) ? 'max' : read(text.slice(colon + 1));
      diskLimits.push({ option: `--${name}`, device: text.slice(0, colon), limit, value });
    },
  };
}

function operations(text: string): number {
  return parseNumber(text, 'DEVICE:N, where N is a whole number of operations a second');
}

function isNoLimit(text: string): boolean {
  return text === 'max' || text === '-1';
}

function parseNumber(text: string, allowed: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new ValueError(allowed);
  return Number(text);
}
