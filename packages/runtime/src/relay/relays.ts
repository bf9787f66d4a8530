import { errnoName, errnoText, Fd, launch, nodeTimers, openPipe, type Child, type Exit, type LaunchStdio, type Plan } from '@ctr/syscall';

import { streamNames, type Stream, type Three } from '../streams.js';
import { relayInput } from './input.js';
import { relayOutput } from './output.js';
import { BROKEN, errnoOf } from './process.js';

/** How long the caller's reader may take to read what a program has left that was killed. */
const GRACE_MS = 1000;
/** How long the relay of stdin, which has nobody to wait for, may take to end. */
const END_MS = 100;

/** Lowered once, however often they are launched. */
const plans = { input: Object.freeze(relayInput({ exits: true })), output: Object.freeze(relayOutput({ exits: true })) };
const parts = (plan: Plan): Plan[] => [plan, []];

/** A relay: the program's side of its pipe, its own side, and its process. */
interface Relay {
  readonly fd: number;
  readonly program: Fd;
  readonly own: Fd;
  /** Whether there is a process: {@link Stream.usable}. */
  readonly usable: boolean;
  child?: Promise<Child>;
}

/**
 * The processes between a program and the caller's files, one for each direction, so that none has to wait for another.
 * They are children of this process, outside of the container's namespaces and its cgroup.
 */
export class Relays {
  /** What the process that becomes the program is started with. */
  readonly given: Three<LaunchStdio>;
  readonly #relays: Relay[] = [];
  #isStopped = false;

  /** Makes the pipes. Throws a `SyscallError` (EMFILE, ENFILE), and leaves nothing open then. */
  constructor(streams: Three<Stream>) {
    const give = (fd: 0 | 1 | 2): LaunchStdio => {
      const { kind, file, shared, usable } = streams[fd];
      if (kind !== 'relayed') return file;
      const same = shared ? this.#relays.find((relay) => relay.fd === 1) : undefined;
      if (same) return same.program;
      const { read, write } = openPipe(streamNames[fd]);
      const [program, own] = fd === 0 ? [read, write] : [write, read];
      if (!usable) own.close();
      this.#relays.push({ fd, program, own, usable });
      return program;
    };
    try {
      this.given = [give(0), give(1), give(2)];
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  /** Resolves when all of them run. Rejects if one cannot be started; {@link abandon} ends the others. */
  async start(): Promise<void> {
    const starting: Promise<Child>[] = [];
    for (const relay of this.#relays.filter(({ usable }) => usable)) {
      // Each start blocks for a fraction of a millisecond: a turn of its own for each, while the container is set up.
      await new Promise((resolve) => nodeTimers.setImmediate(resolve));
      if (this.#isStopped) return;
      relay.child = startRelay(relay);
      // Who waits for all of them is told.
      relay.child.catch(() => undefined);
      starting.push(relay.child);
    }
    await Promise.all(starting);
  }

  /**
   * The program has its sides of the pipes: this process lets go of them, so that they end when the program closes them.
   *
   * @param onBroken called when the reader of an output has gone. The pipe of the program breaks when it returns true. @default it breaks at once
   */
  handedOver(onBroken?: () => boolean): void {
    for (const { fd, program, own, child } of this.#relays) {
      program.close();
      if (fd === 0 || !onBroken) own.close();
      else if (child) void closeWhenBroken(child, own, onBroken);
    }
  }

  /**
   * Waits until the readers have everything, once the program has ended. With a program that was killed they have a second for it.
   * Then nothing is left of the relays. Rejects with an `Error` if a file of the caller has failed, or somebody else has ended a relay.
   *
   * @returns whether everything was delivered, or nobody was there to read it; not if it was stopped
   */
  async delivered({ wasKilled }: { readonly wasKilled: boolean }): Promise<boolean> {
    if (this.#relays.length === 0) return true;
    const timer = wasKilled ? nodeTimers.setTimeout(() => this.stop(), GRACE_MS) : undefined;
    const outputs = await this.#ends(({ fd }) => fd !== 0);
    nodeTimers.clearTimeout(timer);
    const isDelivered = !this.#isStopped;
    const inputTimer = nodeTimers.setTimeout(() => this.stop(), END_MS);
    const inputs = await this.#ends(({ fd }) => fd === 0);
    nodeTimers.clearTimeout(inputTimer);
    this.#close();
    for (const [fd, { code, signal }] of [...inputs, ...outputs]) {
      const errno = errnoOf(code);
      if (errno !== 0) throw failed(fd, `fails with ${errnoName(errno)} (${errnoText(errno)})`);
      if (signal !== undefined && !this.#isStopped) throw failed(fd, `fails, since ${signal} has ended its relay, which this process did not ask for`);
    }
    return isDelivered;
  }

  /** Drops what has not been moved. */
  stop(): void {
    this.#isStopped = true;
    for (const { child } of this.#relays)
      child?.then(
        (relay) => relay.kill('SIGKILL'),
        () => undefined,
      );
  }

  /** There is no program: nothing is left of the relays. */
  async abandon(): Promise<void> {
    if (this.#relays.length === 0) return;
    this.stop();
    this.#close();
    await this.#ends(() => true);
  }

  async #ends(which: (relay: Relay) => boolean): Promise<(readonly [number, Exit])[]> {
    const ends = this.#relays.filter(which).map(async ({ fd, child }) => {
      const relay = await child?.catch(() => undefined);
      return relay ? [[fd, await relay.exited] as const] : [];
    });
    return (await Promise.all(ends)).flat();
  }

  #close(): void {
    for (const { program, own } of this.#relays) {
      program.close();
      own.close();
    }
  }
}

function startRelay({ fd, own }: Relay): Promise<Child> {
  if (fd === 0) return launch(parts(plans.input), { stdio: ['inherit', own, 'ignore'] });
  return launch(parts(plans.output), { stdio: [own, fd === 1 ? 'inherit' : new Fd(fd, streamNames[2]), 'ignore'] });
}

async function closeWhenBroken(child: Promise<Child>, own: Fd, onBroken: () => boolean): Promise<void> {
  const { code } = await (await child).exited;
  if (code === 0 || (code === BROKEN && !onBroken())) return;
  // The relay has failed, or was killed: nobody moves what the program writes any more.
  own.close();
}

function failed(fd: number, reason: string): Error {
  const what = fd === 0 ? 'the program has not got all of it' : 'what the program wrote there is not complete';
  return new Error(`${streamNames[fd]} ${reason}: ${what}`);
}
