// What runs of bundles have in common: a directory, a control group, and processes whose namespaces bundles name.
import { chmodSync, existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { readLayout } from '@ctr/cgroups';
import { create, createFlags, writeIdMaps } from '@ctr/namespaces';
import { becomeUser } from '@ctr/security';
import { continueInChild, launch, waitForHost, type Child, type Step } from '@ctr/syscall';

import { cgroupsBelow } from '../container.js';
import type { Stage } from './run.js';

/** A stage that has to be ended. */
export interface OpenStage extends Stage {
  /** Takes it away, and says what runs have left behind. */
  readonly end: () => Promise<readonly string[]>;
}

const maps = { uids: [{ inside: 0, outside: 100_000, count: 65_536 }], gids: [{ inside: 0, outside: 100_000, count: 65_536 }] };

export async function openStage(): Promise<OpenStage> {
  const directory = mkdtempSync(join(realpathSync(tmpdir()), 'ctr-diff-'));
  chmodSync(directory, 0o755);
  const cgroup = `/${basename(directory)}-groups`;
  const own = await sleeper([]);
  const other = await sleeper([...create('user'), ...waitForHost('map the ids'), ...becomeUser({ uid: 0, gid: 0 })]);
  return {
    directory,
    cgroup,
    pid: own.pid,
    pidOfOther: other.pid,
    end: async () => {
      for (const child of [own, other]) {
        child.kill('SIGKILL');
        await child.exited;
      }
      // Groups above one's own stay, as with other runtimes.
      const left = [...cgroupsBelow(cgroup).filter((path) => !path.endsWith('/levels')), ...cgroupsBelow(`${cgroup}/levels/one`)];
      for (const { mount } of readLayout().hierarchies)
        if (existsSync(mount + cgroup)) execFileSync('find', [mount + cgroup, '-depth', '-type', 'd', '-delete']);
      rmSync(directory, { recursive: true });
      return left;
    },
  };
}

/** A process in namespaces of its own, which stays. */
function sleeper(before: readonly Step[]): Promise<Child> {
  const steps: Step[] = [
    ...before,
    ...continueInChild({ namespaces: createFlags(['net', 'ipc', 'uts', 'pid', 'cgroup']) }),
    { call: 'execve', args: ['/bin/sleep', ['sleep', '1000'], []], purpose: 'stay' },
  ];
  return launch(steps, { stdio: ['ignore', 'ignore', 'ignore'], onWaiting: (pid) => writeIdMaps(pid, maps) });
}
