// `ctr-oci` beside runc: whole processes, and a container that a Node process makes by itself.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { create, defaultConfig, remove, start } from '@ctr/oci';

import type { Contender } from './contender.js';
import type { Row } from './report.js';
import { median, takeTurns } from './samples.js';
import type { Stage } from './stage.js';

const bin = join(fileURLToPath(import.meta.url), '../../../packages/oci/dist/bin.cjs');
const WINCH = '28';
/** Less time passes with whole processes. */
const EACH = 1;

/** What `runc spec` writes, but for the terminal. */
export function makeBundle({ directory, rootfs }: Stage, name: string, args: readonly string[]): string {
  const bundle = join(directory, name);
  mkdirSync(bundle);
  const usual = defaultConfig();
  const config = {
    ...usual,
    root: { path: rootfs, readonly: true },
    process: { ...usual.process, args, terminal: false },
    linux: { ...usual.linux, cgroupsPath: `/ctr-bench-${process.pid}` },
  };
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
  return bundle;
}

/** The rows on the OCI runtime. */
export async function ociRows(stage: Stage, rounds: number, progress: (round: number) => void): Promise<Row[]> {
  const runs = makeBundle(stage, 'bundle-runs', ['true']);
  const stays = makeBundle(stage, 'bundle-stays', ['busybox', 'sleep', '1000']);
  using states = directoryOnTmpfs();
  const root = join(states.path, 'oci');
  const id = `ctr-bench-${process.pid}`;
  const ours = [process.execPath, bin, '--root', root];
  const runc = ['runc', '--root', join(states.path, 'runc')];
  const quiet = { root, stdio: ['ignore', 'ignore', 'ignore'] } as const;
  const made = async (): Promise<void> => {
    await create(stays, id, { ...quiet, detached: true });
  };
  const removed = (): Promise<void> => remove(id, { root, force: true });

  const whole = await takeTurns(
    [
      { name: 'node', contender: timed(() => ends([process.execPath, '-e', '0'])), each: EACH },
      { name: 'run', contender: timed(() => ends([...ours, 'run', '--bundle', runs, id])), each: EACH },
      { name: 'runc', contender: timed(() => ends([...runc, 'run', '--bundle', runs, id])), each: EACH },
      { name: 'delete', contender: timed(() => ends([...ours, 'delete', id]), { before: made }), each: EACH },
    ],
    rounds,
    progress,
  );
  await made();
  const waits = { ours: rssKilobytes(id), runc: 0 };
  const looks = await takeTurns(
    [
      { name: 'node', contender: timed(() => ends([process.execPath, '-e', '0'])), each: EACH },
      { name: 'state', contender: timed(() => ends([...ours, 'state', id])), each: EACH },
      { name: 'kill', contender: timed(() => ends([...ours, 'kill', id, WINCH])), each: EACH },
    ],
    rounds,
    progress,
  );
  await removed();
  const both = await takeTurns(
    [
      {
        name: 'ours',
        contender: timed(
          async () => {
            await made();
            await start(id, { root });
          },
          { after: removed },
        ),
        each: 4,
      },
      {
        name: 'runc',
        contender: timed(
          async () => {
            await ends([...runc, 'create', '--bundle', stays, id]);
            await ends([...runc, 'start', id]);
          },
          { after: () => ends([...runc, 'delete', '--force', id]) },
        ),
        each: EACH,
      },
    ],
    rounds,
    progress,
  );
  await ends([...runc, 'create', '--bundle', stays, id]);
  waits.runc = rssKilobytes(id);
  await ends([...runc, 'delete', '--force', id]);
  await ends([...ours, 'run', '--detach', '--bundle', stays, id]);
  const beside = processesOf(id);
  await removed();

  const node = median(whole.node);
  const run = median(whole.run);
  const other = median(whole.runc);
  const [own, two] = [median(both.ours), median(both.runc)];
  const more = (what: string, value: number, than: number, goal: number): Row => ({
    what: `\`${what}\` as a whole process takes more than \`node -e 0\``,
    measured: `${(value - than).toFixed(2)} ms (${value.toFixed(1)} and ${than.toFixed(1)} ms)`,
    goal: `≤ ${goal} ms`,
    reached: value - than <= goal,
  });
  return [
    {
      what: '`ctr-oci run` of the bundle that `runc spec` writes, against `runc run`',
      measured: `${(run / other).toFixed(2)} × (${run.toFixed(1)} and ${other.toFixed(1)} ms)`,
      goal: '≤ 4 ×',
      reached: run / other <= 4,
    },
    more('ctr-oci run', run, node, 35),
    {
      what: '`create` and `start` in one Node process, against `runc create` and `runc start`',
      measured: `${(two / own).toFixed(1)} × faster (${own.toFixed(2)} and ${two.toFixed(2)} ms)`,
      goal: '≥ 8 × faster',
      reached: two / own >= 8,
    },
    more('ctr-oci state', median(looks.state), median(looks.node), 20),
    more('ctr-oci kill', median(looks.kill), median(looks.node), 20),
    more('ctr-oci delete', median(whole.delete), node, 20),
    {
      what: 'a container of `ctr-oci` that runs, processes of ctr beside it',
      measured: String(beside),
      goal: '0',
      reached: beside === 0,
    },
    { what: 'one that waits to be started, memory of its process', measured: `${waits.ours} KB (with runc ${waits.runc} KB)`, goal: '', reached: undefined },
  ];
}

/** Where both keep their states: `/run`, where they do by themselves, is a tmpfs on most systems, and need not be one here. */
function directoryOnTmpfs(): Disposable & { readonly path: string } {
  const path = mkdtempSync('/dev/shm/ctr-bench-');
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** How long an action takes, without what comes before and after it. */
function timed(action: () => Promise<void>, around: { readonly before?: () => Promise<void>; readonly after?: () => Promise<void> } = {}): Contender {
  return {
    sample: async (count) => {
      const times: number[] = [];
      for (let i = 0; i < count; i++) {
        await around.before?.();
        const began = performance.now();
        await action();
        times.push(performance.now() - began);
        await around.after?.();
      }
      return times;
    },
  };
}

/** Runs a program to its end. */
async function ends([program = '', ...args]: readonly string[]): Promise<void> {
  const [code] = (await once(spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] }), 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}`);
}

/** What belongs to a container: its own process, and whatever has its id among its arguments. */
function processesOf(id: string): number {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && read(`/proc/${pid}/cmdline`).split('\0').includes(id)).length;
}

/** The memory that the process of a container occupies. */
function rssKilobytes(id: string): number {
  const pids = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && read(`/proc/${pid}/cgroup`).includes(`/ctr-bench-${process.pid}\n`));
  if (pids.length !== 1) throw new Error(`the container ${id} has ${pids.length} processes`);
  return Number(/^VmRSS:\s*(\d+)/m.exec(read(`/proc/${pids[0]}/status`))?.[1] ?? NaN);
}

/** A process may have ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
