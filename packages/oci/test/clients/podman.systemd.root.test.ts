// podman and ctr-oci where systemd makes the control groups, as podman has it on most machines.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { image, podmanFor, slice } from './podman.js';

const on = podmanFor('podman-s', [], { uid: 0 }, 'systemd');
const { podman } = on;
const directory = `/sys/fs/cgroup/ctroci.slice/${slice}`;

/** What systemd has of a unit, and the kernel of its group. */
function limitsOf(unit: string): string[] {
  const shown = execFileSync('systemctl', ['show', '--property=MemoryMax,TasksMax', unit], { encoding: 'utf8' });
  return [...shown.trim().split('\n').toSorted(), ...['memory.max', 'pids.max'].map((file) => readFileSync(join(directory, unit, file), 'utf8').trim())];
}

it('podman has its containers in scopes of systemd, limited, joined, changed and removed', async () => {
  const options = ['--detach', '--name=stays', '--memory=100m', '--pids-limit=50', ...on.usual];
  const { code, stdout, stderr } = await podman(['run', ...options, image, 'sleep', '1000']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const unit = `libpod-${stdout.trim()}.scope`;
  expect(limitsOf(unit)).toEqual(['MemoryMax=104857600', 'TasksMax=50', '104857600', '50']);
  expect((await podman(['update', '--memory=60m', 'stays'])).code).toBe(0);
  expect(limitsOf(unit)).toEqual(['MemoryMax=62914560', 'TasksMax=50', '62914560', '50']);
  expect(await podman(['exec', 'stays', 'cat', '/proc/self/cgroup'])).toEqual({ code: 0, stdout: '0::/\n', stderr: '' });
  expect((await podman(['rm', '--force', '--time=0', 'stays'])).code).toBe(0);
  const left = existsSync(directory) ? readdirSync(directory).filter((name) => /^libpod-[0-9a-f]+\.scope$/.test(name)) : [];
  expect(left).toEqual([]);
});
