import { readlinkSync } from 'node:fs';

import { waitFlags } from './abi/constants.js';
import { syscallNumber } from './abi/numbers.js';
import { unwatch, watch } from './epoll.js';
import { reap } from './exit.js';
import { syscall } from './ffi.js';
import { isKnown } from './known-children.js';
import { nodeTimers } from './node-timers.js';
import { isSettingUp, isWalker, readProc, unknownChildren } from './unreported.js';

const numbers = { close: syscallNumber('close'), pidfdOpen: syscallNumber('pidfd_open') };

/** Whoever has made a child hears of its end within one turn of the event loop. What is a zombie after that, nobody waits for. */
const GRACE_MS = 50;

let ownDepth: number | undefined;
let ownUsers: string | undefined;
let ownSession: number | undefined;

/** Those whose end is waited for, and how to stop that. */
const watched = new Map<number, () => void>();
/** By whom there may be some that are not to be told from processes of a set-up yet. */
const putOff = new Set<number>();

/**
 * Waits for children that a program has given to this process (CLONE_PARENT of clone(2)), which nobody else does: their zombies would stay as long as this process, and no pid namespace ends
 * before those in it are gone. To be called when a child has ended: only a child can have given others.
 *
 * A child of somebody else, such as node:child_process, is left alone: it is taken for given only in a pid or user namespace that is not this process's, or in the session of a program that was
 * launched; and it is waited for only when whoever has made it has had the time to do so.
 *
 * @see pid_namespaces(7): the first process of a namespace ends after all others
 */
export function waitForGiven(by: number): void {
  for (const pid of unknownChildren()) {
    if (watched.has(pid)) continue;
    if (isSettingUp() && isWalker(pid)) putOff.add(by);
    else if (isGiven(pid, by)) watchGiven(pid, by);
  }
}

/**
 * To be called at the end of a set-up.
 *
 * @param own its processes: one that has executed its program before the host has heard of it looks like one that was given
 */
export function waitForRest(own: readonly number[]): void {
  for (const pid of own) {
    watched.get(pid)?.();
    watched.delete(pid);
  }
  if (putOff.size === 0 || isSettingUp()) return;
  const makers = [...putOff];
  putOff.clear();
  for (const by of makers) waitForGiven(by);
}

/** Keeps no event loop alive. */
function watchGiven(pid: number, by: number): void {
  const pidfd = syscall(numbers.pidfdOpen, pid, 0);
  if (pidfd < 0) return;
  let isOpen = true;
  // Once: the number is another file's after that.
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    unwatch(pidfd);
    syscall(numbers.close, pidfd);
  };
  const take = (): void => {
    watched.delete(pid);
    // A set-up that has ended meanwhile may have reported it.
    if (!isKnown(pid) && isGiven(pid, by)) reap(pid, waitFlags.WNOHANG);
    waitForGiven(pid);
  };
  const hasEnded = (): void => {
    if (!['Z', 'X', undefined].includes(statOf(pid)[0])) return;
    close();
    nodeTimers.setTimeout(() => nodeTimers.setImmediate(take), GRACE_MS).unref();
  };
  try {
    watch(pidfd, 'readable', hasEnded, true);
    watched.set(pid, close);
  } catch {
    // There is no more room to watch anything: it stays.
    close();
  }
}

function isGiven(pid: number, by: number): boolean {
  ownDepth ??= depthOf('self');
  ownUsers ??= usersOf('self');
  ownSession ??= sessionOf('self');
  const session = sessionOf(pid);
  if (session === undefined) return false;
  if (depthOf(pid) > ownDepth || (session === by && session !== ownSession)) return true;
  const users = usersOf(pid);
  return users !== undefined && users !== ownUsers;
}

/** In how many pid namespaces a process is, of those that /proc shows. */
function depthOf(pid: number | 'self'): number {
  return (
    /^NSpid:(.*)$/m
      .exec(readProc(`/proc/${pid}/status`))?.[1]
      ?.trim()
      .split(/\s+/).length ?? 0
  );
}

function sessionOf(pid: number | 'self'): number | undefined {
  const session = statOf(pid)[3];
  return session === undefined ? undefined : Number(session);
}

/** The fields behind the name, in which anything may be: the state first. */
function statOf(pid: number | 'self'): string[] {
  const stat = readProc(`/proc/${pid}/stat`);
  return stat === '' ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function usersOf(pid: number | 'self'): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/user`);
  } catch {
    // It is gone, or may not be looked into.
    return undefined;
  }
}
