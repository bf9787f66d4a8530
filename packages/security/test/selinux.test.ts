import { explain, Fd, type Step } from '@ctr/syscall';
import { afterAll, describe, expect, it } from 'vitest';

import { selinuxKeyLabel, selinuxLabel, type LsmStatus } from '@ctr/security';

const proc = new Fd(1000, 'proc');
afterAll(() => void proc.release());
const fedora: LsmStatus = { modules: ['capability', 'selinux'], appArmor: 'disabled', selinux: 'permissive' };
const none: LsmStatus = { modules: ['capability', 'yama'], appArmor: 'disabled', selinux: 'disabled' };
const label = 'system_u:system_r:container_t:s0:c1,c2';
const plan = (text: string, lsm = fedora): Step[] => selinuxLabel(text, { proc, lsm });

describe('selinuxLabel and selinuxKeyLabel', () => {
  it('are written to the own files of the proc that is given, on a way without links', () => {
    expect(explain([...plan(label), ...selinuxKeyLabel(label, { proc, lsm: fedora })])).toMatchInlineSnapshot(`
      " 1  openat2(1000<proc>, "thread-self", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_XDEV|RESOLVE_NO_MAGICLINKS|RESOLVE_BENEATH}, 24) = $thread-self  # what proc has of this process
       2  openat2($thread-self, "attr/exec", {flags=O_WRONLY|O_CLOEXEC, resolve=RESOLVE_NO_XDEV|RESOLVE_NO_MAGICLINKS|RESOLVE_NO_SYMLINKS|RESOLVE_BENEATH}, 24) = $exec  # to have the SELinux label "system_u:system_r:container_t:s0:c1,c2" from execve on
       3  write($exec, "system_u:system_r:container_t:s0:c1,c2", 38)  # have the SELinux label "system_u:system_r:container_t:s0:c1,c2" from execve on
       4  close($exec)  # it is written
       5  close($thread-self)  # it is not needed any more
       6  openat2(1000<proc>, "thread-self", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_XDEV|RESOLVE_NO_MAGICLINKS|RESOLVE_BENEATH}, 24) = $thread-self  # what proc has of this process
       7  openat2($thread-self, "attr/keycreate", {flags=O_WRONLY|O_CLOEXEC, resolve=RESOLVE_NO_XDEV|RESOLVE_NO_MAGICLINKS|RESOLVE_NO_SYMLINKS|RESOLVE_BENEATH}, 24) = $keycreate  # to make keys with the SELinux label "system_u:system_r:container_t:s0:c1,c2"
       8  write($keycreate, "system_u:system_r:container_t:s0:c1,c2", 38)  # make keys with the SELinux label "system_u:system_r:container_t:s0:c1,c2"
       9  close($keycreate)  # it is written
      10  close($thread-self)  # it is not needed any more"
    `);
  });

  it('are refused, not dropped, where SELinux is not at work', () => {
    const message = `the SELinux label "${label}" is asked for, but SELinux is not at work (there is no /sys/fs/selinux/enforce): the modules at work here are capability, yama`;
    expect(() => plan(label, none)).toThrow(new Error(message));
    expect(() => selinuxKeyLabel(label, { proc, lsm: none })).toThrow(new Error(message));
  });

  it('are labels', () => {
    for (const text of ['u:r:t', 'u:r:t:s0', 'u:r:t:s0-s0:c0.c1023', label]) expect(plan(text)).toHaveLength(5);
    for (const text of ['', 'u', 'u:r', 'u::t', 'u:r:t:', 'u:r:t s0', 'u:r:t\n', 'u:r:t\0', `u:r:${'t'.repeat(4096)}`])
      expect(() => plan(text)).toThrow(/is not an SELinux label/);
  });
});
