import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { start, type Container, type StartOptions } from '@ctr/runtime';

import { sharedImage } from './image.js';
import { watchForLeaks } from './leaks.js';

watchForLeaks();
const image = sharedImage();

/** A program at a terminal, and somebody who types and reads there. */
class Session {
  readonly container: Container;
  #shown = '';
  #read = 0;
  #wake: () => void = () => undefined;

  constructor(container: Container) {
    this.container = container;
    this.terminal.stream.on('data', (chunk: Buffer) => {
      this.#shown += chunk.toString('latin1');
      this.#wake();
    });
    this.terminal.stream.once('close', () => this.#wake());
  }

  static async of(command: [string, ...string[]], options: StartOptions = {}): Promise<Session> {
    return new Session(await start(command, { rootfs: image.path, terminal: { columns: 80, rows: 24 }, ...options }));
  }

  get terminal(): NonNullable<Container['terminal']> {
    if (!this.container.terminal) throw new Error('there is no terminal');
    return this.container.terminal;
  }

  type(text: string): void {
    this.terminal.stream.write(text);
  }

  /** Waits until something is shown, after what was waited for before; what it matches. */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#shown.slice(this.#read));
      if (match) {
        this.#read += match.index + match[0].length;
        return match;
      }
      if (this.terminal.stream.destroyed)
        throw new Error(`the terminal is closed, and showed not ${String(pattern)} but ${JSON.stringify(this.#shown.slice(this.#read))}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** The rest, when the program has ended. */
  async end(): Promise<{ shown: string; exitCode: number | undefined; signal: string | undefined }> {
    const { exitCode, signal } = await this.container.exited;
    if (!this.terminal.stream.destroyed) await new Promise<void>((resolve) => this.terminal.stream.once('close', () => resolve()));
    return { shown: this.#shown.slice(this.#read), exitCode, signal };
  }
}

/** Runs a script at a terminal; what it shows. */
async function shown(script: string, options: StartOptions = {}): Promise<string> {
  const session = await Session.of(['sh', '-c', script], options);
  return (await session.end()).shown;
}

describe('a terminal', () => {
  it("is one of the container's own, of the size that is asked for", async () => {
    expect(await shown('tty; stty size; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo all; ls -l /proc/self/fd/0 | sed "s/.* -> //"; echo $TERM | wc -w')).toBe(
      '/dev/pts/0\r\n24 80\r\nall\r\n/dev/pts/0\r\n1\r\n',
    );
    expect(await shown('stty size', { terminal: { columns: 132, rows: 50 } })).toBe('50 132\r\n');
  });

  it('is the console, and the terminal of its session', async () => {
    expect(
      await shown(
        'ls -l /dev/console | cut -c1; echo one > /dev/console; echo two > /dev/tty; cut -d" " -f6,7 /proc/self/stat; stat -c %t:%T /dev/console /dev/pts/0',
      ),
    ).toMatch(/^c\r\none\r\ntwo\r\n1 (?!0)\d+\r\n(88:0)\r\n\1\r\n$/);
  });

  it("is not one of the host's", async () => {
    const session = await Session.of(['sh', '-c', 'ls /dev/pts; read x']);
    await session.shows(/^0 {4}ptmx\r\n|^0\s+ptmx\r\n/);
    session.type('\r');
    await session.end();
    // What the host has of it is its other side, by an open file.
    expect(existsSync('/dev/pts/ptmx') || existsSync('/dev/ptmx')).toBe(true);
  });

  it('shows what is typed, and hands it over line by line', async () => {
    const session = await Session.of(['cat']);
    session.type('hello\r');
    await session.shows(/^hello\r\nhello\r\n/);
    session.type('wrong\x7f\x7f\x7f\x7f\x7fright\r');
    await session.shows(/\r\nright\r\n$/);
    session.type('\x04');
    expect((await session.end()).exitCode).toBe(0);
  });

  it('makes signals of Ctrl-C and Ctrl-\\', async () => {
    for (const [key, name] of [
      ['\x03', 'INT'],
      ['\x1c', 'QUIT'],
    ] as const) {
      const session = await Session.of(['sh', '-c', `trap 'echo got ${name}; exit 3' ${name}; echo ready; while :; do sleep 0.01; done`]);
      await session.shows(/ready\r\n/);
      expect(session.terminal.makesSignals()).toBe(true);
      session.type(key);
      await session.shows(new RegExp(`got ${name}`));
      expect((await session.end()).exitCode).toBe(3);
    }
  });

  it('makes none where the program wants every key', async () => {
    const session = await Session.of(['sh', '-c', 'stty raw -echo; echo ready; dd bs=1 count=1 2>/dev/null | od -An -tx1; stty sane']);
    await session.shows(/ready/);
    expect(session.terminal.makesSignals()).toBe(false);
    session.type('\x03');
    await session.shows(/ 03/);
    expect((await session.end()).exitCode).toBe(0);
    expect(session.terminal.makesSignals()).toBe(false);
  });

  it('tells the program of another size', async () => {
    const session = await Session.of(['sh', '-c', 'trap "stty size; exit 0" WINCH; echo ready; while :; do sleep 0.01; done']);
    await session.shows(/ready\r\n/);
    session.terminal.resize({ columns: 132, rows: 50 });
    await session.shows(/^50 132\r\n/);
    expect((await session.end()).exitCode).toBe(0);
    session.terminal.resize({ columns: 1, rows: 1 });
  });

  it('hangs up: the program gets SIGHUP, and then reads nothing but the end', async () => {
    const session = await Session.of(['sh', '-c', 'trap "hup=1" HUP; echo ready; cat >/dev/null; [ "$hup" = 1 ] && exit 5; exit 6']);
    await session.shows(/ready\r\n/);
    session.terminal.close();
    expect((await session.container.exited).exitCode).toBe(5);
  });

  it('hangs up when the container is disposed of', async () => {
    const { container, terminal } = await Session.of(['sleep', '1000']);
    await container[Symbol.asyncDispose]();
    expect(terminal.stream.destroyed).toBe(true);
    expect((await container.exited).signal).toBe('SIGKILL');
  });

  it('belongs to the user of the program', async () => {
    expect(await shown('stat -L -c %u /dev/stdin /dev/pts/0; echo again > /dev/pts/0; tty', { user: { uid: 1000, gid: 1000 } })).toBe(
      '1000\r\n1000\r\nagain\r\n/dev/pts/0\r\n',
    );
  });

  it('is that of a program below an init process, too', async () => {
    expect(await shown('tty; cut -d" " -f1,5,6,8 /proc/self/stat', { init: true })).toMatch(/^\/dev\/pts\/0\r\n(\d+) \d+ 2 \d+\r\n$/);
    const session = await Session.of(['sh', '-c', 'echo ready; sleep 1000'], { init: true });
    await session.shows(/ready\r\n/);
    session.type('\x03');
    expect((await session.end()).exitCode).toBe(130);
  });

  it('is there in a user namespace', async () => {
    expect(await shown('tty; stty size; echo x > /dev/tty', { namespaces: { user: 'new' } })).toBe('/dev/pts/0\r\n24 80\r\nx\r\n');
  });

  it('takes and gives a lot', async () => {
    const session = await Session.of(['sh', '-c', 'stty raw -echo; echo ready; head -c 200000 | wc -c; seq 100000 | tail -c 600000 | wc -c; seq 100000']);
    await session.shows(/ready/);
    session.type('x'.repeat(200_000));
    await session.shows(/200000\s+588895/);
    expect((await session.end()).shown.trimEnd().endsWith('100000')).toBe(true);
  });

  it('shows all that the program has written, however soon that ends', async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `${i + 1}\r\n`).join('');
    for (let i = 0; i < 20; i++) {
      const { shown } = await (await Session.of(['seq', '20000'])).end();
      expect(shown === lines, `run ${i} showed ${shown.length} of ${lines.length} bytes`).toBe(true);
    }
  });

  it('takes what is typed after the end for nothing', async () => {
    const session = await Session.of(['true']);
    await session.container.exited;
    session.type('too late\r');
    await session.end();
    session.type('much too late\r');
  });

  it('of a program that cannot be executed is gone', async () => {
    await expect(start(['missing'], { rootfs: image.path, terminal: { columns: 80, rows: 24 } })).rejects.toThrow('executable file not found');
  });
});

describe('job control', () => {
  /** Waits until a program of this name, and in this state, is in the foreground of a container's terminal: proc_pid_stat(5). */
  async function foreground({ pid }: Container, name: string): Promise<void> {
    const stat = (of: string | number): string[] => {
      const text = readFileSync(`/proc/${of}/stat`, 'latin1');
      return [text.slice(text.indexOf('(') + 1, text.lastIndexOf(')')), ...text.slice(text.lastIndexOf(')') + 2).split(' ')];
    };
    for (;;) {
      const [, , , , , , group = ''] = stat(pid);
      const [comm, state] = Number(group) > 0 ? stat(group) : [];
      if (comm === name && state === 'S') return;
      await delay(2);
    }
  }

  it('works in a shell: Ctrl-Z stops, fg goes on, Ctrl-C ends', async (context) => {
    if (!existsSync('/bin/bash')) return context.skip('bash is not installed');
    const container = await start(['bash', '--norc', '-i'], { env: { PS1: '$ ', TERM: 'dumb' }, terminal: { columns: 80, rows: 24 } });
    const session = new Session(container);
    await session.shows(/\$ $/);
    session.type('sleep 1000\r');
    await session.shows(/sleep 1000\r\n/);
    await foreground(container, 'sleep');
    session.type('\x1a');
    await session.shows(/\[1\]\+ {2}Stopped .*sleep 1000\r\n\$ $/);
    session.type('jobs\r');
    await session.shows(/\[1\]\+ {2}Stopped .*\r\n\$ $/);
    session.type('fg\r');
    await session.shows(/fg\r\nsleep 1000\r\n/);
    await foreground(container, 'sleep');
    session.type('\x03');
    await session.shows(/\$ $/);
    session.type('echo "ended by $?"\r');
    await session.shows(/ended by 130\r\n\$ $/);
    session.type('exit 4\r');
    expect((await session.end()).exitCode).toBe(4);
  });

  it('works for a full screen: vi starts, edits and leaves the modes as they were', async () => {
    const session = await Session.of(['sh', '-c', 'stty -g > /dev/shm/before; vi /dev/shm/file; stty -g | cmp - /dev/shm/before && cat /dev/shm/file']);
    await session.shows(/- \S*file/);
    session.type('ihello');
    await session.shows(/I \S*file/);
    session.type('\x1b');
    await session.shows(/- \S*file/);
    session.type(':wq\r');
    expect((await session.end()).shown).toMatch(/hello\r\n$/);
  });
});
