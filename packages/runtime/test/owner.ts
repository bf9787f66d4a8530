// A program that owns a container and is killed; and one, the first process of a pid namespace of its own, that starts such owners one after the other and looks what they have left.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { run, type ContainerOptions } from '@ctr/runtime';
import { collectGarbage, groupName, parseGroupName, readLayout } from '@ctr/cgroups';
import { launch, Memory, pollfd, waitForHost, type Step } from '@ctr/syscall';

import { stepsOf } from './fault-points.js';

/** What is found after some owners, and what two looks for garbage have removed, one right after the other. */
export interface Supervised {
  readonly found: readonly Found[];
  readonly collected: readonly string[];
  readonly again: readonly string[];
}

const command = ['sh', '-c', 'sleep 1000 & wait'] as const;

/** What is found after an owner has been killed. */
export interface Found {
  readonly killed: boolean;
  /** The steps before which a container waited when it was killed. */
  readonly waiting: readonly number[];
  /** Groups that it has left, and those that are left by owners before it, which its own start has to have removed. */
  readonly own: number;
  readonly older: number;
  /** Processes that run though their host is dead. */
  readonly running: readonly string[];
}

const [role = '', ...args] = process.argv.slice(2);
const optionsOf = (json = ''): ContainerOptions => JSON.parse(json) as ContainerOptions;
const numbersOf = (json = ''): number[] => JSON.parse(json) as number[];
if (role === 'supervise') console.log(JSON.stringify(await supervise(optionsOf(args[0]), JSON.parse(args[1] ?? '') as number[][])));
else if (role === 'count') console.log(stepsOf(optionsOf(args[0]), command).steps.length);
else if (role === 'collect') console.log(JSON.stringify(await collectGarbage()));
else if (role === 'run') await runAndDie(optionsOf(args[0]));
else await waitAndDie(optionsOf(args[0]), numbersOf(args[1]));

/** Removes what others have left, by starting something. */
async function first({ rootfs }: ContainerOptions): Promise<void> {
  await run(['true'], rootfs === undefined ? {} : { rootfs });
}

/** Is killed, by itself, while its container runs. */
async function runAndDie(options: ContainerOptions): Promise<void> {
  await first(options);
  const running = run(['sh', '-c', 'sleep 1000 & echo started; wait'], options);
  for await (const _ of running) process.kill(process.pid, 'SIGKILL');
}

/** Starts a container for each of some steps, which waits there until this process is dead and then goes on; kills itself when all wait, or have ended. */
async function waitAndDie(options: ContainerOptions, steps: readonly number[]): Promise<void> {
  await first(options);
  const waiting: number[] = [];
  await Promise.all(
    steps.map(async (at) => {
      const whole = stepsOf(options, command).steps;
      const reached = new Promise<void>((resolve) => {
        const launched = launch(whole.toSpliced(at, 0, ...waitForEnd()), {
          stdio: ['ignore', 'ignore', 'ignore'],
          onWaiting: () => {
            waiting.push(at);
            resolve();
            return new Promise(() => undefined);
          },
        });
        // The step is not on the way that succeeds, or comes after the program.
        void launched.then(
          () => resolve(),
          () => resolve(),
        );
      });
      await reached;
    }),
  );
  writeSync(1, JSON.stringify(waiting));
  process.kill(process.pid, 'SIGKILL');
}

/** Tells the host, and goes on when it is dead: what follows is for the plan to prevent. */
function waitForEnd(): Step[] {
  const [tell] = waitForHost('kill the host');
  if (!tell) throw new Error('there is no step that tells the host');
  const hangup = pollfd({ fd: 3, events: 0 });
  const answers: Step = { call: 'read', args: [3, new Memory(8, 'answer'), 0], purpose: 'no answer is waited for, but launch has to listen', tolerates: 'any' };
  return [
    { ...tell, tolerates: 'any' },
    { call: 'ppoll', args: [hangup, 1, null, null, 8], purpose: 'wait until the host is dead', tolerates: 'any' },
    answers,
  ];
}

/**
 * Starts an owner for each list of steps (or one that is killed while its container runs, for an empty list).
 * What one leaves is there for the start of the next, or for a look for garbage, by turns.
 */
async function supervise(options: ContainerOptions, lists: readonly (readonly number[])[]): Promise<Supervised> {
  const found: Found[] = [];
  const collected: string[] = [];
  const again: string[] = [];
  for (const [i, steps] of lists.entries()) {
    const words = steps.length === 0 ? ['run', JSON.stringify(options)] : ['wait', JSON.stringify(options), JSON.stringify(steps)];
    const owner = spawn(process.execPath, [process.argv[1] ?? '', ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    owner.stdout.on('data', (chunk: Buffer) => (text += String(chunk)));
    const signal = await new Promise<NodeJS.Signals | null>((resolve) => owner.once('exit', (_, name) => resolve(name)));
    const running = await survivors();
    const groups = groupsOfThisNamespace();
    const own = groups.filter(({ pid }) => pid === owner.pid).length;
    found.push({ killed: signal === 'SIGKILL', waiting: text === '' ? [] : numbersOf(text), own, older: groups.length - own, running });
    if (args.includes('keep') || (i % 2 === 0 && i < lists.length - 1)) continue;
    collected.push(...(await collectGarbage()));
    again.push(...(await collectGarbage()));
  }
  return { found, collected, again };
}

/** What still runs in the namespace after a while, but this process: zombies do not. */
async function survivors(): Promise<string[]> {
  for (let tries = 0; ; tries++) {
    const running = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid && name !== '1')
      .flatMap((pid) => {
        const stat = read(`/proc/${pid}/stat`);
        return stat === undefined || /\) [ZX] /.test(stat) ? [] : [`${pid} ${read(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ')}`];
      });
    if (running.length === 0 || tries === 1000) return running;
    await delay(2);
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

function groupsOfThisNamespace(): { pid: number }[] {
  const own = parseGroupName(groupName())?.pidNamespace;
  return readLayout().hierarchies.flatMap(({ mount }) => {
    const names = existing(`${mount}/ctr`);
    return names.flatMap((name) => {
      const owner = parseGroupName(name);
      return owner?.pidNamespace === own && owner ? [owner] : [];
    });
  });
}

function existing(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
