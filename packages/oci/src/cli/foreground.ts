import { isatty } from 'node:tty';

import { CallerStreams, Master } from '@ctr/runtime/assembly';
import { nodeTimers, signals, type Child, type Fd, type SignalName } from '@ctr/syscall';

/** What others send, and what would end this process alone otherwise; and what goes on after a stop. */
const forwarded = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGVTALRM',
  'SIGPROF',
  'SIGIO',
  'SIGPWR',
  'SIGCONT',
] as const satisfies readonly SignalName[];
/** How long after the program's end its terminal is listened to, where another process keeps it open. */
const DRAIN_MS = 200;

/** After the end of the program, these drop what a reader has not taken. */
const endings: ReadonlySet<SignalName> = new Set<SignalName>(['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM']);

/** A program that is waited for: its terminal, shown at the caller's own, and the caller's signals. */
export class Foreground {
  #master: Master | undefined;
  #pass = (name: SignalName): void => void this.#waiting.push(name);
  readonly #waiting: SignalName[] = [];

  /** Signals are for the program from here on: those that come before it runs wait for it. */
  listen(): void {
    for (const name of forwarded) process.on(name, () => this.#pass(name));
  }

  /** What takes the master of the program's terminal. */
  readonly onConsole = (fd: Fd): void => {
    this.#master = new Master(fd);
  };

  /** Passes signals and the terminal on until a process has ended, and resolves to its exit code: 128 and the number for a signal. */
  async wait(child: Child): Promise<number> {
    this.#pass = (name) => void child.kill(name);
    for (const name of this.#waiting.splice(0)) this.#pass(name);
    let isBroken = false;
    // Nobody looks any more. Pid 1 of a pid namespace would take no notice of the hang-up.
    const breakOff = (): void => {
      isBroken = child.kill('SIGKILL');
    };
    const restore = this.#master ? attach(this.#master, breakOff) : undefined;
    try {
      const exit = await child.exited;
      this.#pass = (name) => void (endings.has(name) && restore?.drop());
      if (isBroken) return 128 + signals.SIGPIPE;
      await restore?.drained();
      return exit.signal === undefined ? (exit.code ?? 0) : 128 + signals[exit.signal];
    } finally {
      await restore?.end();
    }
  }
}

/** The caller's terminal, or its files, while they stand for the program's. */
interface Attached {
  readonly drained: () => Promise<void>;
  readonly drop: () => void;
  readonly end: () => Promise<void>;
}

function attach(master: Master, onBroken: () => void): Attached {
  const caller = new CallerStreams();
  const { stdin, stdout } = caller;
  const resize = (): void => {
    const { columns, rows } = process.stdout;
    master.resize({ columns, rows });
  };
  const isTerminal = { in: isatty(0), out: isatty(1) };
  if (isTerminal.out) {
    resize();
    process.on('SIGWINCH', resize);
  }
  if (isTerminal.in) process.stdin.setRawMode(true);
  // Nothing is typed any more where the input has an end, or cannot be read: the program goes on, as with runc.
  stdin.on('error', () => undefined);
  // Without `end: false`, Node compares with process.stdout, which makes it non-blocking for whoever shares it.
  stdin.pipe(master.stream, { end: false });
  const shown = new Promise<void>((resolve) => master.stream.once('close', resolve));
  stdout.on('error', onBroken);
  master.stream.pipe(stdout, { end: false });
  return {
    drained: () => drained(shown, caller),
    drop: () => caller.drop(),
    end: async () => {
      stdin.unpipe(master.stream);
      if (isTerminal.in) process.stdin.setRawMode(false);
      master.close();
      await caller.end();
    },
  };
}

/** A reader that is slow is waited for, and nobody who keeps the terminal open. */
async function drained(shown: Promise<void>, caller: CallerStreams): Promise<void> {
  for (;;) {
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise<'enough'>((resolve) => {
      timer = nodeTimers.setTimeout(resolve, DRAIN_MS, 'enough');
    });
    const reason = await Promise.race([shown, enough]);
    nodeTimers.clearTimeout(timer);
    if (reason !== 'enough' || !caller.stdout.writableNeedDrain || caller.stdout.destroyed) return;
    await caller.room();
  }
}
