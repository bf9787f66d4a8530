// The life of containers and pods that podman has ctr-oci make.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { readLayout } from '@ctr/cgroups';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { image, podmanFor } from './podman.js';

const on = podmanFor('podman-life', ['catatonit', 'script']);
const { podman, inTerminal } = on;
const isV2 = readLayout().mode === 'v2';

/** A container that stays until the test is over. */
async function running(name: string, options: readonly string[], ...command: readonly string[]) {
  onTestFinished(async () => void (await podman(['rm', '--force', '--time=0', name])));
  expect(await podman(['run', '--detach', `--name=${name}`, ...on.usual, ...options, image, ...command])).toMatchObject({ code: 0, stderr: '' });
  return {
    exec: (...words: readonly string[]) => podman(['exec', ...words]),
    inspect: async (format: string) => (await podman(['inspect', `--format=${format}`, name])).stdout.trim(),
  };
}

/** Waits in a container until a file is there. */
const until = (name: string, file: string) => podman(['exec', name, 'sh', '-c', `until [ -e ${file} ]; do sleep 0.02; done`]);
const failed = (code: number, words: string) => ({ code, stderr: expect.stringMatching(new RegExp(words, 'is')) as string });

const patient = 'trap "touch /tmp/resized" WINCH; trap "echo ending; exit 3" TERM; echo out; echo err >&2; touch /tmp/ready; while :; do sleep 0.05; done';

describe('a container that stays', () => {
  it('is looked at, signalled, stopped, started again and removed', async () => {
    const { inspect } = await running('stays', [], 'sh', '-c', patient);
    await until('stays', '/tmp/ready');
    expect(await inspect('{{.State.Status}} {{.OCIRuntime}}')).toBe('running ctr');
    expect((await podman(['top', 'stays', 'pid', 'args'])).stdout).toMatch(/^PID +COMMAND\n1 +sh -c trap/);
    expect((await podman(['stats', '--no-stream', '--format={{.PIDs}}', 'stays'])).stdout).toMatch(/^[12]\n$/);
    expect(await podman(['rm', 'stays'])).toMatchObject(failed(2, 'running'));
    expect((await podman(['kill', '--signal=WINCH', 'stays'])).code).toBe(0);
    await until('stays', '/tmp/resized');
    expect(await podman(['stop', '--time=20', 'stays'])).toMatchObject({ code: 0, stderr: '' });
    expect((await podman(['wait', 'stays'])).stdout).toBe('3\n');
    expect(await podman(['logs', 'stays'])).toEqual({ code: 0, stdout: 'out\nending\n', stderr: 'err\n' });
    expect(await podman(['exec', 'stays', 'true'])).toMatchObject(failed(255, 'running'));
    expect((await podman(['start', 'stays'])).code).toBe(0);
    expect((await podman(['restart', '--time=0', 'stays'])).code).toBe(0);
    expect((await podman(['kill', 'stays'])).code).toBe(0);
    expect((await podman(['wait', 'stays'])).stdout).toBe('137\n');
    expect((await podman(['rm', 'stays'])).code).toBe(0);
  });

  it('is killed where it does not end by itself', async () => {
    await running('stubborn', [], 'sh', '-c', 'trap "" TERM; touch /tmp/ready; while :; do sleep 0.05; done');
    await until('stubborn', '/tmp/ready');
    expect(await podman(['stop', '--time=1', 'stubborn'])).toMatchObject({ code: 0, stderr: expect.stringContaining('resorting to SIGKILL') as string });
    expect((await podman(['wait', 'stubborn'])).stdout).toBe('137\n');
  });

  it('is created, initialized, started and attached to, one after the other', async () => {
    onTestFinished(async () => void (await podman(['rm', '--force', '--time=0', 'steps'])));
    const status = async () => (await podman(['inspect', '--format={{.State.Status}}', 'steps'])).stdout;
    expect((await podman(['create', '--interactive', '--name=steps', ...on.usual, image, 'sh', '-c', 'read -r word; echo "got $word"; exit 9'])).code).toBe(0);
    expect(await status()).toBe('created\n');
    expect((await podman(['init', 'steps'])).code).toBe(0);
    expect(await status()).toBe('initialized\n');
    expect(await podman(['start', '--attach', '--interactive', 'steps'], { input: 'it\n' })).toEqual({ code: 9, stdout: 'got it\n', stderr: '' });
  });

  it('has its processes stopped where they are, and let go on', async () => {
    const { exec, inspect } = await running('paused', [], 'sleep', '1000');
    expect((await podman(['pause', 'paused'])).code).toBe(0);
    expect(await inspect('{{.State.Status}}')).toBe('paused');
    expect(await exec('paused', 'true')).toMatchObject(failed(255, 'running'));
    expect((await podman(['unpause', 'paused'])).code).toBe(0);
    expect((await exec('paused', 'echo', 'goes on')).stdout).toBe('goes on\n');
  });

  it('has other limits while it runs', async () => {
    const { exec } = await running('limited', ['--memory=100m', '--pids-limit=100'], 'sleep', '1000');
    expect(await podman(['update', '--memory=60m', '--cpus=0.7', 'limited'])).toMatchObject({ code: 0 });
    const files = isV2 ? ['memory.max', 'cpu.max', 'pids.max'] : ['memory/memory.limit_in_bytes', 'cpu/cpu.cfs_quota_us', 'pids/pids.max'];
    const { stdout } = await exec('limited', 'cat', ...files.map((file) => `/sys/fs/cgroup/${file}`));
    expect(stdout).toBe(`62914560\n${isV2 ? '70000 100000' : '70000'}\n100\n`);
  });
});

describe('podman exec', () => {
  it('runs a further program: as a user, at a directory, with an environment, with all rights, apart, with input', async () => {
    const { exec } = await running('exec', ['--health-cmd=test -e /tmp/healthy', '--health-interval=disable'], 'sleep', '1000');
    expect(await exec('-e', 'A=b', '-u', '1000:1000', '-w', '/tmp', 'exec', 'sh', '-c', 'echo $A $(id -u) $(pwd); exit 7')).toEqual({
      code: 7,
      stdout: 'b 1000 /tmp\n',
      stderr: '',
    });
    expect((await exec('--privileged', 'exec', 'grep', 'CapEff', '/proc/self/status')).stdout).toMatch(/^CapEff:\t000001f\w{9}\n$/);
    expect(await podman(['exec', '-i', 'exec', 'cat'], { input: 'given\n' })).toEqual({ code: 0, stdout: 'given\n', stderr: '' });
    expect(await exec('exec', 'nosuch')).toMatchObject(failed(127, 'executable file not found in \\$PATH'));
    expect(await exec('exec', '/etc/passwd')).toMatchObject(failed(126, 'permission denied'));
    expect((await podman(['healthcheck', 'run', 'exec'])).code).toBe(1);
    expect((await exec('-d', 'exec', 'touch', '/tmp/healthy')).code).toBe(0);
    await until('exec', '/tmp/healthy');
    expect((await podman(['healthcheck', 'run', 'exec'])).code).toBe(0);
  });

  it('has a terminal of the size of its own', async () => {
    await running('terminal', [], 'sleep', '1000');
    const line = 'tty; until [ "$(stty size 2>/dev/null)" = "33 77" ]; do sleep 0.02; done; stty size; exit 5';
    const { code, stdout } = await inTerminal(['exec', '-it', 'terminal', 'sh', '-c', line], 'stty rows 33 cols 77');
    expect({ code, shown: stdout.replaceAll(/[\r\0]|\^@/g, '') }).toEqual({ code: 5, shown: '/dev/pts/0\n33 77\n' });
  });
});

describe('pods', () => {
  beforeEach((context) => {
    if (isV2) context.skip('podman 4.3 makes groups of pods on cgroup v2 that refuse all devices, to every runtime');
  });

  it('share namespaces by their infra container, and are paused, stopped and removed', async () => {
    onTestFinished(async () => void (await podman(['pod', 'rm', '--force', '--time=0', 'pod'])));
    expect(await podman(['pod', 'create', '--name=pod', '--share=net,ipc,uts,pid', ...on.usual])).toMatchObject({ code: 0 });
    expect((await podman(['run', '--detach', '--pod=pod', '--name=member', image, 'sleep', '1000'])).code).toBe(0);
    const line = 'hostname; cat /proc/1/comm; for kind in net ipc uts pid; do readlink /proc/self/ns/$kind; done';
    const mine = (await podman(['run', '--rm', '--pod=pod', image, 'sh', '-c', line])).stdout;
    expect(mine).toMatch(/^pod\ncatatonit\nnet:/);
    expect((await podman(['exec', 'member', 'sh', '-c', line])).stdout).toBe(mine);
    const states = async () => (await podman(['ps', '--all', '--pod', '--filter=pod=pod', '--format={{.State}}'])).stdout.replaceAll(/ .*/g, '');
    expect((await podman(['pod', 'pause', 'pod'])).code).toBe(0);
    expect(await states()).toBe('Paused\nPaused\n');
    expect((await podman(['pod', 'unpause', 'pod'])).code).toBe(0);
    expect((await podman(['pod', 'stop', '--time=0', 'pod'])).code).toBe(0);
    expect(await states()).toBe('Exited\nExited\n');
    expect((await podman(['pod', 'rm', 'pod'])).code).toBe(0);
  });

  it('are made of the YAML of Kubernetes, with its limits and users', async () => {
    const file = join(on.directory, 'pod.yaml');
    const container = {
      name: 'one',
      image,
      command: ['sleep', '1000'],
      resources: { limits: { memory: '64Mi', cpu: '500m' } },
      securityContext: { readOnlyRootFilesystem: true, runAsUser: 1000, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    };
    writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'kube' }, spec: { hostNetwork: true, containers: [container] } }));
    onTestFinished(async () => void (await podman(['pod', 'rm', '--force', '--time=0', 'kube'])));
    expect(await podman(['play', 'kube', file])).toMatchObject({ code: 0, stderr: '' });
    const memory = isV2 ? 'memory.max' : 'memory/memory.limit_in_bytes';
    const line = `id -u; grep -e CapEff -e NoNewPrivs /proc/self/status; cat /sys/fs/cgroup/${memory}; touch /new`;
    expect(await podman(['exec', 'kube-one', 'sh', '-c', line])).toMatchObject({
      stdout: '1000\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\n67108864\n',
      stderr: expect.stringContaining('Read-only file system') as string,
    });
  });
});

describe('podman build', () => {
  it('runs the steps of a Containerfile, from nothing and from an image', async () => {
    const context = join(on.directory, 'build');
    mkdirSync(context);
    writeFileSync(join(context, 'file'), 'content\n');
    copyFileSync(join(on.directory, 'rootfs.tar'), join(context, 'rootfs.tar'));
    const build = (...lines: readonly string[]) => {
      writeFileSync(join(context, 'Containerfile'), `${lines.join('\n')}\n`);
      return podman(['build', '--quiet', '--network=none', `${on.usual[0]}/build`, '--tag=localhost/built:1', context]);
    };
    const lines = [
      'ENV GREETING=hello',
      'RUN echo "$GREETING from $(id -u)" > /built',
      'COPY file /data/',
      'WORKDIR /data',
      'USER 1000',
      'RUN cat file > /tmp/copied; id -u >> /tmp/copied',
    ];
    for (const from of [['FROM scratch', 'ADD rootfs.tar /'], [`FROM ${image}`]]) {
      expect(await build(...from, ...lines, 'CMD ["cat", "/built", "/tmp/copied"]')).toMatchObject({ code: 0, stderr: '' });
      expect((await podman(['run', '--rm', ...on.usual, 'localhost/built:1'])).stdout).toBe('hello from 0\ncontent\n1000\n');
    }
    expect((await build(`FROM ${image}`, 'RUN ["nosuch"]')).stderr).toContain('ctr-oci: create failed: exec: "nosuch": executable file not found in $PATH');
  });
});

const many = 50;

describe(`${many} containers at once`, () => {
  let outcomes: Awaited<ReturnType<typeof podman>>[] = [];
  beforeAll(async () => {
    if (on.lacks === undefined)
      outcomes = await Promise.all(Array.from({ length: many }, (_, i) => podman(['run', '--rm', ...on.usual, image, 'sh', '-c', `echo ${i}; exit ${i}`])));
  }, 240_000);

  it('all say what they have to say, and end as they should', () => {
    expect(outcomes).toEqual(Array.from({ length: many }, (_, i) => ({ code: i, stdout: `${i}\n`, stderr: '' })));
  });
});
