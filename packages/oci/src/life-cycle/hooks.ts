import { launch, type Child, type Exit, type Step } from '@ctr/syscall';

import type { Hook, Hooks } from '../config/hooks.js';
import { OciError } from '../error.js';
import { memoryFile, textOf } from '../memory-file.js';
import type { State } from '../state.js';

/** Of what a hook has said, so much is told. */
const MAX_OUTPUT_BYTES = 4096;

/**
 * Runs the hooks of a kind, one after the other: the container's state is on their standard input. Rejects with an {@link OciError} for the first that fails, or takes longer than it may.
 *
 * @param way what a hook's process does before its program: goes into the namespaces of a container, for instance
 */
export async function runHooks(kind: keyof Hooks, hooks: readonly Hook[] | undefined, state: State, way: readonly Step[] = []): Promise<void> {
  for (const [index, hook] of (hooks ?? []).entries()) await runHook(`${kind} hook #${index}`, hook, state, way);
}

async function runHook(name: string, { path, args = [path], env = [], timeout }: Hook, state: State, way: readonly Step[]): Promise<void> {
  using input = memoryFile('state', JSON.stringify(state));
  using output = memoryFile('output');
  const plan: Step[] = [
    // What it starts ends with it when its time is over.
    { call: 'setsid', args: [], purpose: 'a session of its own' },
    ...way,
    { call: 'execve', args: [path, args, env], purpose: `the ${name}` },
  ];
  let timedOut = false;
  let exit: Exit;
  try {
    const child = await launch(plan, { stdio: [input, output, output] });
    exit = await endOf(child, timeout, () => (timedOut = true));
  } catch (error) {
    throw new OciError('hook', `error running ${name}: ${(error as Error).message}`, { cause: error });
  }
  if (exit.code === 0 && !timedOut) return;
  const said = textOf(output, MAX_OUTPUT_BYTES).trim();
  const how = timedOut ? `hook ran past specified timeout of ${timeout}s` : exit.signal ? `signal: ${exit.signal}` : `exit status ${exit.code}`;
  throw new OciError('hook', `error running ${name}: ${how}${said === '' ? '' : `, output: ${said}`}`);
}

function endOf(child: Child, timeoutSeconds: number | undefined, late: () => void): Promise<Exit> {
  if (!timeoutSeconds) return child.exited;
  const timer = setTimeout(() => {
    late();
    // All of its session, unless it has made others.
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      child.kill('SIGKILL');
    }
  }, timeoutSeconds * 1000);
  return child.exited.finally(() => clearTimeout(timer));
}
