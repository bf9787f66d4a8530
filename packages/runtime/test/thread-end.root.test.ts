// Worker threads that have started containers, in a process whose main thread has not loaded ctr: whatever ends them, nothing crashes, and nothing of them stays.
import { existsSync } from 'node:fs';

import { readLayout } from '@ctr/cgroups';
import { describe, expect, it } from 'vitest';

import { groupsOf } from './leftovers.js';
import { ended, NodeProgram } from './node-program.js';

const parents = readLayout()
  .hierarchies.map(({ mount }) => `${mount}/ctr`)
  .filter(existsSync);

/** What a worker does, by name. It tells when it begins. */
const program = new NodeProgram(`
  import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
  import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

  const sleep = ['sleep', '1000'];
  const deeds = {
    ends: async ({ run }) => void (await run(['true'])),
    exits: async ({ start }) => { await start(sleep, { stdio: 'ignore' }); process.exit(); },
    throws: async ({ start }) => { await start(sleep, { stdio: 'ignore' }); throw new Error('as it should'); },
    'runs a container': async ({ start }) => { await start(sleep, { stdio: 'ignore' }); parentPort.postMessage('now'); },
    'runs one with relays': async ({ start }) => { await start(sleep); parentPort.postMessage('now'); },
    'runs one at a terminal': async ({ start }) => { (await start(sleep, { terminal: { columns: 80, rows: 24 } })).terminal.stream.resume(); parentPort.postMessage('now'); },
    'reads and writes': ({ run }) => { const { stdout } = run(['cat'], { input: 'x'.repeat(2_000_000) }); stdout.once('data', () => { stdout.pause(); parentPort.postMessage('now'); }); },
    'sets one up': ({ start }) => { parentPort.postMessage('soon'); void start(sleep, { stdio: 'ignore' }); },
    'sets up eight': ({ start }) => { parentPort.postMessage('soon'); for (let i = 0; i < 8; i++) void start(sleep, { stdio: 'ignore' }); },
    'runs one after the other': async ({ run }) => { parentPort.postMessage('soon'); for (;;) await run(['true']); },
    'is busy meanwhile': ({ start }) => { void start(sleep, { stdio: 'ignore' }); setImmediate(() => { parentPort.postMessage('soon'); for (;;); }); },
  };

  const look = () => {
    const children = readdirSync('/proc/self/task').flatMap((thread) => {
      const path = '/proc/self/task/' + thread + '/children';
      return existsSync(path) ? readFileSync(path, 'latin1').split(' ').filter(Boolean).map((pid) => pid + ' ' + readFileSync('/proc/' + pid + '/comm', 'latin1').trim()) : [];
    });
    const groups = ${JSON.stringify(parents)}.flatMap((parent) => readdirSync(parent).filter((name) => name.includes('.' + process.pid + '.')));
    const files = readdirSync('/proc/self/fd').flatMap((fd) => { try { return [fd + ' ' + readlinkSync('/proc/self/fd/' + fd)]; } catch { return []; } });
    return { children, groups, files };
  };

  if (isMainThread) {
    const [deed, count] = process.argv.slice(2);
    const once = async (deed, delayMs) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: deed });
      const ended = new Promise((resolve) => worker.once('exit', resolve));
      worker.on('error', () => undefined);
      const message = await Promise.race([ended, new Promise((resolve) => worker.once('message', resolve))]);
      if (message === 'soon') await new Promise((resolve) => setTimeout(resolve, delayMs));
      await worker.terminate();
      await ended;
    };
    await once('ends', 0);
    const before = look();
    for (let i = 0; i < Number(count); i++) await once(deed, (i / Number(count)) * 12);
    const after = look();
    console.log(JSON.stringify({ ...after, files: after.files.filter((file) => !before.files.includes(file)) }));
  } else {
    await deeds[workerData](await import('@ctr/runtime'));
  }
`);

const exiting = new NodeProgram(`
  import { isMainThread, parentPort, Worker } from 'node:worker_threads';
  if (isMainThread) new Worker(new URL(import.meta.url)).once('message', () => process.exit(3));
  else {
    const { start } = await import('@ctr/runtime');
    await start(['sleep', '1000'], { stdio: 'ignore' });
    parentPort.postMessage('now');
  }
`);

describe('a worker thread', () => {
  const left = async (deed: string, count: number): Promise<unknown> => {
    const { code, signal, stderr, stdout } = await program.run([deed, String(count)]);
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    return JSON.parse(stdout);
  };

  it.each(['ends', 'exits', 'throws', 'runs a container', 'runs one with relays', 'runs one at a terminal', 'reads and writes'])(
    'that %s leaves nothing when it has ended',
    { timeout: 60_000 },
    async (deed) => {
      expect(await left(deed, 3)).toEqual({ children: [], groups: [], files: [] });
    },
  );

  // A file that is opened in the very microseconds in which the thread is terminated stays open.
  it.each<[deed: string, count: number]>([
    ['sets one up', 25],
    ['sets up eight', 12],
    ['runs one after the other', 25],
    ['is busy meanwhile', 12],
  ])('that %s leaves no process and no group when it is terminated at any moment', { timeout: 60_000 }, async (deed, count) => {
    expect(await left(deed, count)).toMatchObject({ children: [], groups: [] });
  });

  it('ends with its process, and leaves nothing', async () => {
    const child = exiting.start();
    expect(await ended(child)).toMatchObject({ code: 3, signal: null, stderr: '' });
    expect(groupsOf(child.pid ?? 0)).toEqual([]);
  });
});
