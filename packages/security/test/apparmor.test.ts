import { explain, Fd, type Step } from '@ctr/syscall';
import { afterAll, describe, expect, it } from 'vitest';

import { appArmorProfile, type LsmStatus } from '@ctr/security';

const proc = new Fd(1000, 'proc');
afterAll(() => void proc.release());
const ubuntu: LsmStatus = { modules: ['capability', 'apparmor'], appArmor: 'enabled', selinux: 'disabled' };
const none: LsmStatus = { modules: ['capability', 'yama'], appArmor: 'disabled', selinux: 'disabled' };
const plan = (name: string, lsm = ubuntu): Step[] => appArmorProfile(name, { proc, lsm });

describe('appArmorProfile', () => {
  it('is written to the own file of the proc that is given, on a way without links', () => {
    expect(explain(plan('docker-default'))).toMatchInlineSnapshot(`
      "1  openat2(1000<proc>, "thread-self", {flags=O_DIRECTORY|O_CLOEXEC|O_PATH, resolve=RESOLVE_NO_XDEV|RESOLVE_NO_MAGICLINKS|RESOLVE_BENEATH}, 24) = $thread-self  # what proc has of this process
      2  openat2($thread-self, "attr/apparmor/exec", {flags=O_WRONLY|O_CLOEXEC, resolve=RESOLVE_NO_XDEV|RESOLVE_NO_MAGICLINKS|RESOLVE_NO_SYMLINKS|RESOLVE_BENEATH}, 24) = $exec  # to have the AppArmor profile "docker-default" from execve on
      3  write($exec, "exec docker-default", 19)  # have the AppArmor profile "docker-default" from execve on
      4  close($exec)  # it is written
      5  close($thread-self)  # it is not needed any more"
    `);
  });

  it('is refused, not dropped, where AppArmor is not at work', () => {
    expect(() => plan('docker-default', none)).toThrow(
      new Error(
        'the AppArmor profile "docker-default" is asked for, but AppArmor is not at work (/sys/module/apparmor/parameters/enabled is not Y): the modules at work here are capability, yama',
      ),
    );
    expect(() => plan('x', { ...none, modules: undefined })).toThrow(/: securityfs, which lists the modules at work, is not mounted here$/);
  });

  it('has a name', () => {
    for (const name of ['a', '/usr/bin/x', 'a//b', 'with space', 'a//&:ns:b', 'x'.repeat(4090)]) expect(plan(name)).toHaveLength(5);
    for (const name of ['', 'a\nb', 'a\0', '\u007f', 'x'.repeat(4091)]) expect(() => plan(name)).toThrow(/is not the name of an AppArmor profile/);
  });
});
