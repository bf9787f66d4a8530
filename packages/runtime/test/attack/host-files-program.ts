// In a mount namespace whose /etc and /usr may be written: a container with the host's programs tries to reach files of the host, and the host looks what it notices.
import { closeSync, constants, existsSync, mkdirSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { execFileSync } from 'node:child_process';
import { setTimeout as timer } from 'node:timers';

import { run, type ContainerOptions } from '@ctr/runtime';
import { AT_FDCWD, call, errnoName, Memory, openFlags, resultOf, type Step } from '@ctr/syscall';

import { program } from './attempts.js';

const [directory = '', seen = '', json = '{}'] = process.argv.slice(2);
const options = JSON.parse(json) as ContainerOptions;

/** linux/fcntl.h, asm-generic/fcntl.h, sys/file.h, linux/inotify.h, linux/net.h */
const F_SETLEASE = 1024;
const F_WRLCK = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const IN_OPEN = 0x20;
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SIGIO = 29;
const SIG_BLOCK = 0;

const probe = '/usr/src/ctr-probe';
mkdirSync(directory, { recursive: true });
for (const name of ['file', 'watched']) writeFileSync(`${directory}/ctr-${name}`, 'content\n');
if (!existsSync(`${directory}/ctr-fifo`)) execFileSync('mkfifo', ['-m', '666', `${directory}/ctr-fifo`]);
const socketPath = `${directory}/ctr-socket`;
const server = createServer((socket) => socket.end());
await new Promise<void>((resolve) => server.listen(socketPath, resolve));

type Tried = Pick<Step, 'call' | 'args'>;
const step = (tried: Tried): Step => tried as Step;
const open: Tried = { call: 'openat', args: [AT_FDCWD, `${seen}/ctr-file`, openFlags.O_RDONLY, 0] };
const inotify: Tried = { call: 'inotify_init1', args: [openFlags.O_NONBLOCK] };
const socket: Tried = { call: 'socket', args: [AF_UNIX, SOCK_STREAM, 0] };
const address = Buffer.alloc(110);
address.writeUInt16LE(AF_UNIX);
address.write(`${seen}/ctr-socket`, 2);
const mask = Buffer.alloc(8);
mask.writeBigUInt64LE(1n << BigInt(SIGIO - 1));
const attempts: Record<string, Tried> = {
  mask: { call: 'rt_sigprocmask', args: [SIG_BLOCK, new Memory(mask, 'mask'), null, 8] },
  open,
  lease: { call: 'fcntl', args: [resultOf(step(open)), F_SETLEASE, F_WRLCK] },
  lock: { call: 'flock', args: [resultOf(step(open)), LOCK_EX] },
  inotify,
  watch: { call: 'inotify_add_watch', args: [resultOf(step(inotify)), `${seen}/ctr-watched`, IN_OPEN] },
  fifo: { call: 'openat', args: [AT_FDCWD, `${seen}/ctr-fifo`, openFlags.O_RDONLY | openFlags.O_NONBLOCK, 0] },
  socket,
  connect: { call: 'connect', args: [resultOf(step(socket)), new Memory(address, 'address'), address.length] },
  ready: { call: 'write', args: [2, 'r', 1] },
  wait: { call: 'read', args: [0, new Memory(1, 'go'), 1] },
  events: { call: 'read', args: [resultOf(step(inotify)), new Memory(256, 'events'), 256] },
};
writeFileSync(probe, program(Object.values(attempts)), { mode: 0o755 });

const result = run(['sh', '-c', `${probe} | od -An -v -tx1`], { ...options, timeoutMs: 10_000 });
// Taken at once: else the program finds it at its end.
const { stdin } = result;
const noticed: Record<string, string> = {};
await new Promise<void>((resolve) => {
  result.stderr?.once('data', resolve);
  timer(resolve, 5_000).unref();
});
const opened = (path: string, flags: number): string | number => {
  try {
    return openSync(path, flags | constants.O_NONBLOCK);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
};
const file = opened(`${directory}/ctr-file`, constants.O_RDONLY);
noticed['open'] = typeof file === 'number' ? 'ok' : file;
if (typeof file === 'number') {
  const locked = call({ call: 'flock', args: [file, LOCK_EX | LOCK_NB], purpose: 'is it locked?', tolerates: 'any' });
  noticed['lock'] = locked === 0 ? 'ok' : errnoName(-locked);
  closeSync(file);
}
const watched = opened(`${directory}/ctr-watched`, constants.O_RDONLY);
if (typeof watched === 'number') closeSync(watched);
const fifo = opened(`${directory}/ctr-fifo`, constants.O_WRONLY);
noticed['fifo'] = typeof fifo === 'number' ? 'ok' : fifo;
if (typeof fifo === 'number') closeSync(fifo);
stdin?.end('x');
const bytes = Buffer.from((await result).stdout.replaceAll(/\s/g, ''), 'hex');
const answers = Object.fromEntries(
  Object.keys(attempts).map((name, i) => {
    const answer = bytes.readBigInt64LE(i * 8);
    return [name, answer < 0n ? errnoName(Number(-answer)) : 'ok'];
  }),
);
server.close();
for (const name of ['file', 'watched', 'fifo']) unlinkSync(`${directory}/ctr-${name}`);
console.log(JSON.stringify({ answers, noticed }));
process.exit();
