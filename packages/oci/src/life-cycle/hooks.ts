import { dieWithHost, launch, nodeTimers, type Child, type Exit, type LaunchOptions, type Plan } from '@ctr/syscall';

import type { Hook, Hooks } from '../config/hooks.js';
import { OciError } from '../error.js';
import { boundedMemoryFile, memoryFile, textOf } from '../memory-file.js';
import type { State } from '../state.js';

/** Of what a hook has said, so much is told. */
const MAX_OUTPUT_BYTES = 4096;
/** So much a hook may say; a program of the image is one, too. */
const OUTPUT_BYTES = 2 ** 20;
/** setTimeout of Node takes 31 bits, some 24 days. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** How hooks are run. */
export interface HookOptions {
  /** What a hook's process does before its program: goes into the namespaces of a container, for instance. Its tie to the host is a part of it. @default the tie alone */
  readonly way?: Plan;
  /** What the host does for that. */
  readonly host?: Pick<LaunchOptions, 'onFile' | 'onWaiting'>;
  /** The environment of a hook that names none. @default that of this process */
  readonly env?: readonly string[];
  /** Kills the one that runs. */
  readonly cancelSignal?: AbortSignal;
  /** Is told of each that fails, and those that come after it are run all the same. */
  readonly onFailure?: (error: Error) => void;
}

/**
 * Runs the hooks of a kind, one after the other: the container's state is on their standard input. Rejects with an {@link OciError} for the first that fails, or takes longer than it may.
 * A hook does not outlive this process.
 */
export async function runHooks(kind: keyof Hooks, hooks: readonly Hook[] | undefined, state: State, options: HookOptions = {}): Promise<void> {
  for (const [index, hook] of (hooks ?? []).entries()) {
    try {
      await runHook(`${kind} hook #${index}`, hook, state, options);
    } catch (error) {
      if (!options.onFailure) throw error;
      options.onFailure(error as Error);
    }
  }
}

async function runHook(name: string, { path, args = [path], env, timeout }: Hook, state: State, options: HookOptions): Promise<void> {
  const { way = dieWithHost(), host = {}, cancelSignal } = options;
  using input = memoryFile('state', JSON.stringify(state));
  using output = boundedMemoryFile('output', OUTPUT_BYTES);
  const plan: Plan = [
    // What it starts ends with it when its time is over.
    { call: 'setsid', args: [], purpose: 'a session of its own' },
    ...way,
    { call: 'execve', args: [path, args, env ?? options.env ?? ownEnvironment()], purpose: `the ${name}` },
  ];
  let timedOut = false;
  let exit: Exit;
  try {
    const child = await launch(plan, { stdio: [input, output, output], ...host, ...(cancelSignal && { cancelSignal }) });
    const end = (): void => endSession(child);
    cancelSignal?.addEventListener('abort', end, { once: true });
    const late = (): void => {
      timedOut = true;
      end();
    };
    const timer = timeout ? nodeTimers.setTimeout(late, Math.min(timeout * 1000, LONGEST_TIMEOUT_MS)) : undefined;
    exit = await child.exited;
    nodeTimers.clearTimeout(timer);
    cancelSignal?.removeEventListener('abort', end);
  } catch (error) {
    throw new OciError('hook', `error running ${name}: ${(error as Error).message}`, { cause: error });
  }
  if (exit.code === 0 && !timedOut) return;
  const said = textOf(output, MAX_OUTPUT_BYTES).trim();
  const how = timedOut ? `hook ran past specified timeout of ${timeout}s` : exit.signal ? `signal: ${exit.signal}` : `exit status ${exit.code}`;
  throw new OciError('hook', `error running ${name}: ${how}${said === '' ? '' : `, output: ${said}`}`);
}

/** A hook that names no environment has that of the runtime, as with runc; one that names an empty one has none. */
function ownEnvironment(): string[] {
  return Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
}

/** Kills a hook, and all of its session, unless it has made others. */
function endSession(child: Child): void {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}
