// A Node process that measures on order; main.ts starts one for each size of heap. All its answers are lists of numbers.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

import { run, start } from '@ctr/runtime';
import { launch } from '@ctr/syscall';

import { bwrapHardened } from './bwrap-hardened.js';
import { limits } from './cgroups.js';
import { bwrapArgs, seedProgram, seedSetUp } from './seed.js';

/** What a worker is started with. */
export interface Setting {
  /** Bytes of live Buffers. */
  readonly heapBytes: number;
  readonly rootfs: string;
  /** A file with the filter that a default container has. */
  readonly filter: string;
}

/** What it is to do, and how often. */
export interface Order {
  readonly what: Measurement;
  readonly count: number;
}

export type Measurement = keyof typeof measurements;

const setting = JSON.parse(process.argv[2] ?? '{}') as Setting;
const CHUNK_BYTES = 2 ** 20;
/** Kept alive, and filled, so that each page is there. They are as small as a server's are: large ones would get huge pages, which a fork copies in no time. */
export const heap = Array.from({ length: Math.ceil(setting.heapBytes / CHUNK_BYTES) }, (_, i) =>
  Buffer.alloc(Math.min(CHUNK_BYTES, setting.heapBytes - i * CHUNK_BYTES), 1),
);

/** The same for every container, and frozen, so that `launch` prepares it once. */
const setUp = Object.freeze(seedSetUp(setting.rootfs));

const measurements = {
  /** The seed's set, to its end; milliseconds. */
  launch: timed(async () => expectZero(await (await launch([setUp, seedProgram()])).exited)),
  /** `child_process.spawnSync`, which isolates nothing; milliseconds. */
  spawnSync: timed(() => expectZero({ code: spawnSync('/bin/true').status })),
  /** The seed's set by bwrap; milliseconds. */
  bwrap: timed(async () => {
    const [code] = (await once(spawn('bwrap', bwrapArgs(setting.rootfs), { stdio: 'ignore' }), 'exit')) as [number];
    expectZero({ code });
  }),
  /** The namespaces, mounts and filter of a default container by bwrap, its output collected; milliseconds. */
  bwrapHardened: timed(() => bwrapHardened(setting.filter)),
  /** A default container, its output collected; milliseconds. */
  run: timed(() => run(['true'])),
  /** The same with limits of pids, memory and processor time; milliseconds. */
  runLimited: timed(() => run(['true'], { limits })),
  /** How long the call to `run` blocks, all of posix_spawn included; what comes later are short turns of the event loop. Milliseconds. */
  runBlocks: async (count: number): Promise<number[]> => {
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      const began = performance.now();
      const running = run(['true']);
      times.push(performance.now() - began);
      await running;
    }
    return times;
  },
  /** For how long the event loop is at work for a default container, all its turns together; milliseconds. */
  runActive: async (count: number): Promise<number[]> => {
    const before = performance.eventLoopUtilization();
    for (let i = 0; i < count; i++) await run(['true']);
    return [performance.eventLoopUtilization(before).active / count];
  },
  /** Default containers per second, 16 at a time. */
  runThroughput: throughput(() => run(['true'])),
  /** The seed's sets per second, 16 at a time. */
  launchThroughput: throughput(async () => expectZero(await (await launch([setUp, seedProgram()])).exited)),
  /** Memory of this process per container, with `count` default containers alive; bytes. */
  alive: async (count: number): Promise<number[]> => {
    const before = memory();
    const containers = [];
    for (let i = 0; i < count; i++) containers.push(await start(['sleep', '1000'], { stdio: 'ignore' }));
    const bytes = memory() - before;
    for (const container of containers) container.kill('SIGKILL');
    await Promise.all(containers.map((container) => container.exited));
    return [bytes / count];
  },
};

function timed(action: () => unknown): (count: number) => Promise<number[]> {
  return async (count) => {
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      const began = performance.now();
      await action();
      times.push(performance.now() - began);
    }
    return times;
  };
}

function throughput(action: () => Promise<unknown>): (count: number) => Promise<number[]> {
  const AT_A_TIME = 16;
  return async (count) => {
    let left = count;
    const began = performance.now();
    const lane = async (): Promise<void> => {
      while (left-- > 0) await action();
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, lane));
    return [(count / (performance.now() - began)) * 1000];
  };
}

function memory(): number {
  globalThis.gc?.();
  return process.memoryUsage.rss();
}

function expectZero({ code }: { readonly code?: number | null }): void {
  if (code !== 0) throw new Error(`it ended with ${code}`);
}

process.on('message', ({ what, count }: Order) => {
  void measurements[what](count).then((answer) => process.send?.(answer));
});
process.send?.([heap.length]);
