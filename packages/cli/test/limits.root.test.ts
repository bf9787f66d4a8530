import { readFileSync } from 'node:fs';

import { readLayout } from '@ctr/cgroups';
import { expect, it } from 'vitest';

import { ctr } from './ctr.js';

const { hierarchies } = readLayout();
const versionOf = (controller: string): 1 | 2 | undefined => hierarchies.find(({ controllers }) => controllers.includes(controller))?.version;

it('has the limits of docker in the plan, by the files of this system', async (context) => {
  if (versionOf('memory') !== 1 || versionOf('cpu') !== 1 || versionOf('cpuset') !== 1)
    context.skip('needs cgroup v1 with the memory, cpu and cpuset controllers');
  const limits = ['-m', '64m', '--memory-swap', '96m', '--memory-swappiness', '10', '--cpu-quota', '20000', '--cpu-period', '50000', '--cpu-shares', '512'];
  const { code, stdout } = await ctr(['run', '--dry-run', ...limits, '--cpuset-cpus', '0', 'true']);
  expect(code).toBe(0);
  expect([...stdout.matchAll(/# the limit: (?!devices)(.*)$/gm)].map(([, limit]) => limit)).toEqual([
    'pids.max = 2048',
    'memory.limit_in_bytes = 67108864',
    'memory.memsw.limit_in_bytes = 100663296',
    'memory.swappiness = 10',
    'cpu.cfs_period_us = 50000',
    'cpu.cfs_quota_us = 20000',
    'cpu.shares = 512',
    'cpuset.cpus = 0',
  ]);
});

it('holds the program to processors', async (context) => {
  if (versionOf('cpuset') === undefined) context.skip('needs the cpuset controller');
  const own = /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
  const outcome = await ctr(['run', '-q', '--cpuset-cpus', own, '-m', '64m', '--memory-swap', '64m', 'grep', 'Cpus_allowed_list', '/proc/self/status']);
  expect(outcome).toMatchObject({ code: 0, stdout: `Cpus_allowed_list:\t${own}\n` });
});

it('starts nothing without a limit that was asked for', async (context) => {
  const version = versionOf('memory');
  if (version === undefined) return context.skip('needs the memory controller');
  const other = version === 1 ? ['--cgroup-conf', 'memory.high=60M'] : ['--memory-swappiness', '10'];
  const { code, stdout, stderr } = await ctr(['run', '-q', ...other, 'echo', 'started']);
  expect({ code, stdout }).toEqual({ code: 125, stdout: '' });
  expect(stderr).toContain(`cannot be had on version ${version} of control groups`);
});
