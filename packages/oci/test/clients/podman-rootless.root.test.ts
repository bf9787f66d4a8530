// podman of an ordinary user, with ctr-oci: with ids that are granted to it, and with its own alone. The users are there for the tests alone.
import { readLayout } from '@ctr/cgroups';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { image, podmanFor, type Podman } from './podman.js';

const needed = ['setpriv', 'newuidmap', 'newgidmap', 'catatonit', 'script'];
const isV2 = readLayout().mode === 'v2';

beforeEach((context) => {
  if (isV2) context.skip('on cgroup v2 podman has an ordinary user make groups, which nobody has delegated to it here');
});

function life({ podman, inside, inTerminal, usual }: Podman): void {
  it('runs, is joined, signalled and stopped', async () => {
    onTestFinished(async () => void (await podman(['rm', '--force', '--time=0', 'stays'])));
    const line = 'trap "exit 3" TERM; touch /tmp/ready; while :; do sleep 0.05; done';
    expect((await podman(['run', '--detach', '--name=stays', ...usual, image, 'sh', '-c', line])).code).toBe(0);
    expect(await podman(['exec', '-e', 'A=b', 'stays', 'sh', '-c', 'until [ -e /tmp/ready ]; do sleep 0.02; done; echo $A; exit 4'])).toMatchObject({
      code: 4,
      stdout: 'b\n',
    });
    const terminal = await inTerminal(['exec', '-it', 'stays', 'tty']);
    expect(terminal.stdout).toContain('/dev/pts/0');
    expect((await podman(['stop', '--time=20', 'stays'])).code).toBe(0);
    expect((await podman(['wait', 'stays'])).stdout).toBe('3\n');
  });

  it('is root of its own, and has what it asks for', async () => {
    expect((await inside(['--privileged'], 'mount -t tmpfs inner /tmp && echo mounted')).stdout).toBe('mounted\n');
    const options = [
      '--read-only',
      '--tmpfs=/scratch',
      '--hostname=box',
      '--sysctl=kernel.msgmax=9000',
      '--ulimit=nofile=77:88',
      '--ulimit=nproc=1024:1024',
      '--security-opt=no-new-privileges',
    ];
    const line = 'touch /new; touch /scratch/new && hostname; cat /proc/sys/kernel/msgmax; ulimit -n; grep NoNewPrivs /proc/self/status';
    expect((await inside(options, line)).stdout).toBe('box\n9000\n77\nNoNewPrivs:\t1\n');
    expect((await inside(['--init'], 'cat /proc/1/comm')).stdout).toBe('podman-init\n');
  });

  it('is in a pod', async () => {
    onTestFinished(async () => void (await podman(['pod', 'rm', '--force', '--time=0', 'pod'])));
    expect((await podman(['pod', 'create', '--name=pod', ...usual])).code).toBe(0);
    expect((await inside(['--pod=pod'], 'hostname')).stdout).toBe('pod\n');
  });
}

describe('with granted ids', () => {
  const on = podmanFor('podman-granted', needed, { uid: 54_321, granted: '400000:65536' });
  life(on);

  it('has users besides root', async () => {
    const { stdout } = await on.inside(['--user=user'], 'id -u; tr -s " " < /proc/self/uid_map; touch /tmp/x && stat -c "%u %g" /tmp/x /etc/passwd');
    expect(stdout).toBe('1000\n 0 54321 1\n 1 400000 65536\n1000 1000\n0 0\n');
    expect((await on.inside(['--userns=keep-id'], 'id -u')).stdout).toBe('54321\n');
  });
});

describe('with its own id alone', () => {
  const on = podmanFor('podman-alone', needed, { uid: 54_322 });
  life(on);

  it('has no other users, and says so', async () => {
    expect((await on.inside([], 'tr -s " " < /proc/self/uid_map')).stdout).toBe(' 0 54322 1\n');
    expect(await on.inside(['--user=1000'], 'id')).toMatchObject({ code: 126, stderr: expect.stringMatching(/setgroups.*EPERM|setgroups.*EINVAL/s) as string });
  });
});
