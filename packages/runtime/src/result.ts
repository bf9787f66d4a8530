import type { Statistics } from '@ctr/cgroups';
import { quote, type SignalName } from '@ctr/syscall';

/** What a container used. */
export interface Usage {
  readonly cpuMicroseconds: number;
  /** The most memory that was in use at one time; unknown where nothing measured it. */
  readonly peakMemoryBytes: number | undefined;
  /** The most processes and threads that there were at one time; counted where a limit or `measure` was asked for. */
  readonly peakPids: number | undefined;
  /** How often a new process was refused because of the limit; counted where a limit or `measure` was asked for. */
  readonly pidsMaxHits: number | undefined;
  /** All that its cgroup has counted, where `measure` was asked for. */
  readonly statistics: Statistics | undefined;
  /** Who counted: the container's cgroup, or the kernel for the program and the children it has waited for. */
  readonly source: 'cgroup' | 'rusage';
}

/** How a container ended. */
export interface Ending {
  /** The program's exit code; `undefined` if a signal ended it. */
  readonly exitCode: number | undefined;
  readonly signal: SignalName | undefined;
  /** From the call to the end, in milliseconds. */
  readonly durationMs: number;
  /** A process of it was killed because the container's memory limit was reached. */
  readonly oomKilled: boolean;
  /** It was killed because `timeoutMs` was over. */
  readonly timedOut: boolean;
  /** It was killed because the `cancelSignal` fired. */
  readonly isCanceled: boolean;
  /** Not all that it wrote to relayed streams has been delivered: the container was killed, or cancelled, before the reader took it. */
  readonly outputDropped: boolean;
  readonly usage: Usage;
}

/** How a container ended that was run, and what it wrote. */
export interface Result<Output extends string | Buffer = string> extends Ending {
  /** What was kept of the output; empty where it is not a pipe. */
  readonly stdout: Output;
  readonly stderr: Output;
  /** Both in one, in the order in which they came, where `all` was asked for. */
  readonly all: Output | undefined;
  /** There was more output than `maxBufferBytes`: what came later was dropped. */
  readonly outputTruncated: boolean;
  /** It was killed because there was more output than `maxBufferBytes`, where `onMaxBuffer` is `'kill'`. */
  readonly isMaxBuffer: boolean;
}

const brand = Symbol.for('ctr.ContainerError');

/**
 * A program that did not end well: with an exit code other than 0, by a signal, by time-out, or cancelled. It has everything that a {@link Result} has.
 *
 * @example
 * ```ts
 * import { ContainerError, run } from '@ctr/runtime';
 * const error: unknown = await run(['sh', '-c', 'echo no >&2; exit 3']).catch((reason: unknown) => reason);
 * if (error instanceof ContainerError) console.log(error.exitCode, error.stderr); // 3 no
 * ```
 */
export class ContainerError<Output extends string | Buffer = string> extends Error implements Result<Output> {
  override readonly name = 'ContainerError';
  readonly command: readonly string[];
  declare readonly exitCode: number | undefined;
  declare readonly signal: SignalName | undefined;
  declare readonly durationMs: number;
  declare readonly oomKilled: boolean;
  declare readonly timedOut: boolean;
  declare readonly isCanceled: boolean;
  declare readonly outputDropped: boolean;
  declare readonly usage: Usage;
  declare readonly stdout: Output;
  declare readonly stderr: Output;
  declare readonly all: Output | undefined;
  declare readonly outputTruncated: boolean;
  declare readonly isMaxBuffer: boolean;

  /** @param note what else is to be said of the end */
  constructor(command: readonly string[], result: Result<Output>, options?: ErrorOptions, note = '') {
    const stderr = String(result.stderr).trimEnd();
    super(`${quote(command.join(' '))} ${describeEnding(result)}${note}${stderr === '' ? '' : `\n${stderr}`}`, options);
    this.command = command;
    Object.assign(this, result);
    Object.defineProperty(this, brand, { value: true });
  }
}

/**
 * Whether a value is a {@link ContainerError}, also one of another copy of this package.
 *
 * @example
 * ```ts
 * import { isContainerError, run } from '@ctr/runtime';
 * try {
 *   await run(['false']);
 * } catch (error) {
 *   if (isContainerError(error)) console.log(error.exitCode); // 1
 * }
 * ```
 */
export function isContainerError(value: unknown): value is ContainerError {
  return value instanceof Error && brand in value;
}

/** In words: `ended with exit code 3`. */
function describeEnding({ exitCode, signal, timedOut, isCanceled, isMaxBuffer, oomKilled, durationMs }: Result<string | Buffer>): string {
  if (timedOut) return `was killed after ${Math.round(durationMs)} ms: its time was over`;
  if (isCanceled) return 'was cancelled';
  if (isMaxBuffer) return 'was killed: it wrote more than maxBufferBytes';
  const reason = oomKilled ? ': it reached its memory limit' : '';
  return signal === undefined ? `ended with exit code ${exitCode}${reason}` : `was killed by ${signal}${reason}`;
}
