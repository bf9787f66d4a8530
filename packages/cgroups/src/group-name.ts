import { readFileSync, readlinkSync } from 'node:fs';
import { threadId } from 'node:worker_threads';

import { call, nextInThread, quote } from '@ctr/syscall';

import { checkSegment, MAX_NAME_BYTES } from './cgroups-path.js';

/** linux/proc_ns.h: PROC_PID_INIT_INO, the inode of the first pid namespace */
const FIRST_PID_NAMESPACE = 0xeffffffc;

const syntax = /^[A-Za-z0-9_+-][A-Za-z0-9_+.-]*$/;
const owned = /^(?<name>.+)\.(?<pid>[1-9]\d*)\.(?<start>[0-9a-z]+)(?:-(?<namespace>[0-9a-z]+))?$/;
/** What the launchers of `ctr compile` use: a plan can put its pid into a name, but not when it started. */
const launched = /^(?<name>.+)\.compiled\.(?<pid>[1-9]\d*)$/;

/** What the name of a group's directory says. */
export interface GroupOwner {
  /** The name without the owner's. */
  readonly name: string;
  readonly pid: number;
  /** When the owner started, in clock ticks since boot; unknown of a compiled launcher, which can find out no more than its pid. */
  readonly startTime: number | undefined;
  /** The inode of the owner's pid namespace, where that is not the first one of the system. */
  readonly pidNamespace?: number;
}

/**
 * The name for the directory of a group that this process owns: `<name>.<pid>.<start time in base 36>`, and `-<pid namespace in base 36>` in a pid namespace
 * of its own. So no file has to say whom it belongs to: {@link collectGarbage} sees it, and a pid that is used again is no confusion.
 *
 * Throws a `TypeError` for a name that is none: it takes letters, digits, and `_ + - .`, does not begin with a dot, and is not that of a control file.
 *
 * @param name @default a short number, different for each call
 * @example
 * ```ts
 * import { groupName } from '@ctr/cgroups';
 * groupName('web'); // for instance: web.4711.2gx9
 * ```
 */
export function groupName(name: string = nextNumber()): string {
  checkName(name);
  const full = `${name}.${ownerSuffix()}`;
  checkName(full);
  return full;
}

/**
 * What the name of a group's directory says about its owner; `undefined` for a name that {@link groupName} does not make.
 *
 * @example
 * ```ts
 * import { parseGroupName } from '@ctr/cgroups';
 * parseGroupName('web.4711.a'); // { name: 'web', pid: 4711, startTime: 10 }
 * ```
 */
export function parseGroupName(directoryName: string): GroupOwner | undefined {
  const { name, pid, start, namespace } = owned.exec(directoryName)?.groups ?? launched.exec(directoryName)?.groups ?? {};
  if (name === undefined || pid === undefined || !syntax.test(name)) return undefined;
  if (start === undefined) return { name, pid: Number(pid), startTime: undefined };
  return { name, pid: Number(pid), startTime: parseInt(start, 36), ...(namespace !== undefined && { pidNamespace: parseInt(namespace, 36) }) };
}

/** Throws a `TypeError` if a text cannot be the name of a group that has an owner. */
export function checkName(name: string): void {
  const shown = quote(name);
  if (typeof name !== 'string' || !syntax.test(name))
    throw new TypeError(`${shown} cannot name a group: a name has letters, digits and _ + - . in it, and does not begin with a dot`);
  if (Buffer.byteLength(name) > MAX_NAME_BYTES)
    throw new TypeError(`${shown} cannot name a group: it is longer than ${MAX_NAME_BYTES} bytes, the owner's part included`);
  checkSegment(name);
}

/**
 * Whether the process that a group belongs to is alive. One of another pid namespace is taken to be: its pid says nothing here.
 *
 * @example
 * ```ts
 * import { groupName, isOwnerAlive, parseGroupName } from '@ctr/cgroups';
 * const owner = parseGroupName(groupName('web'));
 * if (owner) isOwnerAlive(owner); // true
 * ```
 */
export function isOwnerAlive({ pid, startTime, pidNamespace }: GroupOwner): boolean {
  if ((pidNamespace ?? FIRST_PID_NAMESPACE) !== ownPidNamespace()) return true;
  if (startTime === undefined) return exists(pid);
  const stat = readStat(pid);
  // A /proc that hides the processes of others (hidepid) shows as little of it as of one that is gone.
  if (!stat) return exists(pid);
  return stat.startTime === startTime && stat.state !== 'Z' && stat.state !== 'X';
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

let suffix: string | undefined;

function ownerSuffix(): string {
  if (suffix === undefined) {
    const stat = readStat(process.pid);
    if (!stat) throw new Error(`/proc/${process.pid}/stat cannot be read: is the /proc of this pid namespace mounted?`);
    const namespace = ownPidNamespace();
    suffix = `${process.pid}.${stat.startTime.toString(36)}${namespace === FIRST_PID_NAMESPACE ? '' : `-${namespace.toString(36)}`}`;
  }
  return suffix;
}

let pidNamespace: number | undefined;

function ownPidNamespace(): number {
  // pid:[4026531836]
  pidNamespace ??= Number(/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0]);
  return pidNamespace;
}

/** How a process that is gone, or is not to be seen, shows in /proc. */
const hidden: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);

/**
 * 4711 (a name) S 1 4711 …
 * (1) pid, (2) its name, in which there may be spaces and parentheses, (3) state, … (22) when it started, in clock ticks since boot.
 */
function readStat(pid: number): { state: string; startTime: number } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch (error) {
    if (hidden.has((error as NodeJS.ErrnoException).code)) return undefined;
    throw error;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startTime: Number(fields[22 - 3]) };
}

/** Each thread counts for itself. */
function nextNumber(): string {
  const count = nextInThread('groups');
  return isMainThread() ? String(count) : `${threadId}-${count}`;
}

let mainThread: boolean | undefined;

/** Without a look at node:worker_threads, which a bundle loads when it is used: in 1 ms. Each thread has this module to itself. */
function isMainThread(): boolean {
  mainThread ??= call({ call: 'gettid', args: [], purpose: 'is this the first thread?' }) === process.pid;
  return mainThread;
}
