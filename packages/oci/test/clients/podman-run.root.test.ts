// `podman run` with ctr-oci: what its options promise, looked at from inside.
import { chmodSync, existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { readLayout } from '@ctr/cgroups';
import { describe, expect, it } from 'vitest';

import { podmanFor } from './podman.js';

const on = podmanFor('podman-run', ['catatonit']);
const { inside, podman } = on;
const isV2 = readLayout().mode === 'v2';

/** A directory of the host for a volume. */
function volume(name: string): string {
  const directory = join(on.directory, name);
  mkdirSync(directory);
  chmodSync(directory, 0o777);
  writeFileSync(join(directory, 'file'), 'of the host\n');
  return directory;
}

const done = (stdout: string) => ({ code: 0, stdout, stderr: '' });

describe('podman run', () => {
  it('has the runtime of its configuration', async () => {
    expect((await podman(['info', '--format={{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Version}}'])).stdout).toMatch(/^ctr ctr-oci version /);
  });

  it('gives what the program says, and how it ends', async () => {
    expect(await inside([], 'echo said; echo complained >&2; exit 42')).toEqual({ code: 42, stdout: 'said\n', stderr: 'complained\n' });
    expect(await podman(['run', '--rm', '--interactive', ...on.usual, 'localhost/bb:1', 'cat'], { input: 'as it came\n' })).toEqual(done('as it came\n'));
  });

  it('tells why a program cannot be started, by the exit codes of podman', async () => {
    const of = async (program: string) => podman(['run', '--rm', ...on.usual, 'localhost/bb:1', program]);
    expect(await of('nosuch')).toMatchObject({ code: 127, stderr: expect.stringContaining('exec: "nosuch": executable file not found in $PATH') as string });
    expect(await of('/etc/passwd')).toMatchObject({ code: 126, stderr: expect.stringMatching(/exec: "\/etc\/passwd".*permission denied/is) as string });
    expect(await of('/etc')).toMatchObject({ code: 126, stderr: expect.stringMatching(/exec: "\/etc".*permission denied/is) as string });
  });

  it('limits memory, processes and processors', async () => {
    const files = isV2
      ? ['memory.max', 'memory.low', 'pids.max', 'cpu.max', 'cpuset.cpus', 'cpu.weight'].map((file) => `/sys/fs/cgroup/${file}`)
      : [
          'memory/memory.limit_in_bytes',
          'memory/memory.soft_limit_in_bytes',
          'pids/pids.max',
          'cpu/cpu.cfs_quota_us',
          'cpuset/cpuset.cpus',
          'cpu/cpu.shares',
        ].map((file) => `/sys/fs/cgroup/${file}`);
    const options = ['--memory=50m', '--memory-reservation=40m', '--pids-limit=33', '--cpus=0.5', '--cpuset-cpus=0', '--cpu-shares=512'];
    const { stdout, stderr } = await inside(options, `cat ${files.join(' ')}; nproc`);
    expect({ lines: stdout.trim().split('\n'), stderr }).toEqual({
      lines: ['52428800', '41943040', '33', isV2 ? '50000 100000' : '50000', '0', isV2 ? '59' : '512', '1'],
      stderr: '',
    });
  });

  it('filters system calls by a profile of its own, by the usual one, or not', async () => {
    const profile = join(on.directory, 'profile.json');
    writeFileSync(
      profile,
      JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 }] }),
    );
    expect(await inside([`--security-opt=seccomp=${profile}`], 'mkdir /tmp/x')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Function not implemented') as string,
    });
    expect((await inside([], 'grep Seccomp: /proc/self/status')).stdout).toBe('Seccomp:\t2\n');
    expect((await inside(['--security-opt=seccomp=unconfined'], 'grep Seccomp: /proc/self/status')).stdout).toBe('Seccomp:\t0\n');
  });

  it('gives and takes rights', async () => {
    const rights = "grep -e CapEff -e NoNewPrivs /proc/self/status | cut -f2 | tr '\\n' ' '";
    expect((await inside([], rights)).stdout).toMatch(/^00000000a\w+ 0 $/);
    expect((await inside(['--cap-drop=ALL', '--security-opt=no-new-privileges'], rights)).stdout).toBe('0000000000000000 1 ');
    // CAP_SYS_TIME is 25, CAP_CHOWN is 0.
    expect((await inside(['--cap-drop=ALL', '--cap-add=SYS_TIME', '--cap-add=CHOWN'], rights)).stdout).toBe('0000000002000001 0 ');
  });

  it('hides what it is asked to hide, and shows what it is asked to show', async () => {
    const masked = await inside(['--security-opt=mask=/root'], 'touch /root/x 2>&1');
    expect(masked.stdout).toContain('Read-only file system');
    expect((await inside(['--security-opt=unmask=ALL'], 'grep " /proc/" /proc/mounts || echo all of it')).stdout).toBe('all of it\n');
    expect((await inside(['--security-opt=unmask=/proc/sys'], 'grep " /proc/sys " /proc/mounts || echo writable')).stdout).toBe('writable\n');
  });

  it('--privileged has all rights and devices', async () => {
    const { stdout } = await inside(['--privileged'], 'mount -t tmpfs inner /tmp && echo mounted; grep Seccomp: /proc/self/status; ls /dev | wc -l');
    const [mounted, filter, devices] = stdout.split('\n');
    expect({ mounted, filter }).toEqual({ mounted: 'mounted', filter: 'Seccomp:\t0' });
    expect(Number(devices)).toBeGreaterThan(15);
  });

  it('mounts volumes: to read, to write, with labels, with options, by name, of images', async () => {
    const directory = volume('volume');
    const { stdout } = await inside(
      [
        `--volume=${directory}:/rw`,
        `--volume=${directory}:/ro:ro`,
        `--volume=${directory}:/label:z`,
        `--volume=${directory}:/strict:noexec,nodev,nosuid,rslave`,
        '--volume=named:/named',
        '--mount=type=image,source=localhost/bb:1,destination=/image',
      ],
      'cat /rw/file /label/file; echo new > /rw/new; echo no > /ro/no; grep " /strict " /proc/mounts | cut -d" " -f4 | cut -d, -f1-4; echo kept > /named/file; ls /image/etc/passwd',
    );
    expect(stdout).toBe('of the host\nof the host\nrw,nosuid,nodev,noexec\n/image/etc/passwd\n');
    expect(readFileSync(join(directory, 'new'), 'utf8')).toBe('new\n');
    expect(existsSync(join(directory, 'no'))).toBe(false);
    expect((await inside(['--volume=named:/named'], 'cat /named/file')).stdout).toBe('kept\n');
    expect((await podman(['volume', 'rm', 'named'])).code).toBe(0);
  });

  it('--read-only leaves what is temporary; --tmpfs is for everybody', async () => {
    const line =
      'touch /new 2>&1; touch /tmp/new && echo temporary; stat -c %a /scratch /small; touch /scratch/mine && echo mine; grep -o "size=64k" /proc/mounts';
    const { stdout } = await inside(['--read-only', '--tmpfs=/scratch', '--tmpfs=/small:size=64k,mode=700', '--user=1000'], line);
    expect(stdout).toBe('touch: /new: Read-only file system\ntemporary\n1777\n700\nmine\nsize=64k\n');
    expect((await inside(['--read-only', '--read-only-tmpfs=false'], 'touch /tmp/new')).stderr).toContain('Read-only file system');
  });

  it('runs as a user, by name or number, in groups, at a directory, with a mask and an environment', async () => {
    const { stdout } = await inside(
      ['--user=user', '--group-add=55', '--workdir=/tmp', '--umask=0077', '--env=A=b', '--oom-score-adj=100'],
      'id; pwd; umask; echo $A; cat /proc/self/oom_score_adj',
    );
    expect(stdout).toBe('uid=1000(user) gid=1000(user) groups=55,1000(user)\n/tmp\n0077\nb\n100\n');
    expect((await inside(['--user=4321:77'], 'id -u; id -g')).stdout).toBe('4321\n77\n');
  });

  it('maps ids to others, of volumes too', async () => {
    const directory = volume('mapped');
    const maps = ['--uidmap=0:100000:65536', '--gidmap=0:100000:65536'];
    const { stdout } = await inside(
      [...maps, `--volume=${directory}:/v`],
      'id -u; tr -s " " < /proc/self/uid_map; touch /v/new; stat -c "%u %g" /v/new /v/file',
    );
    expect(stdout).toBe('0\n 0 100000 65536\n0 0\n65534 65534\n');
  });

  it('has the devices that are given, and rules for them', async () => {
    const { stdout } = await inside(
      ['--device=/dev/null:/dev/other:rw'],
      'echo x > /dev/other && stat -c "%t %T" /dev/other; mknod /tmp/mem c 1 1 && cat /tmp/mem 2>&1',
    );
    expect(stdout).toBe("1 3\ncat: can't open '/tmp/mem': Operation not permitted\n");
  });

  it('sets the settings of its namespaces, limits of processes, and names', async () => {
    const { stdout } = await inside(
      ['--sysctl=net.ipv4.ip_forward=1', '--sysctl=kernel.msgmax=9000', '--ulimit=nofile=77:88', '--ulimit=nproc=1024:1024', '--hostname=box', '--shm-size=1m'],
      'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax; ulimit -n; ulimit -Hn; hostname; df /dev/shm | tail -n 1 | tr -s " " | cut -d" " -f2',
    );
    expect(stdout).toBe('1\n9000\n77\n88\nbox\n1024\n');
  });

  it('has a network of its own, or that of the host', async () => {
    expect((await inside([], 'cat /proc/net/dev | tail -n +3 | cut -d: -f1 | tr -d " "')).stdout).toBe('lo\n');
    const { stdout } = await inside(['--network=host'], 'readlink /proc/self/ns/net');
    expect(stdout).toBe(`${readlinkSync('/proc/self/ns/net')}\n`);
  });

  it('--init reaps; the namespaces of the host are those', async () => {
    const reaped = 'cat /proc/1/comm; sh -c "sleep 0 & exec true"; while ps | grep -q -e "[s]leep 0$" -e "\\[sleep\\]"; do :; done; echo reaped';
    expect((await inside(['--init'], reaped)).stdout).toBe('podman-init\nreaped\n');
    const host = await inside(['--pid=host', '--ipc=host', '--uts=host', '--cgroupns=host'], 'test $$ -ne 1 && hostname');
    expect(host).toEqual(done(readFileSync('/proc/sys/kernel/hostname', 'utf8')));
    const outside = await podman([
      'run',
      '--rm',
      '--network=none',
      '--cgroups=disabled',
      'localhost/bb:1',
      'sh',
      '-c',
      'ls /sys/fs/cgroup | wc -l; cat /proc/self/cgroup',
    ]);
    expect(outside).toMatchObject({ code: 0, stderr: '', stdout: expect.not.stringMatching(/^0\n|libpod-/) as string });
    expect((await inside(['--cgroupns=private'], 'grep -vc ":/$" /proc/self/cgroup')).stdout).toBe('0\n');
  });

  it('runs a terminal', async () => {
    const { code, stdout } = await on.inTerminal(['run', '--rm', '-it', ...on.usual, 'localhost/bb:1', 'sh', '-c', 'tty; exit 4']);
    expect({ code, stdout: stdout.replaceAll(/[\r\0]/g, '') }).toEqual({ code: 4, stdout: '/dev/pts/0\n' });
  });
});
