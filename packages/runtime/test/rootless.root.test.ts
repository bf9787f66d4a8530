// As an ordinary user, who has nothing but what user namespaces give.
import { readFileSync, readlinkSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { sharedImage } from './image.js';
import { watchForLeaks } from './leaks.js';
import { NodeProgram } from './node-program.js';

watchForLeaks();
const image = sharedImage();

const NOBODY = 65_534;
const asNobody = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];

// Runs what it is asked to as JSON, one container after the other; what became of each.
const program = new NodeProgram(`
  import { plan, run, standalone } from '@ctr/runtime';
  import { explain } from '@ctr/syscall';
  import { execFileSync } from 'node:child_process';
  import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
  const [what = '', json = ''] = process.argv.slice(2);
  const jobs = JSON.parse(json) as [command: [string], options: object][];
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  // What is opened once for all containers is no leak.
  await run(['true']).catch(() => undefined);
  const files = readdirSync('/proc/self/fd').length;
  const outcomes: unknown[] = [];
  for (const [command, options] of jobs) {
    if (what === 'plan') outcomes.push(explain(plan(command, options)));
    else if (what === 'standalone') {
      const directory = mkdtempSync('/tmp/ctr-rootless-');
      writeFileSync(directory + '/container', standalone(command, options), { mode: 0o755 });
      try {
        outcomes.push(execFileSync(directory + '/container', { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }));
      } catch (error) {
        outcomes.push((error as { status: number; stderr: string }).status + ' ' + (error as { stderr: string }).stderr);
      }
      rmSync(directory, { recursive: true });
    } else outcomes.push(await run(command, options).then(({ stdout, stderr }) => stdout + stderr, (error: Error) => error.name + ': ' + error.message));
  }
  const same = mounts === readFileSync('/proc/self/mountinfo', 'utf8') && readdirSync('/proc/self/fd').length === files;
  console.log(JSON.stringify({ outcomes, same }));
`);

type Job = readonly [command: readonly string[], options?: object];

async function outcomes(jobs: readonly Job[], what = 'run'): Promise<string[]> {
  const json = JSON.stringify(jobs.map(([command, options = {}]) => [command, options]));
  const { stdout, stderr, code } = await program.run([what, json], { by: asNobody });
  expect([stderr, code]).toEqual(['', 0]);
  const result = JSON.parse(stdout) as { outcomes: string[]; same: boolean };
  expect(result.same).toBe(true);
  return result.outcomes;
}

/** What a script prints in a container of an ordinary user. */
async function sh(script: string, options: object = {}): Promise<string> {
  const [outcome = ''] = await outcomes([[['sh', '-c', script], { rootfs: image.path, ...options }]]);
  return outcome;
}

describe('a container of an ordinary user', () => {
  it('has a user namespace in which the user is root, and nobody else is anybody', async () => {
    expect(
      await sh(
        'id -u; id -g; id -G; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups | tr -s " "; hostname; echo $$; ls /proc | grep -c "^[0-9]"; cat /sys/class/net/lo/flags',
        { hostname: 'box' },
      ),
    ).toMatch(new RegExp(`^0\\n0\\n0( \\d+)*\\n 0 ${NOBODY} 1\\n 0 ${NOBODY} 1\\ndeny\\nbox\\n1\\n[1-6]\\n0x9\\n$`));
  });

  it("has the host's userland, and may change what is its own there", async () => {
    const results = await outcomes([
      [['bash', '-c', 'echo $BASH; id -u; touch /tmp/x /etc/x /root/x && ls /tmp; mount | grep -c " overlay "']],
      [['node', '-e', 'console.log(process.pid, os.hostname())']],
      [['sh', '-c', 'touch /usr/bin/x; true']],
      [['sh', '-c', 'ls -l /dev/null /dev/zero | cut -c1; head -c 3 /dev/zero | wc -c; echo x > /dev/null; echo $?'], { readonly: true }],
      [['sh', '-c', 'ls /sys/class | grep -c net; cat /etc/hostname'], { namespaces: { net: 'host' } }],
    ]);
    expect(results).toEqual([
      expect.stringMatching(/^(\/usr)?\/bin\/bash\n0\nx\n[1-9]\n$/),
      '1 container\n',
      "touch: cannot touch '/usr/bin/x': Permission denied\n",
      'c\nc\n3\n0\n',
      '1\ncontainer\n',
    ]);
  });

  it('has its own mounts', async () => {
    const mounts = [
      { tmpfs: '/tmp', sizeBytes: 65_536 },
      { bind: '/etc', to: '/etc', readonly: true },
    ];
    expect(
      await sh('touch /tmp/x && ls /tmp; head -c 100000 /dev/zero > /tmp/y 2>/dev/null; wc -c < /tmp/y; touch /etc/passwd 2>&1; head -1 /etc/passwd', {
        mounts,
      }),
    ).toBe(`x\n65536\ntouch: /etc/passwd: Read-only file system\n${readFileSync('/etc/passwd', 'utf8').split('\n')[0]}\n`);
    expect(await sh('touch /x 2>&1; touch /tmp/x; echo $?', { mounts, readonly: true })).toBe('touch: /x: Read-only file system\n0\n');
  });

  it('has no cgroup where none is delegated, and says what is lacking if it is asked for', async () => {
    const [without, limits, measure, named] = await outcomes([
      [['true'], { rootfs: image.path }],
      [['true'], { rootfs: image.path, limits: { pids: 20 } }],
      [['true'], { rootfs: image.path, measure: true }],
      [['true'], { rootfs: image.path, name: 'web' }],
    ]);
    expect([without, named]).toEqual(['', '']);
    for (const error of [limits, measure])
      expect(error).toMatch(
        /^CgroupError: \/sys\/fs\/cgroup\S* cannot be written by uid 65534, so no \S+ group can be made in it: run as root, or in a group that is delegated to this user/,
      );
  });

  it('has an init process, another directory, a signal, a time', async () => {
    const results = await outcomes([
      [['sh', '-c', 'echo $$ $PPID; pwd; ls /proc/1/fd 2>&1 | grep -c denied'], { rootfs: image.path, init: true, cwd: '/etc' }],
      [['sleep', '1000'], { rootfs: image.path, timeoutMs: 50 }],
      [['missing'], { rootfs: image.path }],
    ]);
    expect(results[0]).toBe('2 1\n/etc\n1\n');
    expect(results[1]).toMatch(/^ContainerError: "sleep 1000" was killed after \d+ ms: its time was over$/);
    expect(results[2]).toMatch(/^SyscallError: exec "missing": executable file not found = ENOENT /);
  });

  it('may take the namespaces of the host that need no right', async () => {
    expect(await sh('readlink /proc/self/ns/net; readlink /proc/self/ns/ipc', { namespaces: { net: 'host', ipc: 'host', cgroup: 'host' } })).toBe(
      `${['net', 'ipc'].map((kind) => `${kind}:[${/\d+/.exec(linkOf(kind))?.[0]}]`).join('\n')}\n`,
    );
  });

  it('may see the processes of the host', async () => {
    expect(await sh(`cat /proc/${process.pid}/comm; readlink /proc/self/ns/pid`, { namespaces: { pid: 'host' } })).toBe(
      `${readFileSync('/proc/self/comm', 'utf8')}${linkOf('pid')}\n`,
    );
  });

  it('may have an executable of its own', async () => {
    const results = await outcomes(
      [[['sh', '-c', 'id -u; echo $$; hostname'], { rootfs: image.path }], [['bash', '-c', 'id -u']], [['missing'], { rootfs: image.path }]],
      'standalone',
    );
    expect(results).toEqual(['0\n1\ncontainer\n', '0\n', '127 ctr: exec "missing": executable file not found: ENOENT\n']);
  });

  it('maps its ids by the process itself, in this plan', async () => {
    const [text = ''] = await outcomes([[['/bin/true'], { rootfs: '/usr' }]], 'plan');
    expect(`\n${text.split('\n').slice(0, 20).join('\n')}\n`).toMatchInlineSnapshot(`
      "
        1  label()  # no limits: no control group is delegated to this user
        2  label()  # no device rules: the kernel takes them from root alone, outside of containers
        3  socketpair(AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC, 0, &way)  # a way of its own to the keeper
        4  setsockopt($way, 1, 16, "\\1\\0\\0\\0", 4)  # the kernel tells the keeper who writes there
        5  add($way, 0)  # its end of the way
        6  sendmsg(4, {msg_iov={iov_base="\\24\\1", iov_len=2}, msg_iovlen=1, msg_control="\\24\\0\\0\\0\\0\\0\\0\\0\\1\\0\\0\\0\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0", msg_controllen=20}, MSG_NOSIGNAL)  # the keeper gets its end
        7  dup3($way+4, 4, O_CLOEXEC)  # this way is the one to the keeper from here on
        8  close($way+4)  # one file is enough
        9  close($way)  # the keeper alone can answer
       10  unshare(CLONE_NEWUSER)  # new user namespace
       11  openat(AT_FDCWD, "/proc/self/setgroups", O_WRONLY|O_CLOEXEC) = $setgroups  # to keep the groups of all processes in it, which the kernel asks for before a group is mapped
       12  write($setgroups, "deny", 4)  # keep the groups of all processes in it, which the kernel asks for before a group is mapped
       13  close($setgroups)  # it is written
       14  openat(AT_FDCWD, "/proc/self/uid_map", O_WRONLY|O_CLOEXEC) = $uid_map  # to map the user id
       15  write($uid_map, "0 65534 1\\n", 10)  # map the user id
       16  close($uid_map)  # it is written
       17  openat(AT_FDCWD, "/proc/self/gid_map", O_WRONLY|O_CLOEXEC) = $gid_map  # to map the group id
       18  write($gid_map, "0 65534 1\\n", 10)  # map the group id
       19  close($gid_map)  # it is written
       20  clone(CLONE_VM|CLONE_PARENT|CLONE_NEWNS|CLONE_PARENT_SETTID|CLONE_NEWCGROUP|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWPID|CLONE_NEWNET|SIGCHLD, &stack, &report+4, NULL, NULL), if == 0 go to 23  # go on in a new process, in new namespaces
      "
    `);
  });
});

describe('what an ordinary user may not do', () => {
  it.each([
    [
      { namespaces: { user: 'host' } },
      /^SyscallError: clone\(.* = EPERM .*\nhint: a namespace other than a user namespace needs CAP_SYS_ADMIN: run as root, or create a user namespace first$/,
    ],
    [
      { user: { uid: 1000, gid: 0 } },
      /^Error: user: the container has no uid 1000, but 0 only: \/etc\/subuid has no line for nobody: usermod --add-subuids .* nobody \(as root\)/,
    ],
    [{ user: { uid: 0, gid: 1000 } }, /^Error: user: the container has no gid 1000, but 0 only: /],
    [{ uidMap: [{ inside: 0, outside: 0, count: 10 }] }, /newuidmap|subuid|EPERM/],
    [{ namespaces: { net: { path: '/proc/1/ns/net' } } }, /^SyscallError: (openat|setns)\(.* = (EACCES|EPERM) /],
    [{ rootfs: '/root' }, /^(SyscallError: open\w+\(.* = EACCES |Error: rootfs "\/root")/],
  ])('%j: says why', async (options, message) => {
    expect(await sh('true', options)).toMatch(message);
  });

  it('user namespaces where a limit forbids them: names it', async () => {
    // The root of a user namespace may limit those below its own.
    const limited = ['unshare', '--user', '--map-root-user', 'sh', '-c', 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"', 'sh'];
    const { stdout } = await program.run(['run', JSON.stringify([[['true'], { rootfs: image.path, namespaces: { user: 'new' }, cgroup: false }]])], {
      by: limited,
    });
    const [outcome] = (JSON.parse(stdout) as { outcomes: string[] }).outcomes;
    expect(outcome).toMatch(/^SyscallError: unshare\(CLONE_NEWUSER\) = ENOSPC .*\nhint: .*max_\S*_namespaces/);
  });
});

function linkOf(kind: string): string {
  return readlinkSync(`/proc/self/ns/${kind}`);
}
