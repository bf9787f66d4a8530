import type { Readable, Writable } from 'node:stream';

import { Fd, openPipe, type LaunchStdio } from '@ctr/syscall';

import { inputOf, readableOf } from './pipe-streams.js';
import { streamNames, type StreamChoice, type Three } from './streams.js';

/** This process's ends of pipes to a program; `null` for a standard stream that is none. */
export interface PipeStreams {
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
}

/** Pipes between this process and a program, for those of the standard streams for which `'pipe'` was said. */
export class Pipes {
  readonly given: Three<LaunchStdio>;
  readonly #own: Three<Fd | undefined>;

  /** Throws a `SyscallError` (EMFILE, ENFILE), and leaves nothing open then. */
  constructor(choices: Three<'pipe' | LaunchStdio>) {
    const opened: Fd[] = [];
    const make = (fd: 0 | 1 | 2): readonly [LaunchStdio, Fd | undefined] => {
      const choice = choices[fd];
      if (choice !== 'pipe') return [choice, undefined];
      const { read, write } = openPipe(streamNames[fd]);
      opened.push(read, write);
      return fd === 0 ? [read, write] : [write, read];
    };
    try {
      const [stdin, stdout, stderr] = [make(0), make(1), make(2)];
      this.given = [stdin[0], stdout[0], stderr[0]];
      this.#own = [stdin[1], stdout[1], stderr[1]];
    } catch (error) {
      for (const file of opened) file.close();
      throw error;
    }
  }

  /** The same, for who has to tell pipes from files of the caller. */
  get choices(): Three<StreamChoice> {
    const choose = (fd: 0 | 1 | 2): StreamChoice => {
      const file = this.given[fd];
      return this.#own[fd] && file instanceof Fd ? { pipe: file } : file;
    };
    return [choose(0), choose(1), choose(2)];
  }

  /** The program has its ends: this process lets go of them, and has streams of its own. */
  streams(): PipeStreams {
    this.#closeGiven();
    const [stdin, stdout, stderr] = this.#own;
    return { stdin: stdin ? inputOf(stdin) : null, stdout: stdout ? readableOf(stdout) : null, stderr: stderr ? readableOf(stderr) : null };
  }

  /** There is no program. */
  close(): void {
    this.#closeGiven();
    for (const own of this.#own) own?.close();
  }

  #closeGiven(): void {
    for (const [fd, file] of this.given.entries()) if (this.#own[fd] && file instanceof Fd) file.close();
  }
}

/** Begins something with pipes, and gives it this process's ends of them. */
export async function beginWithPipes<Begun extends object>(
  choices: Three<'pipe' | LaunchStdio>,
  begin: (pipes: Pipes) => Promise<Begun>,
): Promise<Begun & PipeStreams> {
  const pipes = new Pipes(choices);
  try {
    return Object.assign(await begin(pipes), pipes.streams());
  } catch (error) {
    pipes.close();
    throw error;
  }
}
