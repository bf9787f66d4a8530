import type { Readable, Writable } from 'node:stream';

import { checkOptions, nodeTimers, quote, type Fd, type LaunchStdio } from '@ctr/syscall';

import { startSpec, type Container, type StartOptions } from './container.js';
import { Input } from './input.js';
import { KeptBytes } from './kept-bytes.js';
import { checkMaxLineBytes, DEFAULT_MAX_LINE_BYTES, LineSplitter, LONGEST_TEXT_BYTES } from './lines.js';
import { checkNames } from './others-words.js';
import { joined, merged, Output, OutputBound } from './output.js';
import { ContainerError, type Ending, type Result } from './result.js';
import { shown } from './shown.js';
import { checkSpec, optionNames } from './spec.js';
import { checkStdio, threeOf, type StreamChoice, type Three } from './streams.js';

/** What a standard stream of the program is: a pipe to this process, a relay to the stream of this process, the container's `/dev/null`, or an open file that is handed over. */
export type Stdio = 'pipe' | LaunchStdio;

/** What the output is in the result: text, or the bytes themselves. */
export type OutputEncoding = 'utf8' | 'buffer';

/** How a program is run in a container. */
export interface RunOptions<Encoding extends OutputEncoding = 'utf8'> extends Omit<StartOptions, 'stdio' | 'onBrokenPipe' | 'terminal'> {
  /** stdin, stdout and stderr: pipes to this process, or as {@link StartOptions.stdio} has them. @default all 'pipe' */
  readonly stdio?: Stdio | readonly [Stdio, Stdio, Stdio];
  /** What the program reads from stdin. @default nothing, unless `stdin` is taken from the promise at once */
  readonly input?: string | Uint8Array;
  /** What the output is in the result: text, in which bytes that are no UTF-8 are U+FFFD, or a Buffer. @default 'utf8' */
  readonly encoding?: Encoding;
  /** Whether the result has stdout and stderr also as one, in the order in which they came. Each is a pipe of its own, so that what comes at the same time may be the other way round. @default false */
  readonly all?: boolean;
  /** How many bytes are kept for the result, 512 MiB at most: of stdout and stderr together, or of each. @default 64 MiB together */
  readonly maxBufferBytes?: number | { readonly stdout?: number; readonly stderr?: number };
  /** What becomes of a program that writes more: the rest is read and dropped, or it is killed. @default 'drop' */
  readonly onMaxBuffer?: 'drop' | 'kill';
  /** Longest line, in bytes without its line feed, that iteration gives. A longer one ends the iteration with a {@link LineTooLongError}. @default 16 MiB */
  readonly maxLineBytes?: number;
  /** Reject if the program does not end with exit code 0. @default true */
  readonly reject?: boolean;
}

/**
 * The result to come of a program in a container, and its streams meanwhile. Iterating over it gives the lines of stdout, which end with a
 * line feed, or a carriage return and a line feed. Output that the loop has not come to stays in the pipe, and the program waits while that is full.
 *
 * Leaving the loop early kills the container, and waits for its end, unless somebody holds it: by `await using`, or because `container` has been taken before.
 * Then it goes on, and what it writes is read as it would be without a loop.
 */
export interface RunPromise<Output extends string | Buffer = string> extends Promise<Result<Output>>, AsyncDisposable, AsyncIterable<string> {
  /** Where the program reads from; `null` where stdin is not a pipe. Taken in the same turn as the call to `run`; later, stdin is at its end already. */
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** What stdout and stderr bring, in the order in which it comes, where `all` was asked for. */
  readonly all: Readable | null;
  /** The container, once it runs; rejects if it does not come to that. */
  readonly container: Promise<Container>;
}

const DEFAULT_MAX_BUFFER_BYTES = 64 * 2 ** 20;
/** How long the output of a program that was killed is read at least. */
const MIN_COLLECT_MS = 100;

/**
 * Runs a program as below, with the output as bytes.
 *
 * @example
 * ```ts
 * import { run } from '@ctr/runtime';
 * const { stdout } = await run(['head', '-c', '4', '/dev/urandom'], { encoding: 'buffer' });
 * console.log(stdout.length); // 4
 * ```
 */
export function run(command: readonly string[], options: RunOptions<'buffer'> & { readonly encoding: 'buffer' }): RunPromise<Buffer>;
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
export function run(command: readonly string[], options?: RunOptions): RunPromise;
export function run(command: readonly string[], options: RunOptions<OutputEncoding> = {}): RunPromise<string | Buffer> {
  const {
    stdio = 'pipe',
    input,
    encoding = 'utf8',
    all = false,
    maxBufferBytes = DEFAULT_MAX_BUFFER_BYTES,
    onMaxBuffer = 'drop',
    maxLineBytes = DEFAULT_MAX_LINE_BYTES,
    reject = true,
    cancelSignal,
    timeoutMs,
    ...rest
  } = options;
  if ('terminal' in options) throw new TypeError('run keeps the output, so it gives no terminal: start does');
  checkNames('run', options, [...optionNames, ...runNames]);
  checkStdio(stdio, ['pipe', 'inherit', 'ignore']);
  if (input !== undefined && typeof input !== 'string' && !((input as unknown) instanceof Uint8Array))
    throw new TypeError(`input is ${typeof input}: a string or bytes`);
  const bounds = boundsOf(maxBufferBytes);
  checkWord('encoding', encoding, ['utf8', 'buffer']);
  checkWord('onMaxBuffer', onMaxBuffer, ['drop', 'kill']);
  if (typeof (all as unknown) !== 'boolean') throw new TypeError(`all is ${shown(all)}: true or false`);
  checkMaxLineBytes(maxLineBytes);
  if (input !== undefined && threeOf(stdio)[0] !== 'pipe') throw new TypeError('input needs stdin to be a pipe');
  const spec = checkSpec(command, rest);
  let isMaxBuffer = false;
  const kept = { bounds, encoding, all } as const;
  let streams = new Streams(['ignore', 'ignore', 'ignore'], undefined, kept);
  let container: Promise<Container>;
  const kill = (): void =>
    void container.then(
      (started) => started.kill('SIGKILL'),
      () => undefined,
    );
  const exceeded = (): void => {
    isMaxBuffer = true;
    kill();
  };
  try {
    streams = new Streams(threeOf(stdio), input, {
      ...kept,
      ...(onMaxBuffer === 'kill' && { onExceeded: exceeded }),
    });
    container = startSpec(spec, { stdio: streams.given, ...(cancelSignal && { cancelSignal }), ...(timeoutMs !== undefined && { timeoutMs }) }).finally(() =>
      streams.closeGiven(),
    );
  } catch (error) {
    // Too many files are open for the pipes, which is no mistake of the caller's: it is told as all that fails later.
    container = Promise.reject(error instanceof Error ? error : new Error(String(error)));
  }
  const began = nodeTimers.now();
  let isHeld = false;
  let isLeft = false;
  const end = async (ending: Ending): Promise<Result<string | Buffer>> => {
    // What the program has left may hold its pipes open, where it shares its pids and has no cgroup: the bounds of the caller are for that, too.
    const left = await boundedBy(
      () => streams.destroy(),
      { cancelSignal, leftMs: timeoutMs === undefined ? undefined : began + timeoutMs - nodeTimers.now() },
      () => streams.collected(),
    );
    const full: Result<string | Buffer> = { ...ending, ...left, isMaxBuffer };
    if (reject && (full.exitCode !== 0 || isMaxBuffer || (left.outputDropped === true && (full.timedOut || full.isCanceled))))
      throw new ContainerError(command, full, full.isCanceled ? { cause: cancelSignal?.reason } : undefined, isLeft && full.signal === 'SIGKILL' ? LEFT : '');
    return full;
  };
  const result = container.then(
    async (started) => end(await started.exited),
    (error: unknown) => {
      // Whether the program ran yet is a matter of microseconds: it ends in the same way.
      if (cancelSignal?.aborted && error === cancelSignal.reason) return end({ ...canceled, durationMs: nodeTimers.now() - began });
      streams.destroy();
      throw error;
    },
  );
  const dispose = async (): Promise<void> => {
    const started = await container.catch(() => undefined);
    await started?.[Symbol.asyncDispose]();
    await result.catch(() => undefined);
  };
  return Object.defineProperties(result, {
    stdin: { get: () => streams.input?.stream ?? null },
    stdout: { get: () => streams.stdout?.stream ?? null },
    stderr: { get: () => streams.stderr?.stream ?? null },
    all: { get: () => streams.all },
    container: {
      get: () => {
        isHeld = true;
        return container;
      },
    },
    [Symbol.asyncIterator]: {
      value: async function* (): AsyncIterator<string> {
        // The end is told after the last line, so a rejection before that is not unhandled.
        result.catch(() => undefined);
        const output = streams.stdout;
        let isOver = false;
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
          isOver = true;
        } finally {
          // Nobody else could end it: without this, a program that writes no more would run for ever.
          if (!isOver && !isHeld) {
            isLeft = true;
            kill();
            await result.catch(() => undefined);
          }
        }
        await result;
      },
    },
    // Who takes it is going to call it: `await using` takes it at once.
    [Symbol.asyncDispose]: {
      get: () => {
        isHeld = true;
        return dispose;
      },
    },
  }) as RunPromise<string | Buffer>;
}

/** What only `run` has. */
const runNames = ['stdio', 'input', 'encoding', 'all', 'maxBufferBytes', 'onMaxBuffer', 'maxLineBytes', 'reject', 'cancelSignal', 'timeoutMs'] as const;

/** Why a program was killed whose loop was left. */
const LEFT = ', since the loop over its lines was left; `await using` lets it go on';

/** How many bytes are kept: of both streams, or of each. */
type Bounds = readonly [together: number] | readonly [stdout: number, stderr: number];

function boundsOf(given: NonNullable<RunOptions['maxBufferBytes']>): Bounds {
  if (typeof given !== 'object') return [checkBound('maxBufferBytes', given)];
  checkOptions('maxBufferBytes', given, ['stdout', 'stderr']);
  const { stdout = DEFAULT_MAX_BUFFER_BYTES, stderr = DEFAULT_MAX_BUFFER_BYTES } = given;
  return [checkBound('maxBufferBytes.stdout', stdout), checkBound('maxBufferBytes.stderr', stderr)];
}

function checkBound(name: string, bytes: number): number {
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw new RangeError(`${name} is ${shown(bytes)}: a number of bytes, from 0`);
  return Math.min(bytes, LONGEST_TEXT_BYTES);
}

function checkWord(name: string, given: unknown, words: readonly string[]): void {
  if (!words.some((word) => word === given)) throw new TypeError(`${name} is ${shown(given)}: ${words.map((word) => quote(word)).join(' or ')}`);
}

type Collected = Pick<Result<string | Buffer>, 'stdout' | 'stderr' | 'all' | 'outputTruncated'>;

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
  const timer = leftMs === undefined ? undefined : nodeTimers.setTimeout(timeOut, Math.max(MIN_COLLECT_MS, leftMs));
  const canceler = cancelSignal?.aborted ? nodeTimers.setTimeout(cancel, MIN_COLLECT_MS) : undefined;
  cancelSignal?.addEventListener('abort', cancel, { once: true });
  try {
    const collected = await collect();
    return reason ? { ...collected, ...reason, outputDropped: true } : collected;
  } finally {
    nodeTimers.clearTimeout(timer);
    nodeTimers.clearTimeout(canceler);
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

/** What becomes of the output. */
interface Keeping {
  readonly bounds: Bounds;
  readonly encoding: OutputEncoding;
  readonly all: boolean;
  /** Called once a bound is exceeded. */
  readonly onExceeded?: () => void;
}

/** The host's ends of the program's pipes, and what the program is given. */
class Streams {
  readonly input: Input | undefined;
  readonly stdout: Output | undefined;
  readonly stderr: Output | undefined;
  readonly given: Three<StreamChoice>;
  readonly #bounds: readonly OutputBound[];
  readonly #encoding: OutputEncoding;
  /** Both outputs in one. */
  readonly #both: KeptBytes | undefined;
  #all: Readable | undefined;

  constructor([stdin, stdout, stderr]: readonly [Stdio, Stdio, Stdio], input: string | Uint8Array | undefined, keeping: Keeping) {
    const [first, second] = keeping.bounds;
    const ofStdout = new OutputBound(first, keeping.onExceeded);
    const ofStderr = second === undefined ? ofStdout : new OutputBound(second, keeping.onExceeded);
    this.#bounds = [ofStdout, ofStderr];
    this.#encoding = keeping.encoding;
    this.#both = keeping.all ? new KeptBytes() : undefined;
    try {
      if (stdin === 'pipe') this.input = new Input(input);
      if (stdout === 'pipe') this.stdout = new Output('stdout', ofStdout, this.#both);
      if (stderr === 'pipe') this.stderr = new Output('stderr', ofStderr, this.#both);
    } catch (error) {
      this.closeGiven();
      this.destroy();
      throw error;
    }
    const give = (stream: Stdio, pipe: Fd | undefined): StreamChoice => (stream === 'pipe' ? (pipe ? { pipe } : 'ignore') : stream);
    this.given = [give(stdin, this.input?.readEnd), give(stdout, this.stdout?.writeEnd), give(stderr, this.stderr?.writeEnd)];
  }

  get all(): Readable | null {
    if (!this.#both) return null;
    return (this.#all ??= merged(this.#outputs(), this.#both));
  }

  /** The program has its ends now: this process lets go of them, so that the pipes end when the program does. */
  closeGiven(): void {
    this.input?.readEnd.close();
    this.stdout?.writeEnd.close();
    this.stderr?.writeEnd.close();
  }

  async collected(): Promise<Collected> {
    await Promise.all(this.#outputs().map((output) => output.ended()));
    this.input?.destroy();
    const decode = (bytes: Buffer = Buffer.alloc(0)): string | Buffer => (this.#encoding === 'buffer' ? bytes : bytes.toString('utf8'));
    return {
      stdout: decode(this.stdout?.bytes()),
      stderr: decode(this.stderr?.bytes()),
      all: this.#both && decode(joined(this.#both).subarray(0, LONGEST_TEXT_BYTES)),
      outputTruncated: this.#bounds.some(({ truncated }) => truncated),
    };
  }

  destroy(): void {
    this.input?.destroy();
    for (const output of this.#outputs()) output.destroy();
  }

  #outputs(): Output[] {
    return [this.stdout, this.stderr].filter((output) => output !== undefined);
  }
}
