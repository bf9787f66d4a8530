// `npm run bench`: measures ctr against the calls themselves in C and against its peers, prints a table, and writes it to results.md.
// `npm run bench -- 100` takes a hundred rounds instead of sixty.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { hierarchyOf, readLayout } from '@ctr/cgroups';
import { plan, privileged, standalone, type ContainerOptions } from '@ctr/runtime';
import { registerWithKeeper } from '@ctr/syscall';

import { lifeRow, statisticsRows, topRow } from './cgroups.js';
import { compileC, CProgram, Worker, type Contender } from './contender.js';
import { idlePercent, machine } from './machine.js';
import { ociRows } from './oci.js';
import { findOnPath } from './on-path.js';
import { relayRow } from './relay.js';
import { markdown, type Row } from './report.js';
import { median, takeTurns, type Turn } from './samples.js';
import { seccompRows } from './seccomp.js';
import { bwrapAllArgs, seedProgram, seedSetUp } from './seed.js';
import { makeStage, type Stage } from './stage.js';
import { toC } from './to-c.js';
import type { Measurement } from './worker.js';

const root = join(fileURLToPath(import.meta.url), '../../..');
const MB = 2 ** 20;
/** A user that owns nothing here. */
const ORDINARY = 54_320;
const rounds = Number(process.argv[2] ?? 60);
if (!Number.isSafeInteger(rounds) || rounds < 1) throw new RangeError(`${process.argv[2]} is not a number of rounds`);
if (process.geteuid?.() !== 0) throw new Error('the containers that are measured are root’s: run it as root');
for (const program of ['gcc', 'bwrap', 'runc']) if (!findOnPath(program)) throw new Error(`${program} is not installed: there is nothing to compare with`);

const say = (text: string): void => void process.stderr.write(`${text}\n`);

const idleBefore = await idlePercent();
using stage = makeStage();
const rows = [
  ...(await seedRows(stage)),
  ...(await runRows(stage)),
  ...(await cgroupRows(stage)),
  ...filterRows(stage),
  ...(await processRows(stage)),
  ...(await runtimeRows(stage)),
  await streamRow(stage),
  ...sizeRows(stage),
];
const report = markdown(new Date(), [...machine(), `${idleBefore} % idle before, ${await idlePercent()} % after`], rounds, rows);
console.log(report);
writeFileSync(join(root, 'bench/results.md'), report);

/** The seed's set, with heaps of three sizes. */
async function seedRows({ directory, rootfs, filter }: Stage): Promise<Row[]> {
  const floor = floorOf([...seedSetUp(rootfs), ...seedProgram()], directory, 'floor-seed');
  const heaps = { small: 50 * MB, gigabyte: 1024 * MB, three: 3 * 1024 * MB };
  const workers = {
    small: await Worker.start({ heapBytes: heaps.small, rootfs, filter }),
    gigabyte: await Worker.start({ heapBytes: heaps.gigabyte, rootfs, filter }),
    three: await Worker.start({ heapBytes: heaps.three, rootfs, filter }),
  };
  say('the seed’s set …');
  // Only what is compared takes turns: a contender with a large heap empties the caches of all others.
  const { small, gigabyte, three } = workers;
  const launch = { small: turn('small', small, 'launch', 8), gigabyte: turn('gigabyte', gigabyte, 'launch', 8), three: turn('three', three, 'launch', 8) };
  const byCalls = medians(await takeTurns([{ name: 'floor', contender: floor, each: 8 }, launch.small], rounds, dot));
  const byHeap = medians(await takeTurns([launch.small, launch.three], rounds, dot));
  const t = medians(await takeTurns([launch.small, turn('spawnSync', small, 'spawnSync', 8), turn('bwrap', small, 'bwrap', 4)], rounds, dot));
  const atGigabyte = medians(await takeTurns([launch.gigabyte, turn('spawnSync', gigabyte, 'spawnSync', 1)], rounds, dot));
  const atThree = medians(await takeTurns([launch.three, turn('spawnSync', three, 'spawnSync', 1)], rounds, dot));
  floor.close();
  for (const worker of Object.values(workers)) worker.close();
  return [
    ratio('the seed’s set from Node, heap 50 MB', byCalls.small, 'the same calls in C', byCalls.floor, { atMost: 1.8 }),
    faster('the seed’s set, heap 50 MB', t.small, "`spawnSync('/bin/true')` in the same process", t.spawnSync, 1),
    faster('the seed’s set, heap 1 GB', atGigabyte.gigabyte, "`spawnSync('/bin/true')` in the same process", atGigabyte.spawnSync, 20),
    faster('the seed’s set, heap 3 GB', atThree.three, "`spawnSync('/bin/true')` in the same process", atThree.spawnSync, 60),
    faster('the seed’s set, heap 50 MB', t.small, "`spawn('bwrap', …)` with the same isolation", t.bwrap, 4),
    ratio('the seed’s set, heap 3 GB', byHeap.three, 'heap 50 MB', byHeap.small, { atMost: 1.2 }),
  ];
}

/** Default containers by `run()`. */
async function runRows({ directory, rootfs, filter }: Stage): Promise<Row[]> {
  const floors = [0, 1, 2, 3].map((i) => floorOf(withoutKeeper(plan(['true'])), directory, `floor-run-${i}`, ['OUTPUT']));
  const [floor] = floors as [CProgram];
  const worker = await Worker.start({ heapBytes: 50 * MB, rootfs, filter });
  say('a default container …');
  const t = medians(
    await takeTurns(
      [{ name: 'floor', contender: floor, each: 8 }, turn('run', worker, 'run', 8), turn('bwrapHardened', worker, 'bwrapHardened', 4)],
      rounds,
      dot,
    ),
  );
  say('the same as an ordinary user …');
  const ordinary = await Worker.start({ heapBytes: 50 * MB, rootfs, filter }, ORDINARY);
  const r = medians(await takeTurns([turn('run', ordinary, 'run', 8), turn('bwrapHardened', ordinary, 'bwrapHardened', 4)], rounds, dot));
  ordinary.close();
  const loop = medians(await takeTurns([turn('blocks', worker, 'runBlocks', 8), turn('active', worker, 'runActive', 8)], rounds, dot));
  say('many containers …');
  const inC = await best({ sample: (count) => rateOf(floors, count) }, 1600);
  for (const each of floors) each.close();
  const seeds = await best(worker.contender('launchThroughput'), 1600);
  const runs = await best(worker.contender('runThroughput'), 1600);
  worker.close();
  const fresh = await Worker.start({ heapBytes: 0, rootfs, filter });
  await fresh.measure('run', 50);
  await fresh.measure('alive', 100);
  const [bytes = NaN] = await fresh.measure('alive', 1000);
  fresh.close();
  return [
    ratio('a default container by `run()`, hardened and all', t.run, 'the same calls in C', t.floor, { atMost: 1.4 }),
    ratio('the same', t.run, "`spawn('bwrap', …)` with the same namespaces, mounts and a filter", t.bwrapHardened, { atMost: 0.6 }),
    ratio('the same as an ordinary user', r.run, "`spawn('bwrap', …)` as that user", r.bwrapHardened, { atMost: 0.7 }),
    atMost('the call to `run()` blocks the event loop', loop.blocks, 'ms', 0.5),
    {
      what: 'the event loop is at work for a container by `run()`, all turns together',
      measured: `${loop.active.toFixed(2)} ms`,
      goal: '',
      reached: undefined,
    },
    { what: 'the seed’s set from one process, 16 at a time', measured: `${seeds.toFixed(0)} per second`, goal: '≥ 600 per second', reached: seeds >= 600 },
    {
      what: 'default containers by `run()` from one process, 16 at a time',
      measured: `${runs.toFixed(0)} per second (the same calls in C, 4 programs at a time: ${inC.toFixed(0)} per second)`,
      goal: '≥ 600 per second',
      reached: runs >= 600,
    },
    {
      what: '1,000 containers alive at once, memory of the host process for each',
      measured: `${(bytes / 1024).toFixed(1)} KB`,
      goal: '≤ 20 KB',
      reached: bytes <= 20 * 1024,
    },
  ];
}

/** Control groups, and what limits add to a container. */
async function cgroupRows(stage: Stage): Promise<Row[]> {
  say('control groups …');
  const life = await lifeRow(stage, rounds, dot);
  const worker = await Worker.start({ heapBytes: 50 * MB, rootfs: stage.rootfs, filter: stage.filter });
  const t = medians(await takeTurns([turn('run', worker, 'run', 4), turn('runLimited', worker, 'runLimited', 4)], rounds, dot));
  worker.close();
  const unified = hierarchyOf(readLayout(), 'memory')?.version === 2;
  return [
    life,
    ...(await statisticsRows()),
    atMost('limits of pids, memory and processor time add to a container by `run()`', t.runLimited - t.run, 'ms', unified ? 0.4 : 0.8),
    await topRow(),
  ];
}

function runtimeRows(stage: Stage): Promise<Row[]> {
  say('the OCI runtime …');
  return ociRows(stage, rounds, dot);
}

/** A container as an executable. */
function sizeRows({ rootfs }: Stage): Row[] {
  return [
    { what: 'the host’s userland', options: {} },
    { what: 'a root file system', options: { rootfs } },
  ].map(({ what, options }): Row => {
    const { length } = standalone(['true'], options);
    return { what: `a compiled container, size, with ${what}`, measured: `${(length / 1024).toFixed(1)} KB`, goal: '≤ 12 KB', reached: length <= 12 * 1024 };
  });
}

function streamRow({ directory }: Stage): Promise<Row> {
  say('relays …');
  return relayRow(directory, join(root, 'packages/cli/dist/bin.cjs'), rounds, dot);
}

function filterRows(stage: Stage): Row[] {
  say('the filter …');
  return seccompRows(stage);
}

/** Whole processes, timed by a C program. */
async function processRows({ directory, rootfs }: Stage): Promise<Row[]> {
  const time = compileC('time.c', directory, 'time');
  const options: ContainerOptions = { ...privileged, noNewPrivileges: true, rootfs, hostname: 'box', cgroup: false, mounts: [{ tmpfs: '/tmp' }] };
  const launcher = join(directory, 'launcher');
  writeFileSync(launcher, standalone(['true'], options), {
    mode: 0o755,
  });
  const commands = {
    node: [process.execPath, '-e', '0'],
    ctr: [process.execPath, join(root, 'packages/cli/dist/bin.cjs'), 'run', 'true'],
    launcher: [launcher],
    inC: [compileFloor(withoutKeeper(plan(['true'], options)), directory, 'once', ['ONCE'], ['-static']).executable],
    bwrap: [findOnPath('bwrap') ?? 'bwrap', ...bwrapAllArgs(rootfs)],
  };
  const programs = Object.entries(commands).map(([name, command]) => ({ name: name as keyof typeof commands, program: new CProgram(time, command) }));
  say('whole processes …');
  const turns = programs.map(({ name, program }): Turn<keyof typeof commands> => ({
    name,
    contender: program,
    each: name === 'node' || name === 'ctr' ? 1 : 5,
  }));
  const t = medians(await takeTurns(turns, rounds, dot));
  for (const { program } of programs) program.close();
  return [
    atMost('`ctr run true` as a whole process takes more than `node -e 0`', t.ctr - t.node, 'ms', 25, `${t.ctr.toFixed(1)} and ${t.node.toFixed(1)} ms`),
    faster('a compiled container as a whole process', t.launcher, '`bwrap` with the same isolation', t.bwrap, 3),
    {
      what: 'the same calls by a static C program',
      measured: `${(t.bwrap / t.inC).toFixed(1)} × faster (${t.inC.toFixed(2)} ms)`,
      goal: '',
      reached: undefined,
    },
  ];
}

function turn<const Name extends string>(name: Name, worker: Worker, what: Measurement, each: number): Turn<Name> {
  return { name, contender: worker.contender(what), each };
}

function floorOf(steps: ReturnType<typeof plan>, directory: string, name: string, definitions: readonly string[] = []): CProgram {
  const { executable, fds } = compileFloor(steps, directory, name, definitions);
  return new CProgram(executable, [], fds);
}

/** The same calls where nobody keeps the container: the program in C has no keeper to register with. */
function withoutKeeper(steps: ReturnType<typeof plan>): ReturnType<typeof plan> {
  const keeping = new Set(registerWithKeeper({ pid: 1 }).steps.map(({ purpose }) => purpose));
  return steps.filter(({ purpose }) => !keeping.has(purpose));
}

function compileFloor(steps: ReturnType<typeof plan>, directory: string, name: string, definitions: readonly string[], flags: readonly string[] = []) {
  const { source, fds } = toC(steps);
  const file = join(directory, `${name}.h`);
  writeFileSync(file, source);
  return { executable: compileC('floor.c', directory, name, [`PLAN="${file}"`, ...definitions], flags), fds };
}

function medians<Name extends string>(samples: Record<Name, number[]>): Record<Name, number> {
  return Object.fromEntries(Object.entries<number[]>(samples).map(([name, values]) => [name, median(values)])) as Record<Name, number>;
}

/** What several programs at a time make of a number of containers, per second. */
async function rateOf(programs: readonly CProgram[], count: number): Promise<number[]> {
  const began = performance.now();
  await Promise.all(programs.map((program) => program.sample(count / programs.length)));
  return [(count / (performance.now() - began)) * 1000];
}

/** The best of three: a rate is what the machine can do when nothing else disturbs it. */
async function best(contender: Contender, count: number): Promise<number> {
  const rates: number[] = [];
  for (let i = 0; i < 3; i++) rates.push(...(await contender.sample(count)));
  return Math.max(...rates);
}

function ratio(what: string, value: number, against: string, than: number, goal: { readonly atMost: number }): Row {
  const times = value / than;
  return {
    what: `${what}, against ${against}`,
    measured: `${times.toFixed(2)} × (${value.toFixed(2)} and ${than.toFixed(2)} ms)`,
    goal: `≤ ${goal.atMost} ×`,
    reached: times <= goal.atMost,
  };
}

function faster(what: string, value: number, against: string, than: number, goal: number): Row {
  const times = than / value;
  return {
    what: `${what}, against ${against}`,
    measured: `${times.toFixed(1)} × faster (${value.toFixed(2)} and ${than.toFixed(2)} ms)`,
    goal: goal === 1 ? 'faster' : `≥ ${goal} × faster`,
    reached: times >= goal,
  };
}

function atMost(what: string, value: number, unit: string, goal: number, detail?: string): Row {
  return { what, measured: `${value.toFixed(2)} ${unit}${detail === undefined ? '' : ` (${detail})`}`, goal: `≤ ${goal} ${unit}`, reached: value <= goal };
}

function dot(round: number): void {
  if (round % 10 === 9) say(`  ${round + 1} of ${rounds} rounds`);
}
