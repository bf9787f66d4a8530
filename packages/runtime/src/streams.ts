import { fstatSync, type Stats } from 'node:fs';

import { setAttributes } from '@ctr/fs';
import {
  AT_FDCWD,
  call,
  Fd,
  fcntlCommands,
  label,
  openFlags,
  openTreeFlags,
  quote,
  resultOf,
  type LaunchStdio,
  type Memory,
  type ResultOf,
  type Step,
} from '@ctr/syscall';

import { FileType, goTo, typeEnds } from './relay/process.js';

/**
 * How a program has a standard stream: by a pipe that a relay fills or empties, by a pipe of the caller's process, by the caller's own file,
 * or as the null device of its own `/dev`.
 */
export type StreamKind = 'relayed' | 'pipe' | 'given' | 'null';

/** One for each of stdin, stdout and stderr. */
export type Three<T> = readonly [T, T, T];

/** A standard stream of a container. */
export interface Stream {
  readonly kind: StreamKind;
  /** What the process that becomes the program is started with; a relayed one gets the pipe of its relay. */
  readonly file: LaunchStdio;
  /** stderr shares the relay of stdout where both are one file, so that lines keep their order. */
  readonly shared: boolean;
  /** A relayed file that is not open in the direction of the stream has no relay: stdin is at its end, and the pipe of an output is broken. */
  readonly usable: boolean;
}

/** An open file, and the direction in which it is open. */
interface Opened {
  readonly stat: Stats;
  /** O_RDONLY, O_WRONLY or O_RDWR */
  readonly access: number;
}

/** What is asked for: the words of `start`, an open file to hand over, or a pipe that is made for this container alone. */
export type StreamChoice = LaunchStdio | { readonly pipe: Fd };

export const streamNames: Three<string> = ['stdin', 'stdout', 'stderr'];

/** linux/major.h, MEM_MAJOR; null(4) */
const NULL_DEVICE = (1 << 8) | 3;

/**
 * Looks at the files that the standard streams are to be. A null device becomes that of the container, however it was given.
 * Throws a `TypeError` for a directory, and for a file that is open as a path only: by either, a program would get out of its root.
 * So for a regular file that is both stdin and an output.
 */
export function streamsOf(choices: Three<StreamChoice>): Three<Stream> {
  // A pipe that was made here needs no look.
  const opened = choices.map((choice, fd) =>
    choice === 'inherit' ? checked(streamNames[fd] ?? '', fd) : choice instanceof Fd ? checked(streamNames[fd] ?? '', choice.number) : undefined,
  );
  const of = (fd: 0 | 1 | 2): Stream => {
    const choice = choices[fd];
    const file = opened[fd];
    const rest = { shared: false, usable: true };
    if (typeof choice === 'object' && 'pipe' in choice) return { kind: 'pipe', file: choice.pipe, ...rest };
    if (choice === 'ignore' || !file || (file.stat.isCharacterDevice() && file.stat.rdev === NULL_DEVICE)) return { kind: 'null', file: 'ignore', ...rest };
    if (choice !== 'inherit') return { kind: 'given', file: choice, ...rest };
    const shared = fd === 2 && choices[1] === 'inherit' && isSame(opened[1], file) && opened[1]?.access === file.access;
    return { kind: 'relayed', file: 'inherit', shared, usable: file.access !== (fd === 0 ? openFlags.O_WRONLY : openFlags.O_RDONLY) };
  };
  const streams: Three<Stream> = [of(0), of(1), of(2)];
  refuseLoop(streams, opened);
  return streams;
}

/** Throws a `TypeError` where a relay would read what another one appends to the same file, without end. */
function refuseLoop(streams: Three<Stream>, opened: readonly (Opened | undefined)[]): void {
  const isRelayed = (fd: 0 | 1 | 2): boolean => streams[fd].kind === 'relayed' && streams[fd].usable;
  const input = opened[0];
  if (!input?.stat.isFile() || !isRelayed(0)) return;
  for (const fd of [1, 2] as const)
    if (isRelayed(fd) && isSame(opened[fd], input))
      throw new TypeError(`stdin and ${streamNames[fd]} are the same file, so that what the program writes would be its input: give another file`);
}

/** One for each of the streams, or one for all. */
export function threeOf<T>(given: T | Three<T>): Three<T> {
  return isThree(given) ? given : [given, given, given];
}

function isThree<T>(given: T | Three<T>): given is Three<T> {
  return Array.isArray(given);
}

/** Throws a `TypeError` for what cannot be a standard stream, or not all three. */
export function checkStdio(stdio: unknown, words: readonly string[]): void {
  const streams: readonly unknown[] = Array.isArray(stdio) ? stdio : [stdio];
  if (Array.isArray(stdio) && stdio.length !== 3)
    throw new TypeError(`stdio has ${stdio.length} streams: give three, for stdin, stdout and stderr, or one for all`);
  for (const stream of streams)
    if (!(stream instanceof Fd) && !words.some((word) => word === stream))
      throw new TypeError(`stdio is ${quote(stream)}: ${words.map((word) => quote(word)).join(', ')} or an Fd`);
}

function isSame(a: Opened | undefined, b: Opened): boolean {
  return a?.stat.dev === b.stat.dev && a.stat.ino === b.stat.ino;
}

function checked(name: string, fd: number): Opened {
  const stat = fstatSync(fd);
  if (stat.isDirectory()) throw new TypeError(`${name} is a directory, which would lead the program out of its root: give a file, a pipe or /dev/null`);
  const flags = call({ call: 'fcntl', args: [fd, fcntlCommands.F_GETFL, 0], purpose: `the flags of ${name}` });
  if ((flags & openFlags.O_PATH) !== 0) throw new TypeError(`${name} is open as a path only (O_PATH): open it to read or to write`);
  return { stat, access: flags & O_ACCMODE };
}

/** fcntl-linux.h: the bits of the flags of open(2) that tell how a file is open. */
const O_ACCMODE = openFlags.O_WRONLY | openFlags.O_RDWR;

/** What is said of each stream in a plan, and read from it by `posture`. */
const descriptions: Readonly<Record<Exclude<StreamKind, 'null'>, string>> = {
  relayed: "is a pipe, and a relay outside of the container moves what passes between it and the caller's file",
  pipe: "is a pipe to the caller's process",
  given: "is the caller's own file, whose mode, owner, offset and content the program may change",
};

/**
 * Says of the streams that have been set up before the plan what they are, and gives the pipes to the program's user: who opens /dev/stdout opens the pipe anew.
 * Nothing but a pipe gets another owner, whatever the process that takes these steps was started with: the null device of the host has one for all.
 */
export function describeStreams(kinds: Three<StreamKind>, uid: number): Step[] {
  return kinds.flatMap((kind, fd): Step[] => {
    if (kind === 'null') return [];
    const described = label(`${streamNames[fd]} ${descriptions[kind]}`);
    if (uid === 0 || kind === 'given') return [described];
    const type = new FileType();
    const chown: Step = { call: 'fchown', args: [fd, uid, -1], purpose: `the pipe belongs to user ${uid}`, tolerates: 'any' };
    return [type.read(fd), type.below(typeEnds.fifo, chown, 'is it a pipe?'), goTo(described, 'it is none'), chown, described];
  });
}

/**
 * Puts the null device of the container's own /dev in the place of the streams that have nothing behind them. That of the host, which these were until now, has one mode and one owner for all.
 *
 * @param dev the open mount of the new /dev
 * @param isNull where it is known only as the plan runs: 8 bytes for each stream, which are not zero for such
 */
export function ownNull(dev: ResultOf, kinds: Three<StreamKind>, isNull?: Memory): Step[] {
  if (!isNull && !kinds.includes('null')) return [];
  const open: Step = {
    call: 'openat',
    args: [dev, 'null', openFlags.O_RDWR | openFlags.O_CLOEXEC, 0],
    purpose: 'the null device of the container',
    as: 'null',
  };
  return [open, ...eachNull(kinds, isNull, (fd) => [{ call: 'dup3', args: [resultOf(open), fd, 0], purpose: nullPurpose(fd) }])];
}

/**
 * Where the program has no /dev of its own: a mount of the host's null device that cannot be written, so that its mode and its owner stay as they are.
 * Who may not make such a mount (EPERM) does not own the device, either.
 */
export function heldNull(kinds: Three<StreamKind>, isNull?: Memory): Step[] {
  if (!isNull && !kinds.includes('null')) return [];
  return eachNull(kinds, isNull, (fd) => {
    const done = label(`the null device for ${streamNames[fd]}`);
    const tree: Step = {
      call: 'open_tree',
      args: [AT_FDCWD, '/dev/null', openTreeFlags.OPEN_TREE_CLONE | openTreeFlags.OPEN_TREE_CLOEXEC],
      purpose: "a mount of the host's null device",
      as: 'null',
      tolerates: ['EPERM'],
      jump: { when: '<', to: done },
    };
    const open: Step = { call: 'openat', args: [AT_FDCWD, `/proc/self/fd/${fd}`, openFlags.O_RDWR | openFlags.O_CLOEXEC, 0], purpose: 'open it there' };
    return [
      tree,
      ...setAttributes(resultOf(tree), { readonly: true, noSuid: true, noExec: true }),
      { call: 'dup3', args: [resultOf(tree), fd, 0], purpose: 'where it has a path' },
      { call: 'close', args: [resultOf(tree)], purpose: 'one file is enough' },
      open,
      { call: 'dup3', args: [resultOf(open), fd, 0], purpose: `${streamNames[fd]} is a null device whose mode and owner cannot be changed` },
      { call: 'close', args: [resultOf(open)], purpose: 'one file is enough' },
      done,
    ];
  });
}

function nullPurpose(fd: number): string {
  return `${streamNames[fd]} is the null device of the container`;
}

function eachNull(kinds: Three<StreamKind>, isNull: Memory | undefined, steps: (fd: number) => Step[]): Step[] {
  return kinds.flatMap((kind, fd) => {
    if (!isNull) return kind === 'null' ? steps(fd) : [];
    const next = label(`the next stream after ${streamNames[fd]}`);
    return [unlessNull(isNull, fd, next), ...steps(fd), next];
  });
}

/** Goes on elsewhere if a stream is no null device. */
function unlessNull(isNull: Memory, fd: number, to: Step): Step {
  return { call: 'add', args: [isNull.u64(fd * 8), 0], purpose: `is ${streamNames[fd]} a null device?`, jump: { when: '==', to } };
}
