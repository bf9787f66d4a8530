import { epollEvents, epollOperations, openFlags } from './abi/constants.js';
import { errnoName } from './abi/errno.js';
import { hostArch, syscallNumber } from './abi/numbers.js';
import { SyscallError } from './error.js';
import { allocate, isMainThread, syscall, whenReadable, type Readiness } from './ffi.js';
import { hintFor } from './hints.js';
import { holdFile } from './thread-end.js';
import { whenWatched } from './watcher.js';

const numbers = { ctl: syscallNumber('epoll_ctl'), create: syscallNumber('epoll_create1'), pwait: syscallNumber('epoll_pwait') };

/** linux/eventpoll.h, struct epoll_event: packed on x64 only. */
const EVENT_BYTES = hostArch() === 'x64' ? 12 : 16;
const DATA = EVENT_BYTES - 8;
const MAX_EVENTS = 64;
const scratch = allocate(EVENT_BYTES * MAX_EVENTS);

/** What is waited for: something to read or an end, or an end alone (of a socket; what was sent before stays to be read). */
export type Until = 'readable' | 'hung up';

const events = { readable: epollEvents.EPOLLIN | epollEvents.EPOLLRDHUP, 'hung up': epollEvents.EPOLLRDHUP };
const callbacks = new Map<number, () => void>();
const background = new Set<number>();
let epoll = -1;
let handle: Readiness | undefined;

/**
 * Calls back on the event loop whenever that is so of the fd (a socket, a pidfd), until `unwatch` or another `watch`.
 * The event loop stays alive as long as an fd is watched, unless that is `inBackground`.
 *
 * All fds of a thread are in one epoll(7) instance, which the event loop watches as a single file:
 * to make a handle of the event loop's for each of them, and to collect it as garbage, takes ten times as long as epoll_ctl(2) does.
 * A callback may come once without a reason, when the number of its fd was another's a moment ago.
 */
export function watch(fd: number, until: Until, callback: () => void, inBackground = false): void {
  if (epoll < 0) open();
  const operation = callbacks.has(fd) ? 'EPOLL_CTL_MOD' : 'EPOLL_CTL_ADD';
  scratch.bytes.writeUInt32LE(events[until], 0);
  scratch.bytes.writeUInt32LE(fd, DATA);
  const error = syscall(numbers.ctl, epoll, epollOperations[operation], fd, scratch.address);
  if (error < 0) throw epollError('epoll_ctl', `epoll_ctl(${epoll}, ${operation}, ${fd}, {events=0x${events[until].toString(16)}})`, -error);
  callbacks.set(fd, callback);
  if (inBackground) background.add(fd);
  if (callbacks.size > background.size) handle?.ref();
}

/** Stops watching; the fd stays open. */
export function unwatch(fd: number): void {
  if (!callbacks.delete(fd)) return;
  background.delete(fd);
  syscall(numbers.ctl, epoll, epollOperations.EPOLL_CTL_DEL, fd, scratch.address);
  if (callbacks.size === background.size) handle?.unref();
}

function open(): void {
  const created = syscall(numbers.create, openFlags.O_CLOEXEC);
  if (created < 0) throw epollError('epoll_create1', 'epoll_create1(EPOLL_CLOEXEC)', -created);
  epoll = created;
  holdFile(epoll);
  handle = (isMainThread ? whenReadable : whenWatched)(epoll, dispatch);
  handle.unref();
}

function dispatch(): void {
  const count = syscall(numbers.pwait, epoll, scratch.address, MAX_EVENTS, 0);
  const ready: number[] = [];
  for (let i = 0; i < count; i++) ready.push(scratch.bytes.readUInt32LE(i * EVENT_BYTES + DATA));
  for (const fd of ready) callbacks.get(fd)?.();
}

function epollError(call: string, line: string, errno: number): SyscallError {
  const hint = hintFor(call, errnoName(errno));
  return new SyscallError({ call, line, errno, purpose: 'watch a process', ...(hint !== undefined && { hint }) });
}
