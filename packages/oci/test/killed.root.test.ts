// SIGKILL of ctr-oci right before each of its calls that change something: whatever it has come to, `delete --force` leaves nothing.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { create, remove, start } from '@ctr/oci';
import { call, prctlOptions, waitFlags, waitIdTypes } from '@ctr/syscall';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { isWholeRun, record } from '../../../tools/fault-record.mjs';
import { bundleOf, cgroupsBelow, configOf, newId, place } from './container.js';
import { command } from './ctr-oci.js';

const at = place();
const sleeper = ['sleep', '1000'];
const quiet = { stdio: ['ignore', 'ignore', 'ignore'] } as const;

/** Calls by which something becomes different, for the process or for others: a kill before any other has the effect of one before the next of these. */
const changing =
  'mkdir mkdirat mknod mknodat write pwrite64 rename renameat renameat2 unlink unlinkat rmdir linkat fsync flock ' +
  'clone clone3 vfork memfd_create socketpair sendto sendmsg recvmsg connect pidfd_open pidfd_send_signal kill';
/** How often ctr-oci is started to be killed at a call. */
const MAX_TRIES = 5;
/** Every so many of them are tried when there is not time for all. */
const every = isWholeRun ? 1 : 3;

beforeAll(() => {
  // Whoever loses its parent becomes a child of this process, and is found.
  call({ call: 'prctl', args: [prctlOptions.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0], purpose: 'orphans come here' });
});

beforeEach((context) => {
  if (!hasStrace()) context.skip('strace is not installed, by which ctr-oci is killed at a call');
});

describe('ctr-oci is killed, and the container deleted by force: nothing is left', () => {
  it.each([
    ['create', ['--pid-file', 'pid', 'ID'], 'none'],
    ['start', ['ID'], 'created'],
    ['exec', ['--detach', 'ID', 'sleep', '1000'], 'running'],
    ['update', ['--pids-limit', '50', 'ID'], 'running'],
    ['pause', ['ID'], 'running'],
    ['kill', ['ID', 'KILL'], 'running'],
    ['delete', ['--force', 'ID'], 'running'],
  ] as const)('%s', { timeout: 240_000 }, async (name, args, before) => {
    const own = children();
    const mounts = readFileSync('/proc/self/mountinfo', 'latin1');
    const attempt = async (point?: Point): Promise<string[]> => {
      const id = newId();
      const bundle = bundleOf(at, configOf(at, sleeper));
      if (before !== 'none') await create(bundle, id, { root: at.root, ...quiet, detached: true });
      if (before === 'running') await start(id, { root: at.root });
      const calls = await traced([name, ...args.map((word) => (word === 'ID' ? id : word))], bundle, point);
      // The first process of a pid namespace ends when all others are waited for.
      const reaper = setInterval(children, 5);
      await remove(id, { root: at.root, force: true }).finally(() => clearInterval(reaper));
      await isAll(own);
      const left = [...readdirSync(at.root), ...cgroupsBelow(at.cgroup), ...readdirSync(bundle).filter((file) => file.startsWith('.'))];
      expect(left, `killed after ${calls.at(-2)}`).toEqual([]);
      return calls;
    };
    const calls = (await attempt()).slice(0, -1);
    const first = calls.findIndex((line) => line.includes(at.root) || /^(flock|pidfd_open)\(/.test(line));
    expect(first).toBeGreaterThanOrEqual(0);
    const points = pointsOf(calls).slice(first);
    const chosen = points.filter((_, i) => i % every === 0);
    let killed = 0;
    for (const point of chosen) {
      // How often it looks for reports is chance: a call of the first run is not made in each other one.
      for (let tries = MAX_TRIES; tries > 0; tries--) {
        if ((await attempt(point)).at(-1) !== '+++ killed by SIGKILL +++') continue;
        killed++;
        break;
      }
    }
    expect(killed).toBeGreaterThan(chosen.length * 0.8);
    expect(readFileSync('/proc/self/mountinfo', 'latin1')).toBe(mounts);
    record({
      plan: `\`ctr-oci ${name}\``,
      fault: 'SIGKILL',
      points: chosen.length,
      told: killed,
      tolerated: 0,
      offTheWay: chosen.length - killed,
      leftBehind: 0,
      collected: undefined,
    });
  });
});

/** A call: which one, and which of these. */
interface Point {
  readonly call: string;
  readonly nth: number;
}

function pointsOf(calls: readonly string[]): Point[] {
  const counts = new Map<string, number>();
  return calls.map((line) => {
    const name = line.slice(0, line.indexOf('('));
    const nth = (counts.get(name) ?? 0) + 1;
    counts.set(name, nth);
    return { call: name, nth };
  });
}

/** Runs ctr-oci, killed before a call, or to its end: the calls that it has made, and how it ended. */
async function traced(args: readonly string[], cwd: string, point: Point | undefined): Promise<string[]> {
  const trace = join(cwd, 'trace');
  const set = changing.replaceAll(/\w+/g, '?$&').replaceAll(' ', ',');
  const fault = point ? ['-e', `inject=${point.call}:signal=KILL:when=${point.nth}`] : [];
  const child = spawn('strace', ['-o', trace, '-e', `trace=${set}`, ...fault, ...command, '--root', at.root, ...args], {
    cwd,
    stdio: 'ignore',
    env: { PATH: process.env['PATH'], NODE_DISABLE_COMPILE_CACHE: '1' },
  });
  await once(child, 'exit');
  const lines = readFileSync(trace, 'latin1').trim().split('\n');
  rmSync(trace);
  return lines.filter((line) => !line.startsWith('---'));
}

/** Waits until this process has no more children than before. */
async function isAll(before: ReadonlySet<number>): Promise<void> {
  const deadline = performance.now() + 5000;
  for (;;) {
    const more = [...children()].filter((pid) => !before.has(pid));
    if (more.length === 0) return;
    if (performance.now() > deadline) throw new Error(`left behind: ${more.map((pid) => readFileSync(`/proc/${pid}/status`, 'latin1')).join('\n')}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** The children of this process that run; those that have ended are waited for, which nobody else may want to do then. */
function children(): Set<number> {
  const pids = readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1').trim().split(' ').filter(Boolean).map(Number);
  return new Set(pids.filter((pid) => !isZombie(pid)));
}

function isZombie(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return true;
  if (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))) return false;
  call({ call: 'waitid', args: [waitIdTypes.P_PID, pid, 0, waitFlags.WEXITED | waitFlags.WNOHANG, 0], purpose: 'an orphan has ended', tolerates: ['ECHILD'] });
  return true;
}

function hasStrace(): boolean {
  try {
    execFileSync('strace', ['-V'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
