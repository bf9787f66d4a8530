import { existsSync, readdirSync, readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { parse } from '../src/args.js';
import { commandNamed } from '../src/commands.js';
import { commandOf, containerOptions } from '../src/container-options.js';
import { noSettings } from '../src/settings.js';

function read(...args: string[]): ReturnType<typeof containerOptions> {
  const settings = noSettings();
  parse('run', args, commandNamed('run')?.options ?? [], settings);
  return containerOptions(settings);
}

it('sets only what was given', () => {
  expect(read('true')).toEqual({});
});

it('is what the runtime takes', () => {
  const args = ['--rootfs', '/', '--hostname', 'box', '--name', 'web', '-e', 'A=1', '-w', '/src', '-u', '1000:1000', '--init', '--read-only', '--tmpfs', '/t'];
  expect(read(...args, '--pids-limit', '20', '--net', 'host', 'true')).toEqual({
    rootfs: '/',
    hostname: 'box',
    name: 'web',
    env: { A: '1' },
    cwd: '/src',
    user: { uid: 1000, gid: 1000, groups: [] },
    init: true,
    readonly: true,
    mounts: [{ tmpfs: '/t' }],
    limits: { pids: 20 },
    namespaces: { net: 'host' },
  });
});

it('takes the size of the root as docker has it', () => {
  expect(read('--storage-opt', 'size=512m', 'true')).toEqual({ rootSizeBytes: 512 * 2 ** 20 });
  for (const value of ['512m', 'size', 'size=', 'size=x', 'inodes=5'])
    expect(() => read('--storage-opt', value, 'true')).toThrow(value.startsWith('size=') ? 'a size such as 64m' : 'size=SIZE, such as size=512m');
});

it('takes limits as docker has them', () => {
  const memory = ['-m', '64m', '--memory-swap', '96m', '--memory-reservation', '32m', '--memory-swappiness', '0', '--oom-kill-disable'];
  const cpu = ['--cpu-shares', '512', '--cpu-period', '50000', '--cpu-quota', '20000', '--cpuset-cpus', '0-1', '--cpuset-mems', '0'];
  const io = ['--blkio-weight', '500', '--cgroup-conf', 'memory.high=60M', '--cgroup-conf', 'io.max=8:0 rbps=1'];
  expect(read(...memory, ...cpu, ...io, 'true').limits).toEqual({
    memoryBytes: 64 * 2 ** 20,
    swapBytes: 32 * 2 ** 20,
    memoryReservationBytes: 32 * 2 ** 20,
    memorySwappiness: 0,
    memoryOomKill: false,
    cpuShares: 512,
    cpuPeriodMicroseconds: 50_000,
    cpuQuotaMicroseconds: 20_000,
    cpus: '0-1',
    memoryNodes: '0',
    blkioWeight: 500,
    unified: { 'memory.high': '60M', 'io.max': '8:0 rbps=1' },
  });
  const unlimited = ['-m', '-1', '--memory-swap', '-1', '--memory-reservation', 'max', '--cpu-quota', '-1', '--memory-swappiness', '-1'];
  const unset = ['--cpu-shares', '0', '--cpu-period', '0', '--blkio-weight', '0'];
  expect(read(...unlimited, ...unset, 'true').limits).toEqual({
    memoryBytes: 'max',
    swapBytes: 'max',
    memoryReservationBytes: 'max',
    cpuQuotaMicroseconds: 'max',
  });
  expect(read('-m', '64m', '--memory-swap', '64m', 'true').limits).toEqual({ memoryBytes: 64 * 2 ** 20, swapBytes: 0 });
  expect(read('-m', '64m', '--memory-swap', '0', 'true').limits).toEqual({ memoryBytes: 64 * 2 ** 20 });
});

it('takes limits of disks by the paths of their devices', (context) => {
  const [name] = existsSync('/sys/block') ? readdirSync('/sys/block').filter((each) => existsSync(`/dev/${each}`)) : [];
  if (name === undefined) return context.skip('there is no disk here');
  const disk = `/dev/${name}`;
  const device = readFileSync(`/sys/block/${name}/dev`, 'latin1').trim();
  const rates = [
    '--device-read-bps',
    `${disk}:1m`,
    '--device-write-bps',
    `${disk}:max`,
    '--device-read-iops',
    `${disk}:100`,
    '--device-write-iops',
    `${disk}:200`,
  ];
  expect(read(...rates, '--blkio-weight-device', `${disk}:300`, 'true').limits).toEqual({
    ioDevices: [
      { device, readBytesPerSecond: 2 ** 20, writeBytesPerSecond: 'max', readOperationsPerSecond: 100, writeOperationsPerSecond: 200, blkioWeight: 300 },
    ],
  });
  expect(() => read('--device-read-iops', `${disk}:0`, 'true')).toThrow(
    '--device-read-iops: ioDevices[0].readOperationsPerSecond takes a whole number of operations',
  );
  expect(() => read('--blkio-weight-device', `${disk}:5`, 'true')).toThrow(
    '--blkio-weight-device: ioDevices[0].blkioWeight takes a whole number of parts from 10 to 1000',
  );
});

it.each([
  [['--memory-swap', '64m'], '--memory-swap: it is memory and swap together, so it takes --memory beside it'],
  [['-m', '64m', '--memory-swap', '32m'], '--memory-swap: it is memory and swap together: 33554432 bytes are less than the 67108864 of --memory'],
  [['--cpus', '1', '--cpu-quota', '5000'], '--cpus: --cpus and --cpu-quota are the same limit: give one of them'],
  [['--cpu-shares', '1'], '--cpu-shares: cpuShares takes a whole number of shares from 2 to 262144: 1 is not one'],
  [['--cpuset-cpus', '3-1'], `--cpuset-cpus: cpus takes a list of processors from 0 to 8191, such as '0-3,5': "3-1" is not one`],
  [['--memory-swappiness', '201'], '--memory-swappiness: memorySwappiness takes a whole number from 0 to 200'],
  [['--device-read-bps', '/dev/null:1m'], '--device-read-bps: "/dev/null": this is not a disk'],
  [['--device-read-bps', '/no/such:1m'], '--device-read-bps: "/no/such": there is no such device'],
  [['--device-read-bps', 'sda:1m'], '--device-read-bps: "sda:1m": DEVICE:SIZE, where DEVICE is the path of a disk'],
  [['--device-read-bps', '/dev/sda'], 'DEVICE:SIZE, where DEVICE is the path of a disk'],
  [['--cgroup-conf', 'cgroup.procs=1'], '--cgroup-conf: unified: cgroup.procs is no limit'],
  [['--cgroup-conf', 'memory.high'], '--cgroup-conf: "memory.high": FILE=VALUE'],
  [['-m', '0'], "--memory: memoryBytes takes a whole number of bytes from 4096 to 9007199254740991, or 'max' for no limit: 0 is not one"],
  [['-m', '99999999999t'], '--memory: memoryBytes takes a whole number of bytes'],
  [['--pids-limit', '0'], "--pids-limit: pids takes a whole number of processes from 1 to 4194304, or 'max' for no limit: 0 is not one"],
  [['--pids-limit', '1.5'], '--pids-limit: pids takes a whole number of processes'],
  [['--pids-limit', '99999999'], '--pids-limit: pids takes a whole number of processes'],
  [['--cpus', '0'], "--cpus: cpuCores takes a number of processors from 0.01 to 175921860, or 'max' for no limit: 0 is not one"],
  [['--hostname', 'x'.repeat(65)], `--hostname: the host name "${'x'.repeat(65)}" has 65 bytes: the kernel takes 1 to 64`],
  [['--hostname', ''], '--hostname: the host name "" has 0 bytes: the kernel takes 1 to 64'],
  [['-u', 'nobody-at-all'], 'user "nobody-at-all": there is no such name in the /etc/passwd of the container'],
])('%j cannot be', (args, message) => {
  expect(() => read(...args, 'true')).toThrow(message);
});

it('takes a command, the first word of which is not empty', () => {
  expect(commandOf('run', ['sh', ''])).toEqual(['sh', '']);
  expect(() => commandOf('run', [])).toThrow('run: a command is missing: ctr run [OPTIONS] COMMAND [ARGUMENTS]');
  expect(() => commandOf('run', [''])).toThrow('run: "": the name of a program');
});
