import { readFileSync, readlinkSync } from 'node:fs';

import { parseMountinfo, type Mount, type MountAttributes } from '@ctr/fs';
import { call, openFd, openFlags, pollEvents, pollfd, timespec, type Fd, type Step, quote } from '@ctr/syscall';

/** A mount of the host that a program of the host sees. */
export interface HostMount {
  readonly path: string;
  /** Restrictions of the mount, which a mount made of its files does not inherit. */
  readonly attributes: MountAttributes;
}

/** The mount table of this process, as it was read last. */
interface Table {
  /** Counts the changes. */
  readonly version: number;
  /** The mount namespace that the table is of. */
  readonly namespace: string;
  /** `/proc/self/mountinfo`, open: poll(2) tells of a change since the last call. */
  readonly file: Fd;
  /** Asks whether it has changed. */
  readonly poll: Step;
  /** What stood in it. */
  readonly text: string;
  readonly seen: readonly HostMount[];
}

let table: Table | undefined;

/**
 * Reads the mount table of this process where it has changed since the last call. Acts: a file of it stays open, since poll(2) of that file is the cheapest way to learn of a change.
 *
 * @returns a number that differs after each change
 * @see proc_pid_mountinfo(5)
 */
export function mountTableVersion(): number {
  return current().version;
}

/**
 * The mounts below a directory of the host that a path leads to, those that others hang from first. A mount that is covered by another one is none of them.
 * Throws an `Error` for a mount point whose name is not UTF-8, which no plan can name.
 */
export function mountsBelow(directory: string): HostMount[] {
  const below = current().seen.filter(({ path }) => isBelow(path, directory));
  const odd = below.find(({ path }) => path.includes('\uFFFD'));
  if (odd)
    throw new Error(`the name of the mount point ${quote(odd.path)} is not UTF-8, so it cannot be mounted in the container: unmount it, or give a rootfs`);
  return below;
}

/** Restrictions of the mount that a directory of the host is on. */
export function attributesAt(directory: string): MountAttributes {
  return current().seen.findLast(({ path }) => path === directory || isBelow(directory, path))?.attributes ?? {};
}

/** Whether the directory, or one above it but for `top`, is a mount point. */
export function isMountedBelow(top: string, directory: string): boolean {
  return current().seen.some(({ path }) => isBelow(path, top) && (path === directory || isBelow(directory, path)));
}

function current(): Table {
  const namespace = readlinkSync('/proc/self/ns/mnt');
  const known = table?.namespace === namespace ? table : undefined;
  if (known && call(known.poll) === 0) return known;
  if (!known) table?.file.close();
  const file = known?.file ?? openFd('/proc/self/mountinfo', { flags: openFlags.O_RDONLY });
  // Read after the file was opened, or found to have changed: what changes from here on is told by the next poll.
  const text = readFileSync('/proc/self/mountinfo', 'utf8');
  if (known?.text === text) return known;
  table = { version: (table?.version ?? 0) + 1, namespace, file, poll: known?.poll ?? pollStep(file), text, seen: visible(parseMountinfo(text)) };
  return table;
}

function pollStep({ number }: Fd): Step {
  return Object.freeze<Step>({
    call: 'ppoll',
    args: [pollfd({ fd: number, events: pollEvents.POLLPRI }), 1, timespec({}), null, 8],
    purpose: 'has the mount table changed?',
    // A signal, of a profiler for example, leaves the question without an answer: the table is read again.
    tolerates: ['EINTR'],
  });
}

/**
 * The mounts that paths lead to, by the order of their paths. Of two mounts on one parent, the one whose mount point is above the other's covers it:
 * had it been there first, it would be the parent.
 */
function visible(mounts: readonly Mount[]): HostMount[] {
  const ids = new Set(mounts.map(({ id }) => id));
  const children = new Map<number, Mount[]>();
  for (const mount of mounts) {
    // What is mounted over the root is not reached: paths start below it. So is a mount point that was removed.
    if ((mount.mountPoint === '/' && ids.has(mount.parent) && mount.parent !== mount.id) || mount.mountPoint.endsWith('//deleted')) continue;
    const parent = ids.has(mount.parent) && mount.parent !== mount.id ? mount.parent : 0;
    children.set(parent, [...(children.get(parent) ?? []), mount]);
  }
  const seen = new Map<string, Mount>();
  const walk = (parent: number): void => {
    const siblings = children.get(parent) ?? [];
    for (const mount of siblings) {
      if (siblings.some((other) => other.parent === mount.parent && isBelow(mount.mountPoint, other.mountPoint))) continue;
      seen.set(mount.mountPoint, mount);
      walk(mount.id);
    }
  };
  walk(0);
  return [...seen].map(([path, { options }]) => ({ path, attributes: attributesOf(options) })).toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function attributesOf(options: readonly string[]): MountAttributes {
  const has = (name: string): boolean => options.includes(name);
  return {
    ...(has('nosuid') && { noSuid: true }),
    ...(has('nodev') && { noDev: true }),
    ...(has('noexec') && { noExec: true }),
    ...(has('nosymfollow') && { noSymfollow: true }),
  };
}

function isBelow(path: string, directory: string): boolean {
  return path !== directory && path.startsWith(directory === '/' ? '/' : `${directory}/`);
}
