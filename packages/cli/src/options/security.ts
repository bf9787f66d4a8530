import type { HostDevice } from '@ctr/runtime';

import type { Option } from '../args.js';
import { ValueError } from '../usage-error.js';

/** What the program may do: the default is little, and each of these makes it more, or less. */
export const securityOptions: readonly Option[] = [
  {
    name: 'cap-add',
    metavar: 'CAP',
    group: 'Security',
    repeatable: true,
    help: 'Adds a capability to those of root in the container; ALL: every one',
    set: ({ capAdd }, value) => void capAdd.push(value),
  },
  {
    name: 'cap-drop',
    metavar: 'CAP',
    group: 'Security',
    repeatable: true,
    help: 'Takes one away; ALL: all but those that are added',
    set: ({ capDrop }, value) => void capDrop.push(value),
  },
  {
    name: 'security-opt',
    metavar: 'OPT',
    group: 'Security',
    repeatable: true,
    help: 'One of seccomp=FILE|unconfined, no-new-privileges=false, mask=PATH, unmask=PATH|ALL, apparmor=PROFILE, label=LABEL, writable-host-root (--rootfs / without --read-only: no boundary for root)',
    set: ({ securityOptions: chosen }, value) => void chosen.push(value),
  },
  {
    name: 'privileged',
    group: 'Security',
    help: 'All capabilities, all system calls, all of /proc and /sys, all devices: no boundary for root',
    set: (settings) => {
      settings.privileged = true;
    },
  },
  {
    name: 'ulimit',
    metavar: 'NAME=SOFT[:HARD]',
    group: 'Security',
    repeatable: true,
    help: 'A resource limit of each process, as in setrlimit(2): nofile=1024:4096, core=0',
    set: ({ ulimits }, value) => void ulimits.push(value),
  },
  {
    name: 'group-add',
    metavar: 'GID',
    group: 'Security',
    repeatable: true,
    help: "A further group of the user, by its id or its name in the container's /etc/group",
    set: ({ groups }, value) => {
      if (value === '' || value.includes(':')) throw new ValueError('the id or the name of one group');
      groups.push(value);
    },
  },
  {
    name: 'device',
    metavar: 'SRC[:DST][:rwm]',
    group: 'Security',
    repeatable: true,
    help: 'The device SRC of the host, at DST below /dev (default: at SRC), to read, write, mknod',
    set: ({ devices }, value) => {
      const [device = '', ...rest] = value.split(':');
      const last = rest.at(-1);
      const access = last !== undefined && /^[rwm]{1,3}$/.test(last) ? rest.pop() : undefined;
      const [to, ...more] = rest;
      if (!device.startsWith('/') || more.length > 0 || (to !== undefined && !to.startsWith('/dev/')))
        throw new ValueError(
          'SRC, SRC:DST, SRC:ACCESS or SRC:DST:ACCESS, where SRC is a device of the host, DST a path below /dev, and ACCESS some of the letters r, w and m',
        );
      devices.push({ device, ...(to !== undefined && { to }), ...(access !== undefined && { access: inOrder(access) }) });
    },
  },
  {
    name: 'device-cgroup-rule',
    metavar: 'RULE',
    group: 'Security',
    repeatable: true,
    help: "Further devices that may be used, wherever their files come from: 'c 42:* rwm'",
    set: ({ deviceRules }, value) => void deviceRules.push(value),
  },
  {
    name: 'sysctl',
    metavar: 'NAME=VALUE',
    group: 'Security',
    repeatable: true,
    help: "A setting of the container's own network or IPC: net.ipv4.ip_forward=1",
    set: ({ sysctls }, value) => {
      const equals = value.indexOf('=');
      if (equals < 1) throw new ValueError('NAME=VALUE');
      sysctls[value.slice(0, equals)] = value.slice(equals + 1);
    },
  },
  {
    name: 'umask',
    metavar: 'MODE',
    group: 'Security',
    help: 'Permissions that new files do not have, in octal (default: 0022)',
    set: (settings, value) => {
      if (!/^[0-7]{1,4}$/.test(value)) throw new ValueError('up to four digits from 0 to 7');
      settings.umask = Number.parseInt(value, 8);
    },
  },
  {
    name: 'no-new-keyring',
    group: 'Security',
    help: "The session keyring of the caller, rather than a new one: the program's are the keys of who runs it",
    set: (settings) => {
      settings.sessionKeyring = 'inherit';
    },
  },
  {
    name: 'no-new-session',
    group: 'Security',
    help: "The session of the caller, whose terminal (as with -T) is the program's: job control and its signals reach it",
    set: (settings) => {
      settings.session = 'inherit';
      settings.passThrough = true;
    },
  },
];

/** docker takes the letters in any order. */
function inOrder(access: string): NonNullable<HostDevice['access']> {
  return ['r', 'w', 'm'].filter((letter) => access.includes(letter)).join('') as NonNullable<HostDevice['access']>;
}
