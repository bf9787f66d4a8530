// What the root tests of this package share: a group above all of theirs, and programs that are launched in groups.
import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { announceExec, AT_FDCWD, launch, openFlags, resultOf, type Child, type Plan, type Step } from '@ctr/syscall';
import { TestRunner } from 'vitest';

import { readLayout, removeGroup } from '@ctr/cgroups';

import { script } from '../../../test/support/launched.js';

export { launched, rejection, script } from '../../../test/support/launched.js';

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

/** A process that runs until it is killed. */
export function sleeper(steps: Plan): Promise<Child> {
  return launch([...steps, ...script('exec /bin/busybox sleep 1000')], { stdio: ['ignore', 'ignore', 'ignore'] });
}

/** The steps that have this process, which has one thread, join a group that is there. */
export function enter(directory: string): Step[] {
  const open: Step = { call: 'openat', args: [AT_FDCWD, `${directory}/cgroup.procs`, openFlags.O_WRONLY | openFlags.O_CLOEXEC, 0], purpose: 'the group' };
  return [open, { call: 'write', args: [resultOf(open), '0', 1], purpose: 'join it' }, { call: 'close', args: [resultOf(open)], purpose: 'joined' }];
}

/** asm-generic/mman-common.h, linux/mman.h */
const [PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_POPULATE] = [0x3, 0x2 | 0x20 | 0x8000];

/**
 * The last steps: takes memory, all at once, and ends. Memory that is a program's own cannot be taken back without swap, whereas a program that is read from a file loses
 * its own pages first, and may be long about them.
 */
export function takeMemory(bytes: number): Step[] {
  return [
    announceExec(),
    { call: 'mmap', args: [null, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_POPULATE, -1, 0], purpose: 'take memory' },
    { call: 'exit_group', args: [0], purpose: 'it had enough' },
  ];
}

/** Waits until something holds that the kernel tells no one about: nearly as long as the test may take, to say what did not come. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 0.8 * (TestRunner.getCurrentTest()?.timeout ?? 0);
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
