import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { privileged } from '@ctr/runtime';
import { expect, it } from 'vitest';

import { parse } from '../src/args.js';
import { commandNamed } from '../src/commands.js';
import { containerOptions } from '../src/container-options.js';
import { noSettings } from '../src/settings.js';
import { makeRootfs } from './rootfs.js';

function read(...args: string[]): ReturnType<typeof containerOptions> {
  const settings = noSettings();
  parse('run', args, commandNamed('run')?.options ?? [], settings);
  return containerOptions(settings);
}

it('adds and takes away capabilities, by any of their names', () => {
  expect(read('--cap-add', 'net_raw', '--cap-add', 'CAP_SYS_PTRACE', '--cap-drop', 'Chown')).toEqual({
    capabilities: { add: ['CAP_NET_RAW', 'CAP_SYS_PTRACE'], drop: ['CAP_CHOWN'] },
  });
  expect(read('--cap-drop', 'ALL', '--cap-add', 'chown')).toEqual({ capabilities: { add: ['CAP_CHOWN'], drop: 'all' } });
  expect(read('--cap-add', 'chown', '--cap-add', 'all')).toEqual({ capabilities: { add: 'all' } });
  expect(read('--privileged', '--cap-drop', 'sys_admin')).toMatchObject({ capabilities: { add: 'all', drop: ['CAP_SYS_ADMIN'] } });
});

it('loosens all at once, but for what is said one by one', () => {
  expect(read('--privileged')).toEqual(privileged);
  expect(read('--privileged', '--cap-add', 'chown', '--security-opt', 'no-new-privileges')).toEqual({
    ...privileged,
    capabilities: { add: ['CAP_CHOWN'] },
    noNewPrivileges: true,
  });
});

it('reads a profile of system calls', () => {
  const profile = { defaultAction: 'SCMP_ACT_ALLOW' };
  const file = join(makeRootfs(), 'profile.json');
  writeFileSync(file, JSON.stringify(profile));
  expect(read('--security-opt', `seccomp=${file}`)).toEqual({ seccomp: profile });
  expect(read('--security-opt', 'seccomp:unconfined')).toEqual({ seccomp: 'unconfined' });
  writeFileSync(file, '{');
  expect(() => read('--security-opt', `seccomp=${file}`)).toThrow(/^--security-opt seccomp: "[^"]+": a profile as docker and the OCI runtime-spec have them/);
  expect(() => read('--security-opt', 'seccomp=/missing')).toThrow('ENOENT');
  expect(() => read('--security-opt', 'seccomp=/dev/zero')).toThrow('a file of at most');
});

it('hides more, or less', () => {
  expect(read('--security-opt', 'unmask=ALL')).toEqual({ maskedPaths: [], readonlyPaths: [] });
  expect(read('--security-opt', 'systempaths=unconfined')).toEqual({ maskedPaths: [], readonlyPaths: [] });
  const some = read('--security-opt', 'unmask=/proc/kcore:/proc/sys', '--security-opt', 'mask=/etc/secret:/opt');
  expect(some.maskedPaths).not.toContain('/proc/kcore');
  expect(some.maskedPaths).toEqual(expect.arrayContaining(['/proc/keys', '/etc/secret', '/opt']));
  expect(some.readonlyPaths).not.toContain('/proc/sys');
  expect(some.readonlyPaths).toContain('/proc/irq');
});

it('takes limits, devices, settings, groups, labels and a umask', () => {
  expect(read('--ulimit', 'nofile=1024:4096', '--ulimit', 'core=unlimited', '--ulimit', 'nproc=-1')).toEqual({
    rlimits: { nofile: { soft: 1024n, hard: 4096n }, core: { soft: 'unlimited', hard: 'unlimited' }, nproc: { soft: 'unlimited', hard: 'unlimited' } },
  });
  expect(read('--device', '/dev/fuse', '--device', '/dev/zero:/dev/nought')).toEqual({
    devices: [{ device: '/dev/fuse' }, { device: '/dev/zero', to: '/dev/nought' }],
  });
  expect(read('--device', '/dev/fuse:r', '--device', '/dev/zero:/dev/nought:mw')).toEqual({
    devices: [
      { device: '/dev/fuse', access: 'r' },
      { device: '/dev/zero', to: '/dev/nought', access: 'wm' },
    ],
  });
  expect(read('--device-cgroup-rule', 'c 42:* rmw')).toEqual({ deviceRules: [{ allow: true, type: 'char', major: 42, access: 'rwm' }] });
  expect(read('--privileged', '--device-cgroup-rule', 'c 42:* r').deviceRules).toBe('unconfined');
  expect(read('--sysctl', 'net.ipv4.ip_forward=1')).toEqual({ sysctls: { 'net.ipv4.ip_forward': '1' } });
  expect(read('-u', '5:6', '--group-add', '7', '--group-add', 'daemon')).toEqual({ user: { uid: 5, gid: 6, groups: [7, 1] } });
  expect(read('--security-opt', 'apparmor=x', '--security-opt', 'label=y')).toEqual({ appArmorProfile: 'x', selinuxLabel: 'y' });
  expect(read('--umask', '027')).toEqual({ umask: 0o27 });
  expect(read('--no-new-keyring', '--no-new-session')).toEqual({ sessionKeyring: 'inherit', session: 'inherit' });
  expect(read('--userns', 'auto')).toEqual({ namespaces: { user: 'new' } });
});

it.each([
  [['--cap-add', 'net_row'], '--cap-add: there is no capability "net_row": did you mean CAP_NET_RAW?'],
  [['--cap-drop', ''], '--cap-drop: there is no capability ""'],
  [['--security-opt', 'secomp=x'], '--security-opt: "secomp=x": seccomp=FILE, seccomp=unconfined'],
  [['--security-opt', 'writable-host-root=maybe'], '--security-opt: "writable-host-root=maybe"'],
  [['--security-opt', 'no-new-privileges=maybe'], '--security-opt: "no-new-privileges=maybe"'],
  [['--ulimit', 'nofile'], '--ulimit: "nofile": NAME=SOFT or NAME=SOFT:HARD'],
  [['--ulimit', 'nofile=1:x'], '--ulimit'],
  [['--device', 'fuse'], '--device: "fuse": SRC, SRC:DST'],
  [['--device', '/dev/fuse:/etc/fuse'], '--device'],
  [['--device', '/dev/fuse:'], '--device'],
  [['--device', '/dev/fuse:/dev/a:/dev/b'], '--device'],
  [['--device-cgroup-rule', 'c 42'], '--device-cgroup-rule: "c 42" is no device rule: TYPE MAJOR:MINOR ACCESS'],
  [['--sysctl', 'net.ipv4.ip_forward'], '--sysctl: "net.ipv4.ip_forward": NAME=VALUE'],
  [['--umask', '8'], '--umask: "8": up to four digits from 0 to 7'],
  [['--group-add', 'a:b'], '--group-add: "a:b": the id or the name of one group'],
  [['--group-add', 'no-such-group'], 'group "no-such-group": there is no such name'],
])('%j cannot be', (args, message) => {
  expect(() => read(...args, 'true')).toThrow(message);
});
