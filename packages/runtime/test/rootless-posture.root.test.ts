// What a default container of an ordinary user may do is what one of root may do, within a user namespace.
import { describe, expect, it } from 'vitest';

import { sharedImage } from './image.js';
import { watchForLeaks } from './leaks.js';
import { NodeProgram } from './node-program.js';

watchForLeaks();
const image = sharedImage();

const UID = 54_321;
const asUser = ['setpriv', `--reuid=${UID}`, `--regid=${UID}`, '--clear-groups'];

const program = new NodeProgram(`
  import { run } from '@ctr/runtime';
  const { stdout, stderr } = await run(['sh', '-c', process.argv[2] ?? ''], JSON.parse(process.argv[3] ?? '{}'));
  process.stdout.write(stdout + stderr);
`);

async function out(script: string, by: readonly string[], options: object = {}): Promise<string> {
  const { stdout, stderr, code } = await program.run([script, JSON.stringify({ rootfs: image.path, ...options })], { by });
  expect([stderr, code]).toEqual(['', 0]);
  return stdout;
}

/** What a script says in a container of root, and in one of the user. */
async function both(script: string, options: object = {}): Promise<[root: string, user: string]> {
  return [await out(script, [], options), await out(script, asUser, options)];
}

describe('a default container of an ordinary user', () => {
  it.each([
    ['rights', 'grep -E "^(Uid|Gid|NoNewPrivs|Seccomp|Seccomp_filters|Cap...):" /proc/self/status; umask'],
    ['limits', 'grep -E "open files|core file" /proc/self/limits | tr -s " " | cut -d" " -f1-4'],
    ['open files', 'ls /proc/self/fd | head -n 3'],
    ['environment', 'env | grep -v ^SHLVL= | sort'],
    ['devices', 'cd /dev; ls -d * | sort; for file in null zero full random urandom tty; do stat -c "%n %t %T %a" $file; done'],
    [
      'hidden files',
      'for file in /proc/kcore /proc/keys /proc/timer_list /proc/sched_debug /proc/interrupts; do [ -e $file ] && { echo $file; head -c 1 $file | wc -c; }; done; ls /sys/firmware /proc/scsi 2>&1 | wc -l',
    ],
    [
      'what cannot be written',
      'for file in /proc/sys/kernel/hostname /proc/sys/kernel/core_pattern /proc/sysrq-trigger /sys/kernel/x /proc/irq/x; do (echo x > $file) 2>&1 | sed "s/.*: //"; done',
    ],
    ['processes', 'echo $$; ls -d /proc/[0-9]* | wc -l; cat /proc/1/comm'],
    ['network', 'cat /sys/class/net/lo/flags; ls /sys/class/net; cat /proc/net/dev | wc -l'],
    ['session', 'cut -d" " -f5-7 /proc/1/stat'],
    [
      'refused calls',
      'mount -t tmpfs x /tmp; unshare -U true; unshare -m true; mknod /tmp/x c 1 3; chroot / true; swapoff -a; hostname x; date -s 1 >/dev/null; true',
    ],
  ])('has the same %s as one of root', async (_, script) => {
    const [root, user] = await both(`exec 2>&1; ${script}`, { mounts: [{ tmpfs: '/tmp' }] });
    expect(user).toBe(root);
    expect(user).not.toBe('');
  });

  it('has no capability over anything but its own: nothing of the host can be changed', async () => {
    const script = 'touch /etc/passwd /x; chown 0 /etc/passwd; kill -0 $PPID; nice -n -5 true; ls /proc/1/root/';
    const user = await out(`exec 2>&1; ${script}; true`, asUser);
    expect(user).toMatch(
      /^touch: \/etc\/passwd: Permission denied\ntouch: \/x: Permission denied\nchown: \/etc\/passwd: (Invalid argument|Operation not permitted|Value too large for defined data type)\n/,
    );
  });

  it('has no lock in a mount of the host’s that it could take off', async () => {
    const script = 'mount -o remount,bind,rw /d; umount /d; touch /d/x';
    const options = { mounts: [{ bind: '/etc', to: '/etc', readonly: true }], capabilities: { add: ['CAP_SYS_ADMIN'] }, seccomp: 'unconfined' };
    const user = await out(`exec 2>&1; ${script.replaceAll('/d', '/etc')}; true`, asUser, options);
    expect(user).toMatch(/touch: \/etc\/x: (Read-only file system|Permission denied)\n$/);
  });
});
