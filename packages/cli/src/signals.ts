import type { Container } from '@ctr/runtime';
import { signals as numbers } from '@ctr/syscall';

import { isDropped } from './disposition.js';

/** These ask for an end. */
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
const others = ['SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'] as const;

/** A signal that asks for an end. */
export type Ending = (typeof endings)[number];

/**
 * Signals to ctr are meant for the program. One that asks for an end ends the container while it is set up, and also when the kernel would drop it,
 * as it does with what pid 1 of a pid namespace does not handle; a second SIGTERM does in any case.
 */
export class SignalForwarding {
  /** The signal that the container was killed for. */
  killedFor: Ending | undefined;
  readonly #setUp = new AbortController();
  readonly #remove: (() => void)[] = [];
  #container: Container | undefined;
  #terminated = false;
  #atEnd: ((signal: Ending) => void) | undefined;

  constructor() {
    for (const signal of endings) this.#on(signal, () => this.end(signal));
    for (const signal of others) this.#on(signal, () => void this.#container?.kill(signal));
  }

  /** Fires for a signal during the set-up. */
  get cancelSignal(): AbortSignal {
    return this.#setUp.signal;
  }

  /** The container runs: it gets the signals from here on. */
  attach(container: Container): void {
    this.#container = container;
  }

  /** The container has ended: a signal that asks for an end is told here. */
  detach(atEnd: (signal: Ending) => void): void {
    this.#container = undefined;
    this.#atEnd = atEnd;
  }

  /** Does what a signal that asks for an end should do. */
  end(signal: Ending): void {
    if (this.#atEnd) return this.#atEnd(signal);
    if (!this.#container) {
      this.killedFor ??= signal;
      return this.#setUp.abort(new Error(`${signal} came while the container was set up`));
    }
    const again = signal === 'SIGTERM' && this.#terminated;
    this.#terminated ||= signal === 'SIGTERM';
    if (again || isDropped(this.#container.pid, numbers[signal])) {
      this.killedFor ??= signal;
      this.#container.kill('SIGKILL');
    } else this.#container.kill(signal);
  }

  /** Signals do to ctr what they always do. */
  stop(): void {
    for (const remove of this.#remove.splice(0)) remove();
  }

  #on(signal: Ending | (typeof others)[number], listener: () => void): void {
    process.on(signal, listener);
    this.#remove.push(() => process.off(signal, listener));
  }
}
