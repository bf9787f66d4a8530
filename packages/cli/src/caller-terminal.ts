import type { Container, Ending, Master, TerminalSize } from '@ctr/runtime';
import { CallerStreams } from '@ctr/runtime/assembly';
import { signals as numbers } from '@ctr/syscall';

import { isDropped, isInForeground } from './disposition.js';
import { isTerminal } from './is-terminal.js';
import type { SignalForwarding } from './signals.js';
import { rawModes, readModes, writeModes, type Modes } from './termios.js';

/** Where nobody has a terminal to take the size from. */
const DEFAULT_SIZE: TerminalSize = { columns: 80, rows: 24 };
/** What Ctrl-D, Ctrl-C and Ctrl-\ send. */
const EOT = '\u0004';
const ETX = 0x03;
const FS = 0x1c;
const LINE_FEED = 0x0a;
/** How long after the program's end its terminal is listened to, where a process outside of the container keeps it open. */
const DRAIN_MS = 200;
/** How long the caller's reader may take to read what a program has left that was killed. */
const GRACE_MS = 1000;

/** The size of the caller's terminal. */
export function terminalSize(): TerminalSize {
  if (!isTerminal(1)) return DEFAULT_SIZE;
  const { columns, rows } = process.stdout;
  return columns > 0 && rows > 0 ? { columns, rows } : DEFAULT_SIZE;
}

/**
 * The caller's terminal stands for the program's: what is typed goes there, as it is, and what is shown there is shown here.
 * Its modes are set back when it is closed, and by Node at every other end of the process.
 */
export class CallerTerminal {
  readonly #container: Container;
  readonly #master: Master;
  readonly #signals: SignalForwarding;
  readonly #caller = new CallerStreams();
  /** Settles when all that the program has written is shown. */
  readonly #shown: Promise<void>;
  /** The modes of the caller's terminal before. */
  readonly #modes: Modes | undefined = isTerminal(0) ? readModes(0) : undefined;
  #last = LINE_FEED;

  constructor(container: Container, master: Master, signals: SignalForwarding, onBroken: () => void) {
    this.#container = container;
    this.#master = master;
    this.#signals = signals;
    const { stream } = master;
    this.#shown = new Promise((resolve) => stream.once('close', resolve));
    const { stdin, stdout } = this.#caller;
    stdout.on('error', onBroken);
    stream.pipe(stdout, { end: false });
    this.#raw(true);
    stdin.on('data', this.#type);
    stdin.once('end', this.#hangUp);
    if (isTerminal(1)) process.stdout.on('resize', this.#resize);
    process.on('SIGCONT', this.#continue);
    this.#resize();
  }

  /**
   * Shows what is left, and sets the terminal back. A signal that asks for an end drops what a reader does not take.
   *
   * @param ending how the container has ended, where that is known
   * @returns whether all was shown that there was
   */
  async close(ending: Ending | undefined): Promise<boolean> {
    const drop = (): void => this.#caller.drop();
    const timer = ending?.signal === undefined ? undefined : setTimeout(drop, GRACE_MS);
    this.#signals.ended(drop);
    try {
      await this.#drained();
      const { stdin, stdout } = this.#caller;
      stdin.off('data', this.#type);
      if (isTerminal(1)) stdout.off('resize', this.#resize);
      process.off('SIGCONT', this.#continue);
      this.#raw(false);
      this.#master.close();
      return await this.#caller.end();
    } finally {
      clearTimeout(timer);
    }
  }

  /** A reader that is slow is waited for. */
  async #drained(): Promise<void> {
    for (;;) {
      let timer: NodeJS.Timeout | undefined;
      const enough = new Promise<'enough'>((resolve) => {
        timer = setTimeout(resolve, DRAIN_MS, 'enough');
      });
      const reason = await Promise.race([this.#shown, enough]);
      clearTimeout(timer);
      if (reason !== 'enough' || !this.#caller.stdout.writableNeedDrain || this.#caller.stdout.destroyed) return;
      await this.#caller.room();
    }
  }

  readonly #type = (bytes: Buffer): void => {
    this.#last = bytes.at(-1) ?? this.#last;
    if (!this.#master.stream.write(bytes)) {
      this.#caller.stdin.pause();
      this.#master.stream.once('drain', () => this.#caller.stdin.resume());
    }
    if (bytes.includes(ETX)) this.#interrupt('SIGINT');
    if (bytes.includes(FS)) this.#interrupt('SIGQUIT');
  };

  /** The kernel drops the signal of Ctrl-C where pid 1 does not handle it: `ctr run sleep 100` could not be ended. */
  #interrupt(signal: 'SIGINT' | 'SIGQUIT'): void {
    const { pid } = this.#container;
    if (this.#master.makesSignals() && isInForeground(pid) && isDropped(pid, numbers[signal])) this.#signals.end(signal);
  }

  /** Input that is no terminal has an end; what was typed before it, if it is no whole line, takes one more. */
  readonly #hangUp = (): void => {
    if (isTerminal(0)) this.#master.close();
    else this.#master.stream.write(this.#last === LINE_FEED ? EOT : EOT + EOT);
  };

  readonly #resize = (): void => {
    if (isTerminal(1)) this.#master.resize(terminalSize());
  };

  /** The shell has set the terminal for itself meanwhile. */
  readonly #continue = (): void => {
    this.#raw(true);
    this.#resize();
  };

  #raw(on: boolean): void {
    if (this.#modes) writeModes(0, on ? rawModes(this.#modes) : this.#modes);
  }
}
