// Control groups: what it costs to make one, beside a C program that makes the same calls, and what limits add to a container.
import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { createGroup, groupName, planGroup, readStatistics, type Cgroup, type Limits } from '@ctr/cgroups';
import type { Step } from '@ctr/syscall';

import { compileC, CProgram, type Contender } from './contender.js';
import type { Row } from './report.js';
import { median, takeTurns } from './samples.js';
import type { Stage } from './stage.js';

export const limits: Limits = { pids: 100, memoryBytes: 2 ** 30, cpuCores: 1 };
const PARENT = '/ctr';

/** The row on the life of a group. */
export async function lifeRow({ directory }: Stage, rounds: number, progress: (round: number) => void): Promise<Row> {
  const name = groupName('bench');
  const { create, places } = planGroup(name, limits, { parent: PARENT, freezer: true });
  const member = spawn('sleep', ['1000'], { stdio: 'ignore' });
  const pid = String(member.pid);
  const operations = [
    ...operationsOf(create),
    ...places.map(({ directory: group }) => `write ${group}/cgroup.procs ${pid}`),
    ...places.map(({ base }) => `write ${base}/cgroup.procs ${pid}`),
    ...places.map(({ directory: group }) => `rmdir ${group}`),
  ];
  const inC = new CProgram(compileC('cgroup.c', directory, 'cgroup'), operations);
  const ours: Contender = {
    sample: async (count) => {
      const times: number[] = [];
      for (let i = 0; i < count; i++) {
        const began = performance.now();
        const group = await createGroup(`${PARENT}/${name}`, limits);
        await group.add(Number(pid));
        for (const { base } of places) writeFileSync(`${base}/cgroup.procs`, pid);
        await group.remove();
        times.push(performance.now() - began);
      }
      return times;
    },
  };
  try {
    const samples = await takeTurns(
      [
        { name: 'ours', contender: ours, each: 2 },
        { name: 'inC', contender: inC, each: 2 },
      ],
      rounds,
      progress,
    );
    const [own, floor] = [median(samples.ours), median(samples.inC)];
    return {
      what: 'a control group with three limits, a process moved in and out, and its end, against a C program that does the same',
      measured: `${(own / floor).toFixed(2)} × (${own.toFixed(2)} and ${floor.toFixed(2)} ms)`,
      goal: '≤ 2 ×',
      reached: own / floor <= 2,
    };
  } finally {
    inC.close();
    member.kill('SIGKILL');
  }
}

/** What the steps do to files, in the words of cgroup.c. */
function operationsOf(steps: readonly Step[]): string[] {
  const paths = new Map<unknown, string>();
  const path = (at: Step['args'][number] | undefined): string => (typeof at === 'object' && at !== null && 'step' in at ? (paths.get(at.step) ?? '') : '');
  return steps.flatMap((step) => {
    const [first, second] = step.args;
    if (step.call === 'mkdirat') return [`mkdir ${String(second)}`];
    if (step.call === 'openat') paths.set(step, path(first) === '' ? String(second) : `${path(first)}/${String(second)}`);
    return step.call === 'write' ? [`write ${path(first)} ${String(second)}`] : [];
  });
}

const MANY = 1000;
const SNAPSHOTS = 200;

/** The rows on what is known of groups: all figures of one, and of a thousand. */
export async function statisticsRows(): Promise<Row[]> {
  const groups = await makeGroups(MANY);
  try {
    const times = (read: () => void, count: number): number[] =>
      Array.from({ length: count }, () => {
        const began = performance.now();
        read();
        return performance.now() - began;
      });
    const one = groups[0]?.directories ?? [];
    const snapshot = median(times(() => readStatistics(one), SNAPSHOTS));
    const all = median(times(() => groups.forEach(({ directories }) => readStatistics(directories)), 3));
    return [
      { what: 'all statistics of one control group', measured: `${snapshot.toFixed(2)} ms`, goal: '≤ 1 ms', reached: snapshot <= 1 },
      { what: 'of 1,000 control groups', measured: `${all.toFixed(0)} ms`, goal: '≤ 300 ms', reached: all <= 300 },
    ];
  } finally {
    for (const group of groups) await group.remove();
  }
}

const SHOWN = 200;
const LOOKS = 10;

/** The row on `ctr top`: the processor time of ten more looks, one each second. */
export async function topRow(): Promise<Row> {
  const groups = await makeGroups(SHOWN);
  const bin = fileURLToPath(new URL('../../packages/cli/dist/bin.cjs', import.meta.url));
  const seconds = (looks: number): number => {
    const script = 'TIMEFORMAT="%U %S"; time "$@" > /dev/null';
    const shown = execFileSync('bash', ['-c', `{ ${script}; } 2>&1`, 'bash', process.execPath, bin, 'top', '--json', '-n', String(looks)], {
      encoding: 'utf8',
    });
    return shown
      .trim()
      .split(' ')
      .reduce((sum, part) => sum + Number(part), 0);
  };
  try {
    const percent = ((seconds(LOOKS + 1) - seconds(1)) / LOOKS) * 100;
    return {
      what: `\`ctr top\` with ${SHOWN} containers, one look each second, of one processor`,
      measured: `${percent.toFixed(1)} %`,
      goal: '≤ 3 %',
      reached: percent <= 3,
    };
  } finally {
    for (const group of groups) await group.remove();
  }
}

async function makeGroups(count: number): Promise<Cgroup[]> {
  const groups: Cgroup[] = [];
  for (let i = 0; i < count; i++) groups.push(await createGroup(`${PARENT}/${groupName(`bench-${i}`)}`, limits, { measure: ['cpu', 'memory', 'pids'] }));
  return groups;
}
