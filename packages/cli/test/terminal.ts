// A terminal with `ctr` in it, as a person has it: made with the steps that ctr itself is made of.
import { readFileSync } from 'node:fs';
import { ReadStream } from 'node:tty';

import { AT_FDCWD, call, handOver, ioctls, launch, Memory, openFlags, resultOf, winsize, type Child, type Fd, type Step } from '@ctr/syscall';

import { bin } from './ctr.js';

const PATIENCE_MS = 20_000;

/**
 * A shell's line in a terminal of 80 columns and 24 rows; `ctr` in it is the program. The shell stays after it: at the end of a session's first process
 * the kernel drops what it has not handed over yet.
 */
export async function openTerminal(line: string): Promise<Terminal> {
  const script = `ctr() { ${JSON.stringify(process.execPath)} ${JSON.stringify(bin)} "$@"; }\n${line}\nread -r`;
  let master: Fd | undefined;
  const child = await launch(plan(['bash', '--norc', '-c', script]), {
    stdio: ['ignore', 'ignore', 'ignore'],
    onFile: (file) => {
      master = file;
    },
  });
  if (!master) throw new Error('there is no terminal');
  return new Terminal(child, master);
}

export class Terminal {
  readonly child: Child;
  /** Everything that was shown. */
  shown = '';
  readonly #master: Fd;
  readonly #stream: ReadStream;

  constructor(child: Child, master: Fd) {
    this.child = child;
    this.#master = master;
    this.#stream = new ReadStream(master.number);
    this.#stream.on('error', () => undefined);
    this.#stream.once('close', () => master.release());
    this.#stream.on('data', (bytes) => (this.shown += String(bytes)));
  }

  type(text: string): void {
    this.#stream.write(text);
  }

  resize(columns: number, rows: number): void {
    call({ call: 'ioctl', args: [this.#master, ioctls.TIOCSWINSZ, winsize({ ws_row: rows, ws_col: columns })], purpose: 'another size' });
  }

  /** Resolves when something is shown that was not before. */
  until(text: string | RegExp): Promise<void> {
    const from = this.shown.length;
    return new Promise((resolve, reject) => {
      const finish = (error?: Error): void => {
        clearTimeout(timer);
        this.#stream.off('data', look);
        if (error) reject(error);
        else resolve();
      };
      const look = (): void => {
        const fresh = this.shown.slice(from);
        if (typeof text === 'string' ? fresh.includes(text) : text.test(fresh)) finish();
      };
      const timer = setTimeout(() => finish(new Error(`${String(text)} was not shown, but: ${JSON.stringify(this.shown)}`)), PATIENCE_MS);
      this.#stream.on('data', look);
    });
  }

  /** Types a line, and resolves when something is shown behind its echo. */
  async ask(line: string, text: string | RegExp): Promise<void> {
    const answer = this.until(text);
    this.type(`${line}\r`);
    await answer;
  }

  async close(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.child.exited;
    this.#stream.destroy();
  }
}

/** The only child of a process, or that one's, and so on. */
export function descendant(pid: number, generations: number): number {
  let found = pid;
  for (let i = 0; i < generations; i++) found = Number(readFileSync(`/proc/${found}/task/${found}/children`, 'utf8').trim().split(' ')[0]);
  return found;
}

function plan(command: readonly [string, ...string[]]): Step[] {
  const flags = openFlags.O_RDWR | openFlags.O_NOCTTY | openFlags.O_CLOEXEC;
  const master: Step = { call: 'openat', args: [AT_FDCWD, '/dev/ptmx', flags, 0], purpose: 'the master', as: 'master' };
  const slave: Step = { call: 'ioctl', args: [resultOf(master), ioctls.TIOCGPTPEER, flags], purpose: 'the slave', as: 'slave' };
  const env = [`PATH=${process.env['PATH']}`, 'TERM=xterm', `HOME=${process.env['HOME']}`, 'PS1=$ '];
  return [
    master,
    { call: 'ioctl', args: [resultOf(master), ioctls.TIOCSPTLCK, new Memory(4, 'unlocked')], purpose: 'the slave may be opened' },
    slave,
    { call: 'ioctl', args: [resultOf(master), ioctls.TIOCSWINSZ, winsize({ ws_row: 24, ws_col: 80 })], purpose: 'its size' },
    { call: 'setsid', args: [], purpose: 'a session', tolerates: 'any' },
    { call: 'ioctl', args: [resultOf(slave), ioctls.TIOCSCTTY, 0], purpose: 'its terminal' },
    ...[0, 1, 2].map((fd): Step => ({ call: 'dup3', args: [resultOf(slave), fd, 0], purpose: 'a standard stream' })),
    ...handOver(resultOf(master), 'the test has the master'),
    { call: 'execve', args: [`/bin/${command[0]}`, command, env], purpose: 'the shell' },
  ];
}
