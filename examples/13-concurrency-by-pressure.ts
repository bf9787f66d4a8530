// As many jobs at once as the machine bears: more while processors are idle, fewer when processes wait for one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readPressure } from '@ctr/cgroups';

const LOOK_MS = 100;
const jobs = Array.from({ length: 40 }, (_, i) => `i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done # job ${i}`);

let limit = 1;
let most = 0;
const running = new Set<Promise<unknown>>();
let before = waited();
const timer = setInterval(() => {
  const now = waited();
  // The share of the time in which some process had to wait for a processor.
  const share = (now - before) / (LOOK_MS * 1000);
  before = now;
  limit = share < 0.2 ? limit + 1 : share > 0.5 ? Math.max(1, Math.floor(limit / 2)) : limit;
}, LOOK_MS);

for (const job of jobs) {
  while (running.size >= limit) await Promise.race(running);
  const ended: Promise<unknown> = once(spawn('sh', ['-c', job], { stdio: 'ignore' }), 'exit').then(() => running.delete(ended));
  running.add(ended);
  most = Math.max(most, running.size);
}
await Promise.all(running);
clearInterval(timer);
console.log(`${jobs.length} jobs are done, at most ${most} of them at once`);

/** How long processes have waited for a processor until now, in microseconds; 0 where the kernel does not tell. */
function waited(): number {
  return readPressure().cpu?.some?.totalMicroseconds ?? 0;
}
// prints:
// 40 jobs are done, at most … of them at once
