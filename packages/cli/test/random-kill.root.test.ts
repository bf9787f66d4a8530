// `kill -9` of ctr at any moment: what is left goes with one `ctr gc`, and no process outlives it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { readLayout } from '@ctr/cgroups';

import { isWholeRun, note } from '../../../tools/fault-record.mjs';
import { ctr, startCtr } from './ctr.js';

const KILLS = isWholeRun ? 1000 : 60;
const AT_ONCE = 4;
/** Of this process's runs alone. */
const name = `ctr-kill-${process.pid}`;
const marker = `54321.0${process.pid}`;

/** With more of a set-up, and processes between ctr and the program. */
const variants = [[], ['--init'], ['-t'], ['-m', '64m', '--tmpfs', '/tmp/x'], ['--userns', 'new']];

it(`${KILLS} kills at random moments leave nothing that one gc does not remove`, { timeout: isWholeRun ? 600_000 : 60_000 }, async () => {
  const mounts = readFileSync('/proc/self/mountinfo', 'latin1');
  const duration = await measured();
  const moments: number[] = [];
  let [killedRunning, survivors] = [0, 0];
  const one = async (i: number): Promise<void> => {
    const running = startCtr(['run', '--name', `${name}-${i}`, ...(variants[i % variants.length] ?? []), 'sh', '-c', `echo started; exec sleep ${marker}`]);
    const moment = Math.random() * duration * 1.3;
    moments[i] = Math.round(moment);
    const timer = setTimeout(() => running.kill('SIGKILL'), moment);
    // The streams end when the last process that has them does.
    const { stdout, signal, stderr } = await running.ended;
    clearTimeout(timer);
    if (stdout.includes('started')) killedRunning++;
    expect({ signal, stderr, moment }).toEqual({ signal: 'SIGKILL', stderr: '', moment });
  };
  for (let i = 0; i < KILLS; i += AT_ONCE) await Promise.all(Array.from({ length: Math.min(AT_ONCE, KILLS - i) }, (_, k) => one(i + k)));
  const left = groups().length;
  expect(await ctr(['gc'])).toMatchObject({ code: 0, stderr: '' });
  survivors = processes().length + groups().length;
  expect({ moments, processes: processes(), groups: groups() }).toEqual({ moments, processes: [], groups: [] });
  expect((await ctr(['gc'])).stdout).not.toContain(name);
  expect(readFileSync('/proc/self/mountinfo', 'latin1')).toBe(mounts);
  // The moments are spread over the start and what comes after it.
  expect(killedRunning).toBeGreaterThan(0);
  expect(killedRunning).toBeLessThan(KILLS);
  note(
    `${KILLS} × kill -9 of ctr run at random moments (${killedRunning} after the program's start)`,
    `${survivors} left after one gc, which had ${left} to remove when it was called (each start removes those of the ones before)`,
  );
});

/** How long it takes until the program runs, in milliseconds, on a machine that does so many at once. */
async function measured(): Promise<number> {
  const begin = performance.now();
  await Promise.all(Array.from({ length: AT_ONCE }, () => ctr(['run', 'true'])));
  return performance.now() - begin;
}

function groups(): string[] {
  return readLayout()
    .hierarchies.map(({ mount }) => join(mount, 'ctr'))
    .filter((parent) => existsSync(parent))
    .flatMap((parent) => readdirSync(parent).filter((group) => group.startsWith(name)));
}

function processes(): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(marker);
    } catch {
      return false;
    }
  });
}
