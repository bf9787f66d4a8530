// What the root tests of this package share: a group above all of theirs, and programs that are launched in groups.
import { existsSync, readdirSync, readFileSync, readSync, rmdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { announceExec, call, Fd, launch, type Child, type Exit, type Plan, type Step } from '@ctr/syscall';

import { readLayout, removeGroup } from '@ctr/cgroups';

const busybox = '/bin/busybox';

/** The group above those of one test file: vitest has a process for each. */
export const parent = `/ctr-test-${process.pid}`;
export const layout = readLayout();
const parents = layout.hierarchies.map(({ mount }) => mount + parent);

/** What is left below {@link parent} in any hierarchy. */
export function leftovers(): string[] {
  return parents.filter(existsSync).flatMap((directory) =>
    readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${directory}/${name}`),
  );
}

/** After each test: fails if a group is left, and removes it, so that the next test is not failed by this one. */
export async function checkLeftovers(): Promise<void> {
  const left = leftovers();
  await removeGroup(left);
  if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
}

/** At the end: removes {@link parent}, in which nothing is left. */
export function removeParent(): void {
  for (const directory of parents.filter(existsSync)) rmdirSync(directory);
}

/** The last steps: a shell script of busybox's. */
export function script(text: string): Step[] {
  return [announceExec(), { call: 'execve', args: [busybox, ['sh', '-c', text], ['PATH=/bin:/usr/bin:/sbin']], purpose: 'the program of a test' }];
}

/** A process that runs until it is killed. */
export function sleeper(steps: Plan): Promise<Child> {
  return launch([...steps, ...script('exec /bin/busybox sleep 1000')], { stdio: ['ignore', 'ignore', 'ignore'] });
}

/** Launches a plan and waits for its end; what it wrote to stdout and stderr. */
export async function launched(plan: Plan): Promise<{ readonly exit: Exit; readonly output: string }> {
  const file = new Fd(call({ call: 'memfd_create', args: ['output', 1], purpose: 'the output of a test' }));
  try {
    const child = await launch(plan, { stdio: ['ignore', file, file] });
    const exit = await child.exited;
    const bytes = Buffer.alloc(64 * 1024);
    return { exit, output: bytes.toString('utf8', 0, readSync(file.number, bytes, 0, bytes.length, 0)).trimEnd() };
  } finally {
    file.close();
  }
}

/** Waits until something holds that the kernel tells no one about. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await delay(2);
  }
}

/** The groups of a process, one line for each hierarchy. */
export function groupsOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/cgroup`, 'latin1')
    .split('\n')
    .filter((line) => line.includes(parent));
}

/** The error that a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof Error)) throw new Error('it was not rejected');
  return outcome;
}
