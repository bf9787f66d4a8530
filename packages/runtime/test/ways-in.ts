// Every way by which a program gets the standard streams of a caller, with files that the caller has chosen.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { standalone, type ContainerOptions } from '@ctr/runtime';

import { temporary } from './image.js';
import { NodeProgram } from './node-program.js';

export const ways = ['start', 'run', 'child', 'compiled'] as const;
export type Way = (typeof ways)[number];

/** What a way in is used with. */
export interface WayOptions extends ContainerOptions {
  /** Hand the caller's own files over. */
  readonly passThrough?: boolean;
  /** The words for `stdio` of start and run. */
  readonly stdio?: 'ignore';
  readonly timeoutMs?: number;
  /** Set O_NONBLOCK on stdin and stdout before, and exit with 66 if it is not set any more. */
  readonly nonBlocking?: boolean;
  /** Give start an `onBrokenPipe`, which does nothing. */
  readonly onBrokenPipe?: boolean;
}

const unshare = ['unshare', '--uts', '--pid', '--mount', '--fork', '--kill-child'];

/** Callers, each of which is a process of its own: a Node program, or a compiled container. */
export class WaysIn {
  readonly #program = new NodeProgram(`
    import { child, run, start, type ContainerOptions } from '@ctr/runtime';
    import { call, Fd, fcntlCommands, openFlags } from '@ctr/syscall';
    const [way, command = '', json = ''] = process.argv.slice(2);
    const { passThrough, stdio: word, timeoutMs, nonBlocking, onBrokenPipe, ...options } = JSON.parse(json) as ContainerOptions & { passThrough?: boolean; stdio?: 'ignore'; timeoutMs?: number; nonBlocking?: boolean; onBrokenPipe?: boolean };
    const words = JSON.parse(command) as [string];
    const files = [0, 1, 2].map((fd) => new Fd(fd)) as unknown as readonly [Fd, Fd, Fd];
    const stdio = word ?? (passThrough ? files : 'inherit');
    if (nonBlocking) for (const fd of [0, 1]) call({ call: 'fcntl', args: [fd, fcntlCommands.F_SETFL, openFlags.O_NONBLOCK], purpose: 'it does not block' });
    try {
      if (way === 'child') child(words, { ...options, ...(passThrough && { passThrough }) });
      const ending = way === 'run' ? await run(words, { ...options, stdio, reject: false, ...(timeoutMs && { timeoutMs }) }) : await (await start(words, { ...options, stdio, ...(timeoutMs && { timeoutMs }), ...(onBrokenPipe && { onBrokenPipe: () => undefined }) })).exited;
      process.exitCode = ending.exitCode ?? 128;
      if (ending.outputDropped) process.exitCode = 77;
      // Node sets them back at its end.
      if (nonBlocking && [0, 1].some((fd) => (call({ call: 'fcntl', args: [fd, fcntlCommands.F_GETFL, 0], purpose: 'does it block?' }) & openFlags.O_NONBLOCK) === 0)) process.exitCode = 66;
    } catch (error) {
      console.error((error as Error).message);
      process.exitCode = 125;
    }
  `);

  /** The words of a caller's command line. */
  command(way: Way, command: readonly [string, ...string[]], { timeoutMs, ...options }: WayOptions = {}): readonly [string, ...string[]] {
    if (way === 'compiled') {
      const path = join(temporary(), 'container');
      writeFileSync(path, standalone(command, options), { mode: 0o755 });
      return [path];
    }
    const own = [process.execPath, this.#program.path, way, JSON.stringify(command), JSON.stringify({ ...options, ...(timeoutMs && { timeoutMs }) })] as const;
    return way === 'child' ? ['unshare', ...unshare.slice(1), ...own] : own;
  }

  start(way: Way, command: readonly [string, ...string[]], stdio: StdioOptions, options: WayOptions = {}): ChildProcess {
    const [program, ...args] = this.command(way, command, options);
    return spawn(program, args, { cwd: '/', env: { PATH: process.env['PATH'] ?? '' }, stdio });
  }
}
