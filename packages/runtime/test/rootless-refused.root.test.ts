// What may keep an ordinary user, or the root of a container, from containers: each is recognised, named, and has its remedy.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { image, sharedImage, temporary } from './image.js';
import { watchForLeaks } from './leaks.js';
import { NodeProgram } from './node-program.js';

watchForLeaks();
const shared = sharedImage();

const UID = 54_321;
const asUser = ['setpriv', `--reuid=${UID}`, `--regid=${UID}`, '--clear-groups'];

// Runs a command in a container; under a filter of system calls, if it is given one: then it starts itself anew.
const program = new NodeProgram(`
  import { run } from '@ctr/runtime';
  import { compileFilter, defaultProfile, noNewPrivs, seccomp } from '@ctr/security';
  import { launch } from '@ctr/syscall';
  const [json = '{}', profile = ''] = process.argv.slice(2);
  if (profile === '') {
    await (async () => run(['sh', '-c', 'id -u'], JSON.parse(json)))().then(({ stdout }) => console.log(stdout.trimEnd()), (error: Error) => console.log(error.name + ': ' + error.message));
  } else {
    const filter = compileFilter(profile === 'docker' ? defaultProfile : JSON.parse(profile), { capabilities: [] });
    const args = ['node', process.argv[1] ?? '', json];
    const child = await launch([...noNewPrivs(), ...seccomp(filter), { call: 'execve', args: [process.execPath, args, ['PATH=/usr/bin:/bin']], purpose: 'anew' }]);
    process.exitCode = (await child.exited).code;
  }
`);

interface Host {
  /** What a shell does before, as root, in a mount namespace of its own. */
  readonly before?: string;
  /** The commands between that and the program. */
  readonly by?: readonly string[];
  /** A profile in JSON, or \`docker\`. */
  readonly filter?: string;
  readonly options?: object;
}

async function outcome({ before = 'true', by = asUser, filter = '', options = {} }: Host): Promise<string> {
  const { stdout, stderr } = await program.run([JSON.stringify({ rootfs: shared.path, ...options }), filter], {
    by: ['unshare', '--mount', 'sh', '-c', `${before} && exec "$@"`, 'sh', ...by],
  });
  expect(stderr).toBe('');
  return stdout.trimEnd();
}

/** A setting of the kernel as another distribution has it: nothing of this host's changes. */
function sysctl(name: string, value: string): string {
  const directory = temporary();
  writeFileSync(join(directory, name), `${value}\n`);
  return `mount --bind ${directory} /proc/sys/kernel && chmod 755 ${directory}`;
}

/** All calls but these, which have an error. */
function refusing(names: readonly string[], errno: number): string {
  return JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names, action: 'SCMP_ACT_ERRNO', errnoRet: errno }] });
}

/** A filter sees no paths, but lengths: by these the maps are known. */
function refusingWrites(bytes: number): string {
  const args = [{ index: 2, value: bytes, op: 'SCMP_CMP_EQ' }];
  return JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['write'], action: 'SCMP_ACT_ERRNO', errnoRet: EPERM, args }] });
}

const EPERM = 1;
const EACCES = 13;
const ENOSYS = 38;

describe('an ordinary user is told of', () => {
  it('nothing, where nothing is in the way', async () => {
    expect(await outcome({})).toBe('0');
    expect(await outcome({ filter: refusing(['clone3'], ENOSYS) })).toBe('0');
  });

  it('user.max_user_namespaces=0', async () => {
    const by = ['unshare', '--user', '--map-root-user', 'sh', '-c', 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"', 'sh'];
    expect(await outcome({ by, options: { namespaces: { user: 'new' } } })).toMatch(
      /^SyscallError: unshare\(CLONE_NEWUSER\) = ENOSPC .*\nhint: user namespaces are switched off here: sysctl user\.max_user_namespaces=15000 \(as root\) allows them$/,
    );
  });

  it('kernel.unprivileged_userns_clone=0, of Debian', async () => {
    expect(await outcome({ before: sysctl('unprivileged_userns_clone', '0'), filter: refusing(['unshare'], EPERM) })).toMatch(
      /^SyscallError: unshare\(CLONE_NEWUSER\) = EPERM .*\nhint: Debian forbids user namespaces to ordinary users here: sysctl kernel\.unprivileged_userns_clone=1 \(as root\) allows them$/,
    );
  });

  it.each([
    ['the map cannot be written', refusingWrites(`0 ${UID} 1\n`.length), /write\(\$uid_map, /],
    ['nor the groups given up', refusingWrites('deny'.length), /write\(\$setgroups, /],
    ['a mount is refused', refusing(['mount_setattr'], EACCES), /mount_setattr/],
    ['another mount is refused', refusing(['fsopen'], EPERM), /fsopen/],
  ])('kernel.apparmor_restrict_unprivileged_userns=1, of Ubuntu, where a user namespace is made and %s', async (_, filter, call) => {
    const said = await outcome({ before: sysctl('apparmor_restrict_unprivileged_userns', '1'), filter });
    expect(said).toMatch(call);
    expect(said).toMatch(
      /\nhint: Ubuntu restricts user namespaces by AppArmor here: sysctl kernel\.apparmor_restrict_unprivileged_userns=0 \(as root\), or an AppArmor profile with "userns," for this program$/,
    );
  });

  it('a chroot', async () => {
    const root = image();
    const names = ['usr', 'lib', 'lib64', 'proc', 'dev', 'sys'];
    for (const name of ['usr', 'lib', 'lib64', 'dev/shm']) mkdirSync(join(root, name), { recursive: true });
    const mounts = names.map((name) => `mount --rbind /${name} ${root}/${name}`).join(' && ');
    const directory = program.path.slice(0, program.path.lastIndexOf('/'));
    const own = `mkdir -p ${root}${directory} && mount --bind ${directory} ${root}${directory}`;
    const node = process.execPath.slice(0, process.execPath.lastIndexOf('/'));
    const ofNode = `mkdir -p ${root}${node} && mount --bind ${node} ${root}${node}`;
    const before = `${mounts} && ${own} && ${ofNode} && chmod 755 ${root}`;
    expect(await outcome({ before, by: ['chroot', `--userspec=${UID}:${UID}`, root], options: { rootfs: '/usr' } })).toMatch(
      /^SyscallError: unshare\(CLONE_NEWUSER\) = EPERM .*\nhint: this process is in a chroot, where the kernel makes no user namespaces: leave it/,
    );
  });

  it('the filter of docker around it', async () => {
    expect(await outcome({ filter: 'docker' })).toMatch(
      /^SyscallError: unshare\(CLONE_NEWUSER\) = EPERM .*\nhint: a seccomp filter is around this process, as in most containers, .*\(docker, podman: --security-opt seccomp=unconfined\)$/,
    );
    expect(await outcome({ filter: refusing(['openat2'], ENOSYS) })).toMatch(
      /^SyscallError: openat2\(.* = ENOSYS .*\nhint: .* a seccomp filter .* does not offer openat2$/,
    );
  });

  it('a /proc of which parts are mounted over, and may have that one', async () => {
    const before = 'mount -t tmpfs none /proc/acpi 2>/dev/null || mount -t tmpfs none /proc/sys/fs';
    const said = await outcome({ before });
    expect(said).toMatch(
      /^SyscallError: fsmount\(.* = EPERM .*\nhint: parts of \/proc are mounted over, as in most containers \(\/proc\/\S+\), and the kernel then gives a user namespace no fresh proc: .*--security-opt unmask=ALL.*--pid host\)$/,
    );
    expect(await outcome({ before, options: { namespaces: { pid: 'host' } } })).toBe('0');
  });

  it('nothing, of a /proc that hides the processes of others', async () => {
    const before = 'mount -t proc -o hidepid=2 proc /proc';
    expect(await outcome({ before })).toBe('0');
    expect(await outcome({ before, by: ['env'] })).toBe('0');
  });

  it('a /proc that is not there', async () => {
    const message = 'Error: /proc is not mounted here, and ctr needs it: mount -t proc proc /proc (as root)';
    expect(await outcome({ before: 'mount -t tmpfs none /proc' })).toBe(message);
    expect(await outcome({ before: 'mount -t tmpfs none /proc', by: ['env'] })).toBe(message);
  });

  it('a /proc that is read-only', async () => {
    expect(await outcome({ before: 'mount -o remount,bind,ro /proc' })).toMatch(/^SyscallError: (fsmount|openat)\(.* = (EPERM|EROFS) /);
  });
});

describe('root is told of', () => {
  const root = ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin'];

  it('a missing CAP_SYS_ADMIN', async () => {
    expect(await outcome({ by: root, options: { cgroup: false } })).toMatch(
      /^SyscallError: clone\(.* = EPERM .*\nhint: this root does not have CAP_SYS_ADMIN, as in most containers: start that with it \(docker, podman: --cap-add SYS_ADMIN, or --privileged\)/,
    );
  });

  it('the filter of docker around it', async () => {
    expect(await outcome({ by: ['env'], filter: 'docker', options: { cgroup: false } })).toMatch(
      /^SyscallError: clone\(.* = EPERM .*\nhint: a seccomp filter is around this process/,
    );
  });
});
