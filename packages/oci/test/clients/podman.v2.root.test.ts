// podman with ctr-oci where control groups are of version 2 alone. The rest of what podman does is the same with every version.
import { expect, it } from 'vitest';

import { image, podmanFor } from './podman.js';

const on = podmanFor('podman-v2');
const { podman } = on;

it('podman limits, joins, measures, pauses and changes a container', async () => {
  const options = ['--detach', '--name=stays', '--memory=100m', '--pids-limit=50', '--cpus=0.5', ...on.usual];
  expect(await podman(['run', ...options, image, 'sleep', '1000'])).toMatchObject({ code: 0, stderr: '' });
  expect((await podman(['stats', '--no-stream', '--format={{.PIDs}} {{.MemUsage}}', 'stays'])).stdout).toMatch(/^1 [\d.]+kB \/ 104\.9MB\n$/);
  expect((await podman(['update', '--memory=60m', '--cpus=0.7', 'stays'])).code).toBe(0);
  const files = ['cgroup.procs', 'memory.max', 'cpu.max', 'pids.max'].map((file) => `/sys/fs/cgroup/${file}`);
  const limits = await podman(['exec', 'stays', 'sh', '-c', `cat ${files.join(' ')} | tail -n 3; cat /proc/self/cgroup`]);
  expect(limits).toEqual({ code: 0, stdout: '62914560\n70000 100000\n50\n0::/\n', stderr: '' });
  expect((await podman(['pause', 'stays'])).code).toBe(0);
  expect((await podman(['inspect', '--format={{.State.Status}}', 'stays'])).stdout).toBe('paused\n');
  expect((await podman(['rm', '--force', '--time=0', 'stays'])).code).toBe(0);
});
