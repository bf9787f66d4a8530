// What the tests of this package share: a plan launched in a mount namespace of its own, with what its program wrote, and directories that go when the test is over.
import { copyFileSync, mkdirSync, mkdtempSync, readSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { announceExec, call, cloneFlags, continueInChild, Fd, launch, waitForHost, type Exit, type LaunchOptions, type Plan, type Step } from '@ctr/syscall';
import { onTestFinished } from 'vitest';

import { parseMountinfo, propagation, type Mount } from '@ctr/fs';

/** Where Debian, Fedora and Alpine have it: static, so that it runs below any root. */
export const busybox = '/bin/busybox';

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

/** The last steps: a shell script, run by busybox, which works below any root that has it. */
export function script(text: string): Step[] {
  return [announceExec(), { call: 'execve', args: [busybox, ['sh', '-c', text], ['PATH=/bin:/usr/bin']], purpose: 'the program of a test' }];
}

/** The last steps: print the mount table. */
export const showMounts: () => Step[] = () => script(`${busybox} cat /proc/self/mountinfo`);

/** Launches a plan and waits for its end; what it wrote to stdout and stderr. */
export async function launched(plan: Plan, options: Omit<LaunchOptions, 'stdio'> = {}): Promise<{ readonly exit: Exit; readonly output: string }> {
  const file = new Fd(call({ call: 'memfd_create', args: ['output', 1], purpose: 'the output of a test' }));
  try {
    const child = await launch(plan, { ...options, stdio: ['ignore', file, file] });
    const exit = await child.exited;
    const bytes = Buffer.alloc(256 * 1024);
    return { exit, output: bytes.toString('utf8', 0, readSync(file.number, bytes, 0, bytes.length, 0)).trimEnd() };
  } finally {
    file.close();
  }
}

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

/** The error that a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof Error)) throw new Error('it was not rejected');
  return outcome;
}
