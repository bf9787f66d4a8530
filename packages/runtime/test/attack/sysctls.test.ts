// Settings of the kernel that are the host's, however they are named: refused before there is a process, so that nothing is tried here.
import { describe, expect, it } from 'vitest';

import { plan } from '@ctr/runtime';

const ofTheHost = ['kernel.core_pattern', 'kernel.modprobe', 'kernel.sysrq', 'kernel.pid_max', 'vm.overcommit_memory', 'fs.file-max', 'fs.binfmt_misc.register', 'dev.tty.ldisc_autoload', 'user.max_user_namespaces', 'kernel.hostname', 'kernel.shmmax2', 'kernel.keys.maxkeys', 'kernel.unprivileged_bpf_disabled', 'xnet.ipv4', 'kernel/core_pattern']; // prettier-ignore
const astray = ['net..ipv4', 'net.ipv4..', 'net.ipv4.../../kernel/core_pattern', '../kernel.core_pattern', 'net/../kernel/core_pattern', '/net.ipv4.x', 'net', '', 'net.ipv4.ip_forward\n', 'net.\0', 'NET.ipv4.x', 'net.ipv4.x y']; // prettier-ignore

describe('a setting', () => {
  it.each([...ofTheHost, ...astray])('that is not of a namespace is refused: %j', (name) => {
    expect(() => plan(['true'], { sysctls: { [name]: '0' }, cgroup: false })).toThrow(
      /^sysctl .*(belongs to the whole host|is the option hostname|give a name with dots)/s,
    );
  });

  it.each([
    ['net.ipv4.ip_forward', 'net'],
    ['kernel.shmmax', 'ipc'],
    ['fs.mqueue.msg_max', 'ipc'],
    ['kernel.domainname', 'uts'],
  ] as const)('of a namespace that is shared is refused, and of a new one is not: %s', (name, kind) => {
    expect(() => plan(['true'], { sysctls: { [name]: '0' }, namespaces: { [kind]: 'host' }, cgroup: false })).toThrow(/needs a new/);
    expect(() => plan(['true'], { sysctls: { [name]: '0' }, namespaces: { [kind]: { pid: 1 } }, cgroup: false })).toThrow(/needs a new/);
    expect(plan(['true'], { sysctls: { [name]: '0' }, cgroup: false }).some(({ purpose }) => purpose === `the setting ${name}`)).toBe(true);
  });
});
