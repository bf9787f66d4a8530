import { constants } from 'node:os';

import { terminalSize } from '../caller-terminal.js';
import { isTerminal } from '../is-terminal.js';
import { print } from '../print.js';

/** xterm's control sequences: another screen without a cursor, and back. */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
const CTRL_C = '\u0003';
const CTRL_Z = '\u001a';

const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The caller's terminal, for a picture that changes. It is as it was when it is closed, and at every other end of the process but by SIGKILL. */
export class Screen implements Disposable {
  readonly #paint: (size: { readonly columns: number; readonly rows: number }) => readonly string[];
  readonly #onEnd: (code: number) => void;
  readonly #remove: (() => void)[] = [];
  #entered = false;

  /**
   * @param paint the lines of the picture
   * @param onEnd what to do with `q` or Ctrl-C (0), or with a signal (128 + its number)
   */
  constructor(paint: (size: { readonly columns: number; readonly rows: number }) => readonly string[], onEnd: (code: number) => void) {
    this.#paint = paint;
    this.#onEnd = onEnd;
    for (const signal of endings) this.#on(process, signal, () => onEnd(128 + constants.signals[signal]));
    this.#on(process, 'SIGCONT', () => this.#enter());
    this.#on(process, 'exit', () => this.#leave());
    this.#on(process.stdout, 'resize', () => this.draw());
    if (isTerminal(0)) this.#on(process.stdin, 'data', (bytes) => this.#type(String(bytes)));
    this.#enter();
  }

  /** Paints the picture anew. */
  draw(): void {
    if (!this.#entered) return;
    const size = terminalSize();
    const lines = this.#paint(size).slice(0, size.rows);
    print(`${HOME}${lines.map((line) => `${line}${CLEAR_LINE}`).join('\r\n')}${CLEAR_BELOW}`);
  }

  [Symbol.dispose](): void {
    for (const remove of this.#remove.splice(0)) remove();
    this.#leave();
    if (isTerminal(0)) process.stdin.pause();
  }

  #type(keys: string): void {
    if (/[qQ]/.test(keys) || keys.includes(CTRL_C)) this.#onEnd(0);
    else if (keys.includes(CTRL_Z)) {
      this.#leave();
      process.kill(process.pid, 'SIGSTOP');
    }
  }

  #enter(): void {
    if (this.#entered) return;
    this.#entered = true;
    if (isTerminal(0)) process.stdin.setRawMode(true);
    print(ENTER);
    this.draw();
  }

  #leave(): void {
    if (!this.#entered) return;
    this.#entered = false;
    print(LEAVE);
    if (isTerminal(0)) process.stdin.setRawMode(false);
  }

  #on(emitter: NodeJS.EventEmitter, event: string, listener: (...args: unknown[]) => void): void {
    emitter.on(event, listener);
    this.#remove.push(() => emitter.off(event, listener));
  }
}
