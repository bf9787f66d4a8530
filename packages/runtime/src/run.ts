import type { Readable, Writable } from 'node:stream';

import { checkOptions, Fd, type LaunchStdio } from '@ctr/syscall';

import { startSpec, type Container, type StartOptions } from './container.js';
import { Input } from './input.js';
import { checkMaxLineBytes, DEFAULT_MAX_LINE_BYTES, LineSplitter, LONGEST_TEXT_BYTES } from './lines.js';
import { Output, OutputBound } from './output.js';
import { ContainerError, type Ending, type Result } from './result.js';
import { checkSpec, optionNames } from './spec.js';
import { checkStdio, type StreamChoice, type Three } from './streams.js';

/** What a standard stream of the program is: a pipe to this process, a relay to the stream of this process, the container's `/dev/null`, or an open file that is handed over. */
export type Stdio = 'pipe' | LaunchStdio;

/** How a program is run in a container. */
export interface RunOptions extends Omit<StartOptions, 'stdio' | 'onBrokenPipe' | 'terminal'> {
  /** stdin, stdout and stderr: pipes to this process, or as {@link StartOptions.stdio} has them. @default all 'pipe' */
  readonly stdio?: Stdio | readonly [Stdio, Stdio, Stdio];
  /** What the program reads from stdin. @default nothing, unless `stdin` is taken from the promise at once */
  readonly input?: string | Uint8Array;
  /** How many bytes of stdout and stderr together are kept for the result, 512 MiB at most; what comes later is read and dropped. @default 64 MiB */
  readonly maxBufferBytes?: number;
  /** Longest line, in bytes without its line feed, that iteration gives. A longer one ends the iteration with a {@link LineTooLongError}. @default 16 MiB */
  readonly maxLineBytes?: number;
  /** Reject if the program does not end with exit code 0. @default true */
  readonly reject?: boolean;
}

/**
 * The result to come of a program in a container, and its streams meanwhile. Iterating over it gives the lines of stdout, which end with a
 * line feed, or a carriage return and a line feed. Output that the loop has not come to stays in the pipe, and the program waits while that is full.
 * Leaving the loop closes the pipe.
 */
export interface RunPromise extends Promise<Result>, AsyncDisposable, AsyncIterable<string> {
  /** Where the program reads from; `null` where stdin is not a pipe. Taken in the same turn as the call to `run`; later, stdin is at its end already. */
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** The container, once it runs; rejects if it does not come to that. */
  readonly container: Promise<Container>;
}

const DEFAULT_MAX_BUFFER_BYTES = 64 * 2 ** 20;
/** How long the output of a program that was killed is read at least. */
const MIN_COLLECT_MS = 100;

/**
 * Runs a program in a container of its own and waits for its end.
 *
 * Rejects with a {@link ContainerError} if the program does not end with exit code 0, or is cancelled (unless `reject` is false),
 * with a `SyscallError` that names the step if the container could not be set up, and with a `TypeError` or `RangeError` for options that cannot be.
 *
 * @example
 * ```ts
 * import { run } from '@ctr/runtime';
 * const { stdout } = await run(['sh', '-c', 'echo $$ $(hostname)']);
 * console.log(stdout); // 1 container
 * ```
 * @example Line by line
 * ```ts
 * import { run } from '@ctr/runtime';
 * for await (const line of run(['seq', '3'])) console.log(line);
 * ```
 */
export function run(command: readonly [string, ...string[]], options: RunOptions = {}): RunPromise {
  const {
    stdio = 'pipe',
    input,
    maxBufferBytes = DEFAULT_MAX_BUFFER_BYTES,
    maxLineBytes = DEFAULT_MAX_LINE_BYTES,
    reject = true,
    cancelSignal,
    timeoutMs,
    ...rest
  } = options;
  if ('terminal' in options) throw new TypeError('run keeps the output, so it gives no terminal: start does');
  checkOptions('run', options, [...optionNames, 'stdio', 'input', 'maxBufferBytes', 'maxLineBytes', 'reject', 'cancelSignal', 'timeoutMs']);
  checkStdio(stdio, ['pipe', 'inherit', 'ignore']);
  if (input !== undefined && typeof input !== 'string' && !((input as unknown) instanceof Uint8Array))
    throw new TypeError(`input is ${typeof input}: a string or bytes`);
  if (!Number.isSafeInteger(maxBufferBytes) || maxBufferBytes < 0) throw new RangeError(`maxBufferBytes is ${maxBufferBytes}: a number of bytes, from 0`);
  checkMaxLineBytes(maxLineBytes);
  if (input !== undefined && (Array.isArray(stdio) ? (stdio as readonly Stdio[])[0] : stdio) !== 'pipe') throw new TypeError('input needs stdin to be a pipe');
  const spec = checkSpec(command, rest);
  let streams = new Streams(['ignore', 'ignore', 'ignore'], undefined, 0);
  let container: Promise<Container>;
  try {
    streams = new Streams(typeof stdio === 'string' || stdio instanceof Fd ? [stdio, stdio, stdio] : stdio, input, maxBufferBytes);
    container = startSpec(spec, { stdio: streams.given, ...(cancelSignal && { cancelSignal }), ...(timeoutMs !== undefined && { timeoutMs }) }).finally(() =>
      streams.closeGiven(),
    );
  } catch (error) {
    // Too many files are open for the pipes, which is no mistake of the caller's: it is told as all that fails later.
    container = Promise.reject(error instanceof Error ? error : new Error(String(error)));
  }
  const began = performance.now();
  const end = async (ending: Ending): Promise<Result> => {
    // What the program has left may hold its pipes open, where it shares its pids and has no cgroup: the bounds of the caller are for that, too.
    const left = await boundedBy(
      () => streams.destroy(),
      { cancelSignal, leftMs: timeoutMs === undefined ? undefined : began + timeoutMs - performance.now() },
      () => streams.collected(),
    );
    const full: Result = { ...ending, ...left };
    if (reject && (full.exitCode !== 0 || (left.outputDropped === true && (full.timedOut || full.isCanceled))))
      throw new ContainerError(command, full, full.isCanceled ? { cause: cancelSignal?.reason } : undefined);
    return full;
  };
  const result = container.then(
    async (started) => end(await started.exited),
    (error: unknown) => {
      // Whether the program ran yet is a matter of microseconds: it ends in the same way.
      if (cancelSignal?.aborted && error === cancelSignal.reason) return end({ ...canceled, durationMs: performance.now() - began });
      streams.destroy();
      throw error;
    },
  );
  return Object.defineProperties(result, {
    stdin: { get: () => streams.input?.stream ?? null },
    stdout: { get: () => streams.stdout?.stream ?? null },
    stderr: { get: () => streams.stderr?.stream ?? null },
    container: { value: container },
    [Symbol.asyncIterator]: {
      value: async function* (): AsyncIterator<string> {
        // The end is told after the last line, so a rejection before that is not unhandled.
        result.catch(() => undefined);
        const output = streams.stdout;
        try {
          if (output) {
            const splitter = new LineSplitter(maxLineBytes);
            for await (const chunk of output.fromStart()) {
              for (const line of splitter.push(chunk)) yield line;
              if (splitter.error) throw splitter.error;
            }
            for (const line of splitter.end()) yield line;
            if (splitter.error) throw splitter.error;
          }
        } finally {
          // Who has seen enough reads no more: the program is told so by SIGPIPE, as by `head`, rather than left to wait for a reader.
          output?.stream.destroy();
        }
        await result;
      },
    },
    [Symbol.asyncDispose]: {
      value: async (): Promise<void> => {
        const started = await container.catch(() => undefined);
        await started?.[Symbol.asyncDispose]();
        await result.catch(() => undefined);
      },
    },
  }) as RunPromise;
}

type Collected = Pick<Result, 'stdout' | 'stderr' | 'outputTruncated'>;

/** Collects, until time is over or the signal fires: then `drop` is called, which ends it. */
async function boundedBy(
  drop: () => void,
  { cancelSignal, leftMs }: { readonly cancelSignal: AbortSignal | undefined; readonly leftMs: number | undefined },
  collect: () => Promise<Collected>,
): Promise<Collected & Partial<Pick<Ending, 'timedOut' | 'isCanceled' | 'outputDropped'>>> {
  let reason: { readonly timedOut: true } | { readonly isCanceled: true } | undefined;
  const timeOut = (): void => {
    reason ??= { timedOut: true };
    drop();
  };
  const cancel = (): void => {
    reason ??= { isCanceled: true };
    drop();
  };
  // What has come already is read in any case: the timer fires later than that.
  const timer = leftMs === undefined ? undefined : setTimeout(timeOut, Math.max(MIN_COLLECT_MS, leftMs));
  const canceler = cancelSignal?.aborted ? setTimeout(cancel, MIN_COLLECT_MS) : undefined;
  cancelSignal?.addEventListener('abort', cancel, { once: true });
  try {
    const collected = await collect();
    return reason ? { ...collected, ...reason, outputDropped: true } : collected;
  } finally {
    clearTimeout(timer);
    clearTimeout(canceler);
    cancelSignal?.removeEventListener('abort', cancel);
  }
}

/** The end of a container that was cancelled before it was known to run. */
const canceled: Omit<Ending, 'durationMs'> = {
  exitCode: undefined,
  signal: 'SIGKILL',
  oomKilled: false,
  timedOut: false,
  isCanceled: true,
  outputDropped: false,
  usage: { cpuMicroseconds: 0, peakMemoryBytes: undefined, peakPids: undefined, pidsMaxHits: undefined, statistics: undefined, source: 'rusage' },
};

/** The host's ends of the program's pipes, and what the program is given. */
class Streams {
  readonly input: Input | undefined;
  readonly stdout: Output | undefined;
  readonly stderr: Output | undefined;
  readonly given: Three<StreamChoice>;
  readonly #bound: OutputBound;

  constructor([stdin, stdout, stderr]: readonly [Stdio, Stdio, Stdio], input: string | Uint8Array | undefined, maxBufferBytes: number) {
    this.#bound = new OutputBound(Math.min(maxBufferBytes, LONGEST_TEXT_BYTES));
    try {
      if (stdin === 'pipe') this.input = new Input(input);
      if (stdout === 'pipe') this.stdout = new Output('stdout', this.#bound);
      if (stderr === 'pipe') this.stderr = new Output('stderr', this.#bound);
    } catch (error) {
      this.closeGiven();
      this.destroy();
      throw error;
    }
    const give = (stream: Stdio, pipe: Fd | undefined): StreamChoice => (stream === 'pipe' ? (pipe ? { pipe } : 'ignore') : stream);
    this.given = [give(stdin, this.input?.readEnd), give(stdout, this.stdout?.writeEnd), give(stderr, this.stderr?.writeEnd)];
  }

  /** The program has its ends now: this process lets go of them, so that the pipes end when the program does. */
  closeGiven(): void {
    this.input?.readEnd.close();
    this.stdout?.writeEnd.close();
    this.stderr?.writeEnd.close();
  }

  async collected(): Promise<Collected> {
    const [stdout = '', stderr = ''] = await Promise.all([this.stdout?.text(), this.stderr?.text()]);
    this.input?.destroy();
    return { stdout, stderr, outputTruncated: this.#bound.truncated };
  }

  destroy(): void {
    this.input?.destroy();
    this.stdout?.destroy();
    this.stderr?.destroy();
  }
}
