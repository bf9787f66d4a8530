// What relays let through: `ctr run cat` from a file to a file, against the same with the files handed over.
import { spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import type { Row } from './report.js';
import { median } from './samples.js';

const MB = 2 ** 20;
const FILE_MB = 512;
/** Fewer than of what takes a millisecond: each takes about one second. */
const MAX_ROUNDS = 9;
const GOAL = 0.8;

/** @param bin the program `ctr` */
export async function relayRow(directory: string, bin: string, rounds: number, dot: (round: number) => void): Promise<Row> {
  const from = join(directory, 'relay-from');
  const to = join(directory, 'relay-to');
  const block = randomFillSync(Buffer.alloc(MB));
  const file = openSync(from, 'w');
  for (let i = 0; i < FILE_MB; i++) writeSync(file, block);
  closeSync(file);
  const run = async (...options: readonly string[]): Promise<number> => {
    const files = [openSync(from, 'r'), openSync(to, 'w')] as const;
    const began = performance.now();
    await once(spawn(process.execPath, [bin, 'run', ...options, 'cat'], { stdio: [...files, 'inherit'] }), 'exit');
    const took = performance.now() - began;
    for (const open of files) closeSync(open);
    return took;
  };
  const relayed: number[] = [];
  const direct: number[] = [];
  for (let round = 0; round < Math.min(rounds, MAX_ROUNDS); round++) {
    relayed.push(await run());
    direct.push(await run('-T'));
    dot(round);
  }
  for (const path of [from, to]) rmSync(path);
  const ratio = median(direct) / median(relayed);
  return {
    what: '`ctr run cat < FILE > FILE` by relays, 512 MiB, of the throughput with `-T`',
    measured: `${ratio.toFixed(2)} × (${median(relayed).toFixed(0)} and ${median(direct).toFixed(0)} ms)`,
    goal: `≥ ${GOAL} ×`,
    reached: ratio >= GOAL,
  };
}
