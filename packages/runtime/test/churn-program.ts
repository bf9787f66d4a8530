// Many containers in one process, a third of which come to a bad end: what it has more of afterwards.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { run, type RunOptions } from '@ctr/runtime';

import { leftovers, sameAs } from './leftovers.js';

/** What became of the launches. */
export interface Churn {
  readonly launches: number;
  /** How many have failed, by what they have failed of. */
  readonly failed: Readonly<Record<string, number>>;
  /** Ends that were not the ones to expect. */
  readonly wrong: readonly string[];
  readonly leftBehind: string | undefined;
  /** How resident memory and the heap grow, in bytes for each launch, by all samples after the first quarter. */
  readonly residentBytesPerLaunch: number;
  readonly heapBytesPerLaunch: number;
  /** The least and the most that was resident in these samples: the allocator gives pages back when it likes, and a slope is small against that. */
  readonly residentBytes: readonly [least: number, most: number];
}

const SAMPLES = 40;
const [count, seed, rootfs] = JSON.parse(process.argv[2] ?? '') as [number, number, string];
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

type Attempt = readonly [command: readonly [string, ...string[]], options: RunOptions, end: RegExp];
const failures: Readonly<Record<string, () => Attempt>> = {
  'an exit code': () => [['sh', '-c', 'exit 3'], {}, /ended with exit code 3/],
  'a signal': () => [['sh', '-c', 'kill -9 $$; exec sleep 1000'], { namespaces: { pid: 'host' } }, /was killed by SIGKILL/],
  'no program': () => [['missing'], {}, /ENOENT/],
  'a step': () => [['true'], { cwd: '/nowhere' }, /"\/nowhere".* = ENOENT/],
  'a program that cannot be executed': () => [['/etc'], {}, /EACCES/],
  'a time-out': () => [['sleep', '1000'], { timeoutMs: 1 + random() * 15 }, /was killed after \d+ ms: its time was over/],
  'being cancelled': () => [['sleep', '1000'], { cancelSignal: AbortSignal.timeout(Math.floor(random() * 15)) }, /was cancelled|TimeoutError|aborted/],
  'options that cannot be': () => [['true'], { hostname: 'x'.repeat(65) }, /has 65 bytes/],
};
const kinds = Object.keys(failures);
const failed: Record<string, number> = {};
const wrong: string[] = [];
let [state, launches] = [seed, 0];
const samples: { readonly at: number; readonly resident: number; readonly heap: number }[] = [];

await attempts(Math.ceil(count / 20));
const before = leftovers();
launches = 0;
for (let i = 0; i < SAMPLES; i++) {
  await Promise.all(Array.from({ length: 4 }, () => attempts(Math.ceil(count / SAMPLES / 4))));
  collect();
  const { rss, heapUsed } = process.memoryUsage();
  samples.push({ at: launches, resident: rss, heap: heapUsed });
}
const leftBehind = await sameAs(before).then(() => undefined, String);
const later = samples.slice(SAMPLES / 4);
const churn: Churn = {
  launches,
  failed,
  wrong,
  leftBehind,
  residentBytesPerLaunch: slope(later.map(({ at, resident }) => [at, resident])),
  heapBytesPerLaunch: slope(later.map(({ at, heap }) => [at, heap])),
  residentBytes: [Math.min(...later.map(({ resident }) => resident)), Math.max(...later.map(({ resident }) => resident))],
};
console.log(JSON.stringify(churn));

async function attempts(number: number): Promise<void> {
  for (let i = 0; i < number; i++) {
    launches++;
    const kind = random() < 1 / 3 ? kinds[Math.floor(random() * kinds.length)] : undefined;
    if (kind === undefined) await attempt('success', [['true'], {}, /^undefined$/]);
    else {
      failed[kind] = (failed[kind] ?? 0) + 1;
      await attempt(kind, failures[kind]?.() ?? [['true'], {}, /^$/]);
    }
  }
}

async function attempt(kind: string, [command, options, end]: Attempt): Promise<void> {
  let reason: unknown;
  try {
    await run(command, { rootfs, ...options });
  } catch (error) {
    reason = error;
  }
  if (!end.test(String(reason)) && wrong.length < 10) wrong.push(`${kind}: ${String(reason)}`);
}

/** From 0 to 1: what it gives depends on the seed alone. */
function random(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

/** Of the straight line that fits the points best. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (of: (point: readonly [number, number]) => number): number => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(([at]) => at), mean(([, value]) => value)];
  return mean(([at, value]) => (at - x) * (value - y)) / mean(([at]) => (at - x) ** 2);
}
