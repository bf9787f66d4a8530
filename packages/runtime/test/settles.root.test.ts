// Promises that settle, whatever readers do, whatever tests have put in the place of the timers, and whoever the process has become.
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';

import { run, type RunPromise } from '@ctr/runtime';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { watchForLeaks } from './leaks.js';
import { NodeProgram } from './node-program.js';

watchForLeaks();

const endless = ['sh', '-c', 'while :; do seq 1000; done'] as const;
const never = (): Writable => new Writable({ highWaterMark: 1, write: () => undefined });

describe('run, when its program has ended', () => {
  it.each<[what: string, reader: (promise: RunPromise) => void]>([
    ['is paused', ({ stdout }) => void stdout?.pause()],
    ['has paused after some of it', ({ stdout }) => void stdout?.once('data', () => stdout.pause())],
    ['takes nothing', ({ stdout }) => void stdout?.pipe(never())],
    ['is told of it, and does not read', ({ stdout }) => void stdout?.on('readable', () => undefined)],
    ['waits in an iteration', ({ stdout }) => void stdout?.[Symbol.asyncIterator]().next()],
  ])('settles with all output, though a reader %s', async (_, reader) => {
    const promise = run(['seq', '5000']);
    reader(promise);
    expect((await promise).stdout).toHaveLength(23_893);
  });

  it.each<[what: string, reader: (promise: RunPromise) => Promise<unknown>]>([
    ['has paused', ({ stdout }) => new Promise((resolve) => stdout?.once('data', () => resolve(stdout.pause())))],
    ['takes nothing', ({ stdout }) => new Promise((write) => stdout?.pipe(new Writable({ highWaterMark: 1, write })))],
    ['waits in an iteration of lines', (promise) => promise[Symbol.asyncIterator]().next()],
  ])('settles when it is killed, though a reader %s', async (_, reader) => {
    const promise = run(endless, { reject: false });
    await reader(promise);
    (await promise.container).kill('SIGKILL');
    expect(await promise).toMatchObject({ signal: 'SIGKILL' });
  });

  it('leaves to a reader what has not been read', async () => {
    const promise = run(['seq', '5000']);
    const { stdout } = promise;
    stdout?.pause();
    await promise;
    let read = '';
    stdout?.on('data', (chunk: Buffer) => (read += String(chunk)));
    stdout?.resume();
    await once(stdout ?? new Writable(), 'end');
    expect(read).toBe((await promise).stdout);
  });

  it('settles for each reader of a server who leaves, and whose container is killed then', { timeout: 60_000 }, async () => {
    const promises: RunPromise[] = [];
    const server = createServer((_, response) => {
      const promise = run(endless, { reject: false });
      promises.push(promise);
      promise.stdout?.pipe(response);
      response.on('close', () => void promise.container.then((container) => container.kill('SIGKILL')));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    for (let i = 0; i < 10; i++) {
      const request = get({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, agent: false }).on('error', () => undefined);
      const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream];
      response.on('error', () => undefined);
      await once(response, 'data');
      request.destroy();
    }
    expect((await Promise.all(promises)).map(({ signal }) => signal)).toEqual(Array(10).fill('SIGKILL'));
    server.close();
    await once(server, 'close');
  });
});

describe('with fake timers', () => {
  afterEach(() => void vi.useRealTimers());

  it('a program is run, and the next one without them', async () => {
    vi.useFakeTimers();
    const command = ['sh', '-c', 'cat; seq 3'] as const;
    expect((await run(command, { input: '0\n', timeoutMs: 10_000 })).stdout).toBe('0\n1\n2\n3\n');
    const lines: string[] = [];
    for await (const line of run(command)) lines.push(line);
    expect(lines).toEqual(['1', '2', '3']);
    vi.useRealTimers();
    expect((await run(command, { stdio: 'pipe' })).exitCode).toBe(0);
  });

  it('a program that goes on too long is killed in real time', async () => {
    vi.useFakeTimers();
    expect(await run(['sleep', '100'], { timeoutMs: 100, reject: false })).toMatchObject({ timedOut: true });
  });
});

describe('a process that becomes another user', () => {
  const program = new NodeProgram(`
    import { run } from '@ctr/runtime';
    const map = async () => (await run(['sh', '-c', 'read inside outside count < /proc/self/uid_map; echo $outside $count'])).stdout.trim();
    console.log(await map());
    process.setgroups([]);
    process.setgid(65534);
    process.setuid(65534);
    console.log(await map());
    console.log(await run(['true'], { limits: { pids: 20 } }).then(() => 'limited', ({ kind }) => kind));
  `);

  it('starts containers as that one', async () => {
    const { stdout, stderr } = await program.run();
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^0 \d+\n65534 1\n(limited|not-delegated)\n$/);
  });
});
