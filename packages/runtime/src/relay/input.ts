import {
  errnos,
  fcntlCommands,
  ioctls,
  label,
  Memory,
  messageFlags,
  openFlags,
  pollEvents,
  resultOf,
  SO_TYPE,
  socketTypes,
  SOL_SOCKET,
  timespec,
  type Arg,
  type Step,
} from '@ctr/syscall';

import {
  becomeRelay,
  BUFFER_BYTES,
  Ends,
  FileType,
  goTo,
  ifMoved,
  leaveSession,
  mapBuffer,
  PIPE_BYTES,
  scratchFile,
  subtract,
  typeEnds,
  type RelayOptions,
} from './process.js';

/** The least that a pipe holds on most machines: it can be written again when the program has read all that was in it. */
const PAGE_BYTES = 4096;
/** A program that has read so many pages reads everything, as far as one can tell. */
const PAGES = 16;
/** Between two looks at a terminal that somebody else uses. */
const NAP_NANOSECONDS = 100_000_000;
/** asm-generic/poll.h, struct pollfd: its size, and the place of revents. */
const POLLFD_BYTES = 8;
const REVENTS = 6;
/** asm-generic/termbits.h, struct termios: its size, the place of c_lflag, and the bit of ICANON in its first byte. */
const TERMIOS_BYTES = 36;
const C_LFLAG = 12;
const ICANON_BIT = 1;
const TOP_BIT = 7;

/**
 * The steps of a process that moves what a program is to read: from fd 0, the caller's file, to fd 1, the program's pipe, until one of the two is at its end.
 *
 * - From a file, or a disk, it reads by an offset of its own, from the caller's present one on, which does not move: whatever else reads by that offset goes on where it was.
 * - From a pipe or a socket nothing is taken before the program has read it: tee(2) and MSG_PEEK show it the next page. What it does not read, the caller still has.
 *   A program that has read 64 KiB gets the rest ahead.
 * - From a terminal it takes a line when the program has read the one before, and only in canonical mode and in the foreground: otherwise a pager, an editor
 *   or a shell reads there. To be asked so by the kernel, this relay stays in the session of its caller.
 *
 * @see splice(2), tee(2), termios(3)
 */
export function relayInput(options: RelayOptions): Step[] {
  const moved = new Memory(8, 'moved');
  const flags = new Memory(8, 'flags');
  const type = new FileType();
  const ends = new Ends(moved, options);
  const buffer = mapBuffer();
  const room = label('page by page');
  const inSession = label('stay in the session of the caller');
  const file = label('by an offset of its own');
  return [
    ...becomeRelay(),
    buffer,
    { call: 'fcntl', args: [0, fcntlCommands.F_GETFL, 0], purpose: 'how it is open', into: flags.at(0) },
    { call: 'add', args: [flags.u8(0), 0], purpose: 'to write only?', jump: { when: '==', than: openFlags.O_WRONLY, to: ends.ended } },
    type.read(0),
    type.below(typeEnds.fifo, room, 'is it a pipe?'),
    type.below(typeEnds.directory, inSession, 'is it a terminal or another device?'),
    leaveSession(),
    type.below(typeEnds.file, file, 'is it a file?'),
    inSession,
    ...pages(room, resultOf(buffer), moved, type, ends),
    ...fromFile(file, resultOf(buffer), moved, ends),
    ...ends.steps,
  ];
}

function fromFile(begin: Step, buffer: Arg, moved: Memory, ends: Ends): Step[] {
  const offset = new Memory(8, 'offset');
  const splice: Step = {
    call: 'splice',
    args: [0, offset, 1, null, PIPE_BYTES, 0],
    purpose: "from the caller's file to the program's pipe",
    tolerates: 'any',
    into: moved.at(0),
  };
  const read: Step = {
    call: 'pread64',
    args: [0, buffer, BUFFER_BYTES, offset.u64()],
    purpose: 'of a file that splice(2) cannot read',
    tolerates: 'any',
    into: moved.at(0),
  };
  const stopped = label('nothing more was read');
  return [
    begin,
    resize(PIPE_BYTES),
    { call: 'lseek', args: [0, 0, 1], purpose: 'the present offset, which stays', into: offset.at(0) },
    splice,
    ifMoved(moved, '==', -errnos.EINVAL, read, 'is it no file for splice(2)?'),
    ifMoved(moved, '<', 1, stopped, 'was anything moved?'),
    goTo(splice, 'something was moved'),
    read,
    ifMoved(moved, '<', 1, stopped, 'was anything read?'),
    { call: 'add', args: [offset.u64(), moved.u64()], purpose: 'go on behind it', into: offset.at(0) },
    write(buffer, moved, read),
    goTo(ends.ended, 'the program has closed its side'),
    stopped,
    ifMoved(moved, '!=', 0, ends.failed, 'is it the end of the file?'),
    goTo(ends.ended, 'it is'),
  ];
}

/** From what can be read once only: page by page, and ahead once the program has read a number of them. */
function pages(begin: Step, buffer: Arg, moved: Memory, type: FileType, ends: Ends): Step[] {
  const shown = new Memory(8, 'shown');
  const left = new Memory(8, 'left');
  const rounds = new Memory(8, 'rounds');
  const window = new Memory(Buffer.from(BigUint64Array.of(BigInt(PAGE_BYTES)).buffer), 'window');
  const socketType = new Memory(8, 'type of the socket');
  const optionLength = new Memory(new Uint8Array(Int32Array.of(4).buffer), 'length');
  const pipe = pollfds([1, pollEvents.POLLOUT]);
  const both = pollfds([0, pollEvents.POLLIN], [1, 0]);
  const count = scratchFile();
  const room = label('wait for room');
  const next = label('wait for the caller');
  const isShown = label('a page is shown');
  const device = label('a terminal or another device');
  const ahead = label('read ahead');
  const none = label('nothing was read');
  const gone = label('the program reads no more');
  const tee: Step = {
    call: 'tee',
    args: [0, 1, PAGE_BYTES, 0],
    purpose: 'show it a page',
    tolerates: 'any',
    into: moved.at(0),
    jump: { when: '<', than: 1, to: none },
  };
  return [
    begin,
    count,
    resize(PAGE_BYTES),
    { call: 'getsockopt', args: [0, SOL_SOCKET, SO_TYPE, socketType, optionLength], purpose: 'does it give records?', tolerates: 'any' },
    { call: 'add', args: [socketType.u64(), 0], purpose: 'is it a stream, or no socket?', jump: { when: '<', than: socketTypes.SOCK_STREAM + 1, to: room } },
    { call: 'add', args: [BUFFER_BYTES, 0], purpose: 'a record is read as a whole, or its rest is lost', into: window.at(0) },
    room,
    { call: 'ppoll', args: [pipe, 1, null, null, 8], purpose: 'until the program has read all that it was shown', tolerates: 'any' },
    { call: 'add', args: [pipe.u8(REVENTS), 0], purpose: 'or has closed its side', jump: { when: '!=', than: pollEvents.POLLOUT, to: gone } },
    { call: 'read', args: [0, buffer, shown.u64()], purpose: 'take what it has read', tolerates: 'any' },
    { call: 'add', args: [0, 0], purpose: 'nothing is shown', into: shown.at(0) },
    { call: 'add', args: [rounds.u64(), 0], purpose: 'does it read everything?', jump: { when: '==', than: PAGES, to: ahead } },
    next,
    { call: 'ppoll', args: [both, 2, null, null, 8], purpose: 'wait for something to read', tolerates: 'any' },
    { call: 'add', args: [both.u8(POLLFD_BYTES + REVENTS), 0], purpose: 'has the program closed its side?', jump: { when: '!=', to: gone } },
    type.below(typeEnds.fifo, tee, 'is it a pipe?'),
    type.below(typeEnds.directory, device, 'is it a terminal or another device?'),
    {
      call: 'recvfrom',
      args: [0, buffer, window.u64(), messageFlags.MSG_PEEK, null, null],
      purpose: 'look at what has come',
      tolerates: 'any',
      into: moved.at(0),
    },
    ifMoved(moved, '<', 1, none, 'has anything come?'),
    write(buffer, moved, isShown),
    goTo(gone, 'the program has closed its side'),
    tee,
    isShown,
    { call: 'add', args: [moved.u64(), 0], purpose: 'so much is shown', into: shown.at(0) },
    { call: 'add', args: [rounds.u64(), 1], purpose: 'one more page', into: rounds.at(0), jump: { when: '!=', to: room } },
    ...fromDevice(device, buffer, moved, { room, next, none, gone, ended: ends.ended }),
    ...readAhead(ahead, buffer, moved, type, ends),
    none,
    ifMoved(moved, '==', -errnos.EAGAIN, next, 'does the file not block?'),
    ifMoved(moved, '!=', 0, ends.failed, 'does it fail?'),
    gone,
    { call: 'ioctl', args: [1, ioctls.FIONREAD, left], purpose: 'what the program has not read', tolerates: 'any' },
    ...subtract(shown, left, resultOf(count)),
    // The program can fill its own pipe, by /proc/self/fd/0: more is left there than was shown then, and the difference is negative, which is a large number of 32 bits.
    { call: 'add', args: [BUFFER_BYTES, 0], purpose: 'is more left than was shown?', jump: { when: '<', than: shown.u64(), to: ends.ended } },
    { call: 'ppoll', args: [both, 1, timespec({}), null, 8], purpose: 'is it still there?', tolerates: 'any', jump: { when: '==', to: ends.ended } },
    { call: 'read', args: [0, buffer, shown.u64()], purpose: 'take what it has read', tolerates: 'any' },
    goTo(ends.ended, 'it is over'),
  ];
}

interface Places {
  readonly room: Step;
  readonly next: Step;
  readonly none: Step;
  readonly gone: Step;
  readonly ended: Step;
}

/** EIO is for a terminal that this process is not in the foreground of: the signal that it would get for reading there is blocked. @see tty_ioctl(2), termios(3) */
function fromDevice(begin: Step, buffer: Arg, moved: Memory, { room, next, none, gone, ended }: Places): Step[] {
  const termios = new Memory(TERMIOS_BYTES, 'termios');
  const bits = new Memory(8, 'bits');
  const take = label('take what is there');
  const nap = label('somebody else reads there');
  const pipe = pollfds([1, 0]);
  return [
    begin,
    { call: 'ioctl', args: [0, ioctls.TCGETS, termios], purpose: 'the modes of the terminal', tolerates: 'any', into: moved.at(0) },
    ifMoved(moved, '==', -errnos.ENOTTY, take, 'is it none?'),
    ifMoved(moved, '<', 0, ended, 'has it hung up?'),
    { call: 'add', args: [termios.u8(C_LFLAG), 0], purpose: 'its local modes', into: bits.at(0) },
    // The plan has no mask: the bit is moved to the top of its byte.
    ...Array.from({ length: TOP_BIT - ICANON_BIT }, (): Step => ({ call: 'add', args: [bits.u64(), bits.u64()], purpose: 'the next bit', into: bits.at(0) })),
    { call: 'add', args: [bits.u8(0), 0], purpose: 'does it give lines?', jump: { when: '<', than: 2 ** TOP_BIT, to: nap } },
    take,
    { call: 'read', args: [0, buffer, PAGE_BYTES], purpose: 'a line, or what there is', tolerates: 'any', into: moved.at(0) },
    ifMoved(moved, '==', -errnos.EIO, nap, 'is it in the background?'),
    ifMoved(moved, '<', 1, none, 'was anything read?'),
    write(buffer, moved, room),
    goTo(gone, 'the program has closed its side'),
    nap,
    {
      call: 'ppoll',
      args: [pipe, 1, timespec({ tv_nsec: NAP_NANOSECONDS }), null, 8],
      purpose: 'look again later',
      tolerates: 'any',
      jump: { when: '==', to: next },
    },
    goTo(ended, 'the program has closed its side'),
  ];
}

function readAhead(begin: Step, buffer: Arg, moved: Memory, type: FileType, ends: Ends): Step[] {
  const both = pollfds([0, pollEvents.POLLIN], [1, 0]);
  const next = label('wait for the caller');
  const none = label('nothing was read');
  const splice: Step = {
    call: 'splice',
    args: [0, null, 1, null, BUFFER_BYTES, 0],
    purpose: "from the caller's pipe to the program's",
    tolerates: 'any',
    into: moved.at(0),
    jump: { when: '<', than: 1, to: none },
  };
  return [
    begin,
    resize(BUFFER_BYTES),
    next,
    { call: 'ppoll', args: [both, 2, null, null, 8], purpose: 'wait for something to read', tolerates: 'any' },
    { call: 'add', args: [both.u8(POLLFD_BYTES + REVENTS), 0], purpose: 'has the program closed its side?', jump: { when: '!=', to: ends.ended } },
    type.below(typeEnds.fifo, splice, 'is it a pipe?'),
    { call: 'read', args: [0, buffer, BUFFER_BYTES], purpose: 'what has come', tolerates: 'any', into: moved.at(0) },
    ifMoved(moved, '<', 1, none, 'was anything read?'),
    write(buffer, moved, next),
    goTo(ends.ended, 'the program has closed its side'),
    splice,
    goTo(next, 'something was moved'),
    none,
    ifMoved(moved, '==', 0, ends.ended, 'is it the end?'),
    ifMoved(moved, '!=', -errnos.EAGAIN, ends.failed, 'does the file fail?'),
    goTo(next, 'it does not block'),
  ];
}

/** To the program's pipe, which takes all of it, unless nobody has its other side open. */
function write(buffer: Arg, moved: Memory, then: Step): Step {
  return { call: 'write', args: [1, buffer, moved.u64()], purpose: 'to the program', tolerates: 'any', jump: { when: '==', than: moved.u64(), to: then } };
}

/** Where it is refused, the pipe stays as it is. */
function resize(byteLength: number): Step {
  return { call: 'fcntl', args: [1, fcntlCommands.F_SETPIPE_SZ, byteLength], purpose: `a pipe of ${byteLength} bytes`, tolerates: 'any' };
}

/** Several struct pollfd of poll(2), the results of which are read: the lower byte of revents. */
function pollfds(...files: readonly (readonly [fd: number, events: number])[]): Memory {
  const bytes = Buffer.alloc(files.length * POLLFD_BYTES);
  for (const [i, [fd, events]] of files.entries()) {
    bytes.writeInt32LE(fd, i * POLLFD_BYTES);
    bytes.writeUInt16LE(events, i * POLLFD_BYTES + 4);
  }
  return new Memory(bytes, `pollfds`);
}
