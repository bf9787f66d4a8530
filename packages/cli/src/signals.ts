import type { Container } from '@ctr/runtime';
import { signals as numbers } from '@ctr/syscall';

import { isDropped, isHandled } from './disposition.js';

/** These ask for an end. */
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
const others = ['SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'] as const;

/** A signal that asks for an end. */
export type Ending = (typeof endings)[number];

/** How long a signal may be blocked by a program that means to do nothing about it. */
const BLOCKED_MS = 100;
/** How long a set-up may go on that should end. */
const SETUP_GRACE_MS = 1000;

/**
 * Signals to ctr are meant for the program. They wait while it is set up, which is a matter of milliseconds. One that asks for an end ends the container
 * where the kernel would drop it, as it does with what pid 1 of a pid namespace does not handle; a second SIGTERM does in any case.
 */
export class SignalForwarding {
  /** The signal that the container was killed for. */
  killedFor: Ending | undefined;
  /** The last signal that has asked for an end. After the end of the program it drops what a reader has not taken. */
  last: Ending | undefined;
  readonly #setUp = new AbortController();
  readonly #remove: (() => void)[] = [];
  readonly #waiting: (() => void)[] = [];
  #container: Container | undefined;
  #terminated = false;
  #drop: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor() {
    for (const signal of endings) this.#on(signal, () => this.end(signal));
    for (const signal of others) this.#on(signal, () => this.#pass(signal));
  }

  /** Fires when the set-up has to end for a signal. */
  get cancelSignal(): AbortSignal {
    return this.#setUp.signal;
  }

  /** The container runs: it gets the signals from here on. */
  attach(container: Container): void {
    this.#container = container;
    clearTimeout(this.#timer);
    for (const deliver of this.#waiting.splice(0)) deliver();
  }

  /** The program has ended: a signal that asks for an end drops what a reader has not taken. */
  ended(drop: () => void): void {
    this.#drop = drop;
  }

  /** Does what a signal that asks for an end should do. */
  end(signal: Ending): void {
    this.last = signal;
    if (this.#drop) return this.#drop();
    if (!this.#container) return this.#endSetUp(signal);
    const again = signal === 'SIGTERM' && this.#terminated;
    this.#terminated ||= signal === 'SIGTERM';
    if (again) return this.#killFor(signal);
    if (this.#killIfDropped(signal)) return;
    this.#container.kill(signal);
    // One that is only blocked now, as between a fork and what follows, is dropped when that is over.
    if (!isHandled(this.#container.pid, numbers[signal])) setTimeout(() => this.#killIfDropped(signal), BLOCKED_MS).unref();
  }

  /** Signals do to ctr what they always do. */
  stop(): void {
    clearTimeout(this.#timer);
    for (const remove of this.#remove.splice(0)) remove();
  }

  #killIfDropped(signal: Ending): boolean {
    const isLost = this.#container !== undefined && isDropped(this.#container.pid, numbers[signal]);
    if (isLost) this.#killFor(signal);
    return isLost;
  }

  #killFor(signal: Ending): void {
    if (this.#container?.kill('SIGKILL')) this.killedFor ??= signal;
  }

  #endSetUp(signal: Ending): void {
    this.#waiting.push(() => this.end(signal));
    this.#timer ??= setTimeout(() => {
      this.killedFor ??= signal;
      this.#setUp.abort(new Error(`${signal} came while the container was set up`));
    }, SETUP_GRACE_MS);
  }

  #pass(signal: (typeof others)[number]): void {
    if (this.#container) this.#container.kill(signal);
    else this.#waiting.push(() => this.#pass(signal));
  }

  #on(signal: Ending | (typeof others)[number], listener: () => void): void {
    process.on(signal, listener);
    this.#remove.push(() => process.off(signal, listener));
  }
}
