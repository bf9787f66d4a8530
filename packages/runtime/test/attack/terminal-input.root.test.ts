// Input that a program would type at the terminal of its caller, by TIOCSTI and TIOCLINUX: a shell that waits there would run it.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { start, type StartOptions } from '@ctr/runtime';
import { AT_FDCWD, call, errnoName, Fd, ioctls, Memory, openFd, openFlags, resultOf, type Step } from '@ctr/syscall';

import { image } from '../image.js';
import { watchForLeaks } from '../leaks.js';
import { program } from './attempts.js';
import { watchTheHost } from './host.js';

watchForLeaks();
watchTheHost();

/** asm-generic/ioctls.h; linux/tiocl.h: TIOCL_SETSEL, TIOCL_PASTESEL */
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;
const TIOCL_SETSEL = '\u0002';
const TIOCL_PASTESEL = '\u0003';
const HIGH = 0x1_0000_0000n;

/** What is tried, by name, at the three streams and at the terminal of the session. */
function attempts(): [name: string, attempt: Pick<Step, 'call' | 'args'>][] {
  const own: Step = { call: 'openat', args: [AT_FDCWD, '/dev/tty', openFlags.O_RDWR, 0], purpose: '' };
  const typed = (fd: Step['args'][number]): Step['args'][] => [
    [fd, TIOCSTI, '\n'],
    [fd, HIGH | BigInt(TIOCSTI), '\n'],
    [fd, (0xffffffffn << 32n) | BigInt(TIOCSTI), '\n'],
    [fd, TIOCLINUX, TIOCL_SETSEL],
    [fd, TIOCLINUX, TIOCL_PASTESEL],
    [fd, HIGH | BigInt(TIOCLINUX), TIOCL_PASTESEL],
  ];
  return [
    // A terminal that no session has becomes that of the program's, which may then type there.
    ['take', { call: 'ioctl', args: [0, ioctls.TIOCSCTTY, 0] }],
    ['open', own],
    // Where the results go is out of the way meanwhile.
    ['keep', { call: 'dup3', args: [1, 99, 0] }],
    ['stdout', { call: 'dup3', args: [0, 1, 0] }],
    ...[0, 1, 2, resultOf(own)].flatMap((fd) => typed(fd).map((args): [string, Pick<Step, 'call' | 'args'>] => ['type', { call: 'ioctl', args }])),
    ['size', { call: 'ioctl', args: [0, ioctls.TIOCGWINSZ, new Memory(8, 'size')] }],
    ['results', { call: 'dup3', args: [99, 1, 0] }],
  ];
}

/** The answers, by name, of a container whose program has tried. */
async function tried(options: StartOptions): Promise<Record<string, string[]>> {
  const rootfs = image();
  const list = attempts();
  writeFileSync(join(rootfs, 'attempts'), program(list.map(([, attempt]) => attempt)), { mode: 0o755 });
  writeFileSync(join(rootfs, 'results'), '');
  chmodSync(join(rootfs, 'results'), 0o666);
  await using container = await start(['sh', '-c', '/attempts > /results'], { rootfs, ...options });
  await container.exited;
  const bytes = readFileSync(join(rootfs, 'results'));
  const answers: Record<string, string[]> = {};
  for (const [i, [name]] of list.entries()) {
    const result = bytes.readBigInt64LE(i * 8);
    (answers[name] ??= []).push(result < 0n ? errnoName(Number(-result)) : 'ok');
  }
  return answers;
}

/** A terminal of the caller: what was typed at it, and shown. */
class CallerTerminal implements Disposable {
  readonly #master: Fd;
  /** What a shell there would have: an open file of its own, since what is handed on blocks from then on. */
  readonly #shell: Fd;
  readonly slave: Fd;

  constructor() {
    this.#master = openFd('/dev/ptmx', { flags: openFlags.O_RDWR | openFlags.O_NOCTTY | openFlags.O_NONBLOCK });
    call({ call: 'ioctl', args: [this.#master, ioctls.TIOCSPTLCK, new Memory(4, 'unlocked')], purpose: 'the slave may be opened' });
    const flags = openFlags.O_RDWR | openFlags.O_NOCTTY | openFlags.O_CLOEXEC | openFlags.O_NONBLOCK;
    const open = (): Fd => new Fd(call({ call: 'ioctl', args: [this.#master, ioctls.TIOCGPTPEER, flags], purpose: 'the slave' }));
    this.slave = open();
    this.#shell = open();
  }

  /** How many bytes of its input a shell there would read, and how many were echoed. */
  get received(): readonly [typed: number, echoed: number] {
    return [this.#read(this.#shell), this.#read(this.#master)];
  }

  #read(fd: Fd): number {
    return Math.max(0, call({ call: 'read', args: [fd, new Memory(256, 'bytes'), 256], purpose: 'what came', tolerates: ['EAGAIN', 'EIO'] }));
  }

  [Symbol.dispose](): void {
    this.slave.close();
    this.#shell.close();
    this.#master.close();
  }
}

const none = Array.from({ length: 24 }, () => 'EPERM');

describe('the terminal of the caller, which is handed on', () => {
  it.each<[string, StartOptions]>([
    ['root', {}],
    ['another user', { user: { uid: 1000, gid: 1000 } }],
    ['root below an init', { init: true }],
    ['root of a user namespace', { namespaces: { user: 'new' } }],
    ['who may type at every terminal', { capabilities: { add: ['CAP_SYS_ADMIN'] } }],
    ['who may have a console, too', { capabilities: { add: ['CAP_SYS_ADMIN', 'CAP_SYS_TTY_CONFIG'] } }],
  ])('receives nothing: %s', async (_, options) => {
    using terminal = new CallerTerminal();
    const answers = await tried({ stdio: terminal.slave, ...options });
    expect(answers['type']).toEqual(none);
    // What else a program asks of a terminal is let through.
    expect(answers['size']).toEqual(['ok']);
    expect(terminal.received).toEqual([0, 0]);
  });

  it('receives what is typed without the filter: there is something to be kept from', async (context) => {
    if (readFileSync('/proc/sys/dev/tty/legacy_tiocsti', 'utf8').trim() === '0') context.skip('this kernel lets nobody type: dev.tty.legacy_tiocsti is 0');
    using terminal = new CallerTerminal();
    const answers = await tried({ stdio: terminal.slave, seccomp: 'unconfined', capabilities: { add: ['CAP_SYS_ADMIN'] } });
    expect(answers['type']?.filter((answer) => answer === 'ok').length).toBeGreaterThan(0);
    expect(terminal.received).toEqual([expect.toSatisfy((typed: number) => typed > 0), expect.toSatisfy((echoed: number) => echoed > 0)]);
  });

  it('is not that of the session: nothing comes of its signals, nor of /dev/tty', async () => {
    using terminal = new CallerTerminal();
    const rootfs = image();
    await using container = await start(['sh', '-c', '(cat < /dev/tty) 2> /result; cut -d" " -f5-8 /proc/$$/stat >> /result'], {
      rootfs,
      stdio: terminal.slave,
    });
    await container.exited;
    // Its group, its session, no terminal, no group of one.
    expect(readFileSync(join(rootfs, 'result'), 'utf8')).toMatch(/^sh: can't open \/dev\/tty: No such device or address\n1 1 0 -1\n$/);
  });
});

describe('a terminal of its own', () => {
  it.each<[string, StartOptions]>([
    ['root', {}],
    ['another user', { user: { uid: 1000, gid: 1000 } }],
    ['root below an init', { init: true }],
    ['who may type at every terminal', { capabilities: { add: ['CAP_SYS_ADMIN'] } }],
  ])('takes nothing, either: %s', async (_, options) => {
    const answers = await tried({ terminal: { columns: 80, rows: 24 }, ...options });
    expect(answers['type']).toEqual(none);
    expect(answers['open']).toEqual(['ok']);
    expect(answers['size']).toEqual(['ok']);
  });
});
