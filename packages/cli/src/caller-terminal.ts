import type { Container, Master, TerminalSize } from '@ctr/runtime';
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
    process.stdout.on('error', onBroken);
    stream.pipe(process.stdout, { end: false });
    this.#raw(true);
    process.stdin.on('data', this.#type);
    process.stdin.once('end', this.#hangUp);
    process.stdout.on('resize', this.#resize);
    process.on('SIGCONT', this.#continue);
    this.#resize();
  }

  /** Shows what is left, and sets the terminal back. */
  async close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise((resolve) => {
      timer = setTimeout(resolve, DRAIN_MS);
    });
    await Promise.race([this.#shown, enough]);
    clearTimeout(timer);
    process.stdin.off('data', this.#type);
    process.stdin.pause();
    process.stdout.off('resize', this.#resize);
    process.off('SIGCONT', this.#continue);
    this.#raw(false);
    this.#master.close();
  }

  readonly #type = (bytes: Buffer): void => {
    this.#last = bytes.at(-1) ?? this.#last;
    if (!this.#master.stream.write(bytes)) {
      process.stdin.pause();
      this.#master.stream.once('drain', () => process.stdin.resume());
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
