import { Master } from '@ctr/runtime/assembly';
import { signals, type Child, type Fd, type SignalName } from '@ctr/syscall';

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
    const restore = this.#master ? attach(this.#master) : undefined;
    try {
      const exit = await child.exited;
      await restore?.drained();
      return exit.signal === undefined ? (exit.code ?? 0) : 128 + signals[exit.signal];
    } finally {
      restore?.end();
    }
  }
}

function attach(master: Master): { readonly drained: () => Promise<void>; readonly end: () => void } {
  const { stdin, stdout } = process;
  const resize = (): void => {
    if (stdout.isTTY) master.resize({ columns: stdout.columns, rows: stdout.rows });
  };
  resize();
  process.on('SIGWINCH', resize);
  if (stdin.isTTY) stdin.setRawMode(true);
  // Nothing is typed any more where the input has an end, or cannot be read: the program goes on, as with runc.
  stdin.on('error', () => undefined);
  stdin.pipe(master.stream, { end: false });
  const shown = new Promise<void>((resolve) => master.stream.once('close', resolve));
  // Nobody looks any more: the program gets SIGHUP.
  stdout.on('error', () => master.close());
  master.stream.pipe(stdout, { end: false });
  return {
    drained: () => shown,
    end: () => {
      stdin.unpipe(master.stream);
      if (stdin.isTTY) stdin.setRawMode(false);
      // What is no terminal may be a file, which keeps no process from its end, or a pipe that nobody reads any more.
      stdin.destroy();
      master.close();
    },
  };
}
