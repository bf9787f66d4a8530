// What the tests of this package share: a plan launched in a mount namespace of its own, with what its program wrote, and directories that go when the test is over.
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { cloneFlags, continueInChild, waitForHost, type LaunchOptions, type Plan, type Step } from '@ctr/syscall';
import { onTestFinished } from 'vitest';

import { parseMountinfo, propagation, type Mount } from '@ctr/fs';

import { busybox, launched, script } from '../../../test/support/launched.js';

export { busybox, launched, rejection, script } from '../../../test/support/launched.js';

/** The first steps: a process whose mounts are nobody else's. */
export function privateMounts(namespaces = 0): Step[] {
  return [...continueInChild({ namespaces: cloneFlags.CLONE_NEWNS | namespaces }), ...propagation('/', 'private', { recursive: true })];
}

/** The first steps, in a user namespace too, which has all ids of the host. */
export function inUserNamespace(namespaces = 0): Step[] {
  return [
    ...continueInChild({ namespaces: cloneFlags.CLONE_NEWUSER | cloneFlags.CLONE_NEWNS | namespaces }),
    ...waitForHost('map the ids'),
    ...propagation('/', 'private', { recursive: true }),
  ];
}

/** Maps the ids that {@link inUserNamespace} waits for. */
export const mapIds: LaunchOptions = {
  onWaiting: (pid) => {
    for (const map of ['uid_map', 'gid_map']) writeFileSync(`/proc/${pid}/${map}`, '0 0 65536\n');
  },
};

/** The last steps: print the mount table. */
export const showMounts: () => Step[] = () => script(`${busybox} cat /proc/self/mountinfo`);

/** Takes steps with private mounts, and what a shell script prints after them. */
export async function printed(steps: Plan, text: string, first: Plan = privateMounts(), options: Omit<LaunchOptions, 'stdio'> = {}): Promise<string> {
  return (await launched([...first, ...steps, ...script(text)], options)).output;
}

/** Takes steps with private mounts; the mounts that are at or below a directory then. */
export async function mountsBelow(directory: string, steps: Plan, first: Plan = privateMounts(), options: Omit<LaunchOptions, 'stdio'> = {}): Promise<Mount[]> {
  const { output } = await launched([...first, ...steps, ...showMounts()], options);
  return parseMountinfo(output).filter(({ mountPoint }) => mountPoint === directory || mountPoint.startsWith(`${directory}/`));
}

/** An empty directory that is gone when the test is over. */
export function temporary(): string {
  const directory = mkdtempSync(join(realpathSync(tmpdir()), 'ctr-fs-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** A directory that can be a root: it has busybox and nothing else. */
export function image(): string {
  const directory = temporary();
  mkdirSync(join(directory, 'bin'));
  copyFileSync(busybox, join(directory, busybox));
  return directory;
}
