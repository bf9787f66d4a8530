// containerd has ctr-oci make its containers, by its shim for runc. Its own client is called `ctr`, as ours is.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { readLayout } from '@ctr/cgroups';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { bin, type Outcome } from '../ctr-oci.js';
import { ociArchive } from './oci-archive.js';
import { archiveOf } from './podman.js';
import { missing, Sandbox } from './sandbox.js';
import { snippet } from './snippet.js';

const image = 'localhost/bb:1';
const client = '/usr/bin/ctr';
const lacks = missing('containerd', 'containerd-shim-runc-v2', 'script');
const isV2 = readLayout().mode === 'v2';
let sandbox: Sandbox | undefined;

const here = (): Sandbox => {
  if (!sandbox) throw new Error('there is no sandbox');
  return sandbox;
};
/** Its name is that of the cgroup above those of its containers. */
const words = (args: readonly string[]): string[] => [client, '--address', join(here().directory, 'socket'), '--namespace', here().cgroup.slice(1), ...args];
const containerd = (...args: readonly string[]): Promise<Outcome> => here().run(words(args));
const usual = ['--snapshotter', 'native', '--runc-binary', bin];
let count = 0;

/** Runs a container to its end. */
const ran = (options: readonly string[], ...command: readonly string[]): Promise<Outcome> =>
  containerd('run', '--rm', ...usual, ...options, image, `containerd-${++count}`, ...command);

beforeAll(async () => {
  if (lacks !== undefined) return;
  sandbox = await Sandbox.open('containerd');
  const { directory } = sandbox;
  const own = (name: string): string => JSON.stringify(join(directory, name));
  writeFileSync(
    join(directory, 'config.toml'),
    `version = 2\nroot = ${own('root')}\nstate = ${own('run')}\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = ${own('socket')}\n`,
  );
  void sandbox.run(['containerd', '--config', join(directory, 'config.toml'), '--log-level', 'error']);
  expect((await sandbox.run(['sh', '-c', `until [ -S ${directory}/socket ]; do sleep 0.02; done`])).code).toBe(0);
  expect(await containerd('image', 'import', '--snapshotter', 'native', ociArchive(directory, archiveOf(directory), image))).toMatchObject({ code: 0 });
});
beforeEach((context) => {
  if (lacks !== undefined) context.skip(`${lacks} is not installed`);
});
afterAll(async () => {
  if (sandbox) expect(await sandbox.close()).toEqual({ groups: [], states: [] });
});

it('the configuration for Kubernetes is one of containerd', async () => {
  const file = join(here().directory, 'kubernetes.toml');
  writeFileSync(file, snippet('kubernetes.md', 'toml'));
  const { code, stdout } = await here().run(['containerd', '--config', file, 'config', 'dump']);
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringMatching(/runtimes\.ctr\.options\]\s+BinaryName = "\/usr\/local\/bin\/ctr-oci"/) as string,
  });
});

describe('ctr run of containerd', () => {
  it('gives what the program says, and how it ends', async () => {
    expect(await ran([], 'sh', '-c', 'echo said; echo complained >&2; exit 42')).toEqual({ code: 42, stdout: 'said\n', stderr: 'complained\n' });
  });

  it('tells why a program cannot be started, out of the log', async () => {
    expect((await ran([], 'nosuch')).stderr).toContain('OCI runtime create failed: create failed: exec: "nosuch": executable file not found in $PATH');
    expect((await ran([], '/etc')).stderr).toMatch(/exec: "\/etc".*permission denied/s);
  });

  it('limits, filters, mounts, and gives rights, environment and places', async () => {
    const groups = isV2 ? ['memory.max', 'cpu.max'] : ['memory/memory.limit_in_bytes', 'cpu/cpu.cfs_quota_us'];
    const shared = join(here().directory, 'shared');
    mkdirSync(shared);
    const options = ['--memory-limit=52428800', '--cpus=0.5', '--seccomp', '--cap-drop=CAP_CHOWN', '--env=A=b', '--cwd=/tmp', '--read-only'];
    const mounts = ['type=cgroup,src=cgroup,dst=/sys/fs/cgroup,options=ro', `type=bind,src=${shared},dst=/root,options=rbind:ro`].flatMap((mount) => [
      '--mount',
      mount,
    ]);
    const line = `cd /sys/fs/cgroup; cat ${groups.join(' ')}; cd -; echo $A; grep -e Seccomp: -e CapEff /proc/self/status; touch /new; touch /root/new`;
    expect(await ran([...options, ...mounts], 'sh', '-c', line)).toEqual({
      code: 1,
      stdout: `52428800\n${isV2 ? '50000 100000' : '50000'}\n/tmp\nb\nCapEff:\t00000000a80425fa\nSeccomp:\t2\n`,
      stderr: 'touch: /new: Read-only file system\ntouch: /root/new: Read-only file system\n',
    });
  });

  it('--privileged has all rights, --uidmap maps ids', async () => {
    expect((await ran(['--privileged'], 'sh', '-c', 'mount -t tmpfs inner /tmp && echo mounted')).stdout).toBe('mounted\n');
    const maps = ['--uidmap=0:100000:65536', '--gidmap=0:100000:65536'];
    expect((await ran(maps, 'sh', '-c', 'id -u; tr -s " " < /proc/self/uid_map')).stdout).toBe('0\n 0 100000 65536\n');
  });

  it('has a terminal', async () => {
    const command = words(['run', '--rm', '--tty', ...usual, image, `containerd-${++count}`, 'sh', '-c', '"tty; exit 4"']).join(' ');
    const { code, stdout } = await here().run(['script', '--quiet', '--return', '--command', command, '/dev/null']);
    expect({ code, shown: stdout.replaceAll(/[\r\0]|\^@/g, '') }).toEqual({ code: 4, shown: '/dev/pts/0\n' });
  });
});

describe('a task of containerd', () => {
  it('is looked at, measured, paused, joined and killed', async () => {
    const id = 'containerd-stays';
    onTestFinished(async () => {
      await containerd('task', 'delete', '--force', id);
      await containerd('container', 'delete', id);
    });
    expect(await containerd('run', '--detach', ...usual, image, id, 'sleep', '1000')).toMatchObject({ code: 0, stderr: '' });
    const status = async () => (await containerd('task', 'list')).stdout.match(/\b[A-Z]+$/m)?.[0];
    expect(await status()).toBe('RUNNING');
    expect((await containerd('task', 'ps', id)).stdout).toMatch(/^PID +INFO\n\d+ +-\n$/);
    expect((await containerd('task', 'metrics', id)).stdout).toMatch(/^(memory\.usage_in_bytes|memory\.usage|pids\.current) +[1-9]\d*/m);
    const exec = (...command: readonly string[]) => containerd('task', 'exec', '--exec-id', `e${++count}`, ...command);
    expect(await exec(id, 'sh', '-c', 'echo in; exit 5')).toEqual({ code: 5, stdout: 'in\n', stderr: '' });
    expect((await exec('--user=1000', '--cwd=/tmp', id, 'sh', '-c', 'id -u; pwd')).stdout).toBe('1000\n/tmp\n');
    expect((await exec(id, 'nosuch')).stderr).toContain('exec: "nosuch": executable file not found in $PATH');
    expect((await containerd('task', 'pause', id)).code).toBe(0);
    expect(await status()).toBe('PAUSED');
    expect((await containerd('task', 'resume', id)).code).toBe(0);
    expect(await status()).toBe('RUNNING');
    expect((await containerd('task', 'kill', '--all', '--signal=SIGKILL', id)).code).toBe(0);
    while ((await status()) !== 'STOPPED');
    expect((await containerd('task', 'delete', id)).stderr).toContain('exit code 137');
  });
});
