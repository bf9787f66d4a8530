// A program that owns a container and is killed; and one, the first process of a pid namespace of its own, that starts such owners one after the other and looks what they have left.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { plan, run, type ContainerOptions } from '@ctr/runtime';
import { collectGarbage, groupName, parseGroupName, planGroup, readLayout } from '@ctr/cgroups';
import { launch, waitForHost } from '@ctr/syscall';

/** What is found after an owner has been killed. */
export interface Found {
  readonly killed: boolean;
  /** Groups of this owner, and of those before it, which its own start has to have removed. */
  readonly own: number;
  readonly older: number;
  /** Processes that run though their host is dead. */
  readonly running: readonly string[];
}

const [role = '', ...args] = process.argv.slice(2);
if (role === 'supervise') console.log(JSON.stringify(await supervise(JSON.parse(args[0] ?? '') as ContainerOptions, Number(args[1]), Number(args[2]))));
else if (role === 'count') console.log(stepsOf(JSON.parse(args[0] ?? '') as ContainerOptions).length);
else if (role === 'collect') console.log(JSON.stringify(await collectGarbage()));
else await own(JSON.parse(args[0] ?? '') as ContainerOptions, Number(args[1]));

/** Removes what others have left, by starting something, and goes on until it is killed, by itself: before a step, or while the container runs. */
async function own(options: ContainerOptions, at: number): Promise<void> {
  const { rootfs } = options;
  await run(['true'], rootfs === undefined ? {} : { rootfs });
  if (at < 0) {
    const running = run(['sh', '-c', 'sleep 1000 & echo started; wait'], options);
    for await (const _ of running) process.kill(process.pid, 'SIGKILL');
  }
  const [tell] = waitForHost('kill the host');
  if (!tell) throw new Error('there is no step that tells the host');
  const steps = stepsOf(options);
  await launch(steps.toSpliced(at, 0, { ...tell, tolerates: 'any' }), {
    stdio: ['ignore', 'ignore', 'ignore'],
    onWaiting: () => {
      process.kill(process.pid, 'SIGKILL');
      return new Promise(() => undefined);
    },
  });
  // The step is not on the way that succeeds, or comes after the program.
  process.kill(process.pid, 'SIGKILL');
}

/** The plan of a container with its group. */
function stepsOf(options: ContainerOptions): ReturnType<typeof plan>[number][] {
  return [...planGroup(groupName(), { pids: 20 }).steps, ...plan(['sh', '-c', 'sleep 1000 & wait'], { ...options, cgroup: false })];
}

/** Starts an owner for each of the steps from one to another (or one that is killed while its container runs, for -1). */
async function supervise(options: ContainerOptions, from: number, to: number): Promise<Found[]> {
  const found: Found[] = [];
  for (let at = from; at < to; at++) {
    const owner = spawn(process.execPath, [process.argv[1] ?? '', 'own', JSON.stringify(options), String(at)], { stdio: ['ignore', 'ignore', 'inherit'] });
    const signal = await new Promise<NodeJS.Signals | null>((resolve) => owner.once('exit', (_, name) => resolve(name)));
    const running = await survivors();
    const groups = groupsOfThisNamespace();
    const own = groups.filter(({ pid }) => pid === owner.pid).length;
    found.push({ killed: signal === 'SIGKILL', own, older: groups.length - own, running });
  }
  if (!args.includes('keep')) await collectGarbage();
  return found;
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
