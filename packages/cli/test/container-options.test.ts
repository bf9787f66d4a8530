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

it.each([
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
