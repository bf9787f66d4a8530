import { errnos, fcntlCommands, label, Memory, openFlags, pollEvents, pollfd, resultOf, type Step } from '@ctr/syscall';

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

/** linux/splice.h */
const SPLICE_F_NONBLOCK = 2;

/**
 * The steps of a process that moves what a program writes: from fd 0, the program's pipe, to fd 1, the caller's file, until the program has closed its side.
 *
 * To a file splice(2) moves it. To a pipe it is copied: splice(2) would pass the program's pages on, which the program can change after they were delivered (vmsplice(2)),
 * and the bounds of packets (O_DIRECT), by which a reader with a smaller buffer loses bytes. To a terminal, a socket or another device it is copied: while splice(2) waits for these
 * it holds the lock of the pipe, and a program that writes could not even be killed. Nor does splice(2) write to a file that is opened to append.
 * While splice(2) writes to a file it holds that lock, too: so a pipe of the relay's own is between the two, and the program writes meanwhile.
 * The flags of the caller's file stay as they are: if it does not block, poll(2) waits for it.
 *
 * @see splice(2)
 */
export function relayOutput(options: RelayOptions): Step[] {
  const moved = new Memory(8, 'moved');
  const left = new Memory(8, 'left');
  const at = new Memory(8, 'at');
  const type = new FileType();
  const ends = new Ends(moved, options);
  const buffer = mapBuffer();
  const count = scratchFile();
  const copy = label('copy');
  const spliced = label('move without a copy');
  const unspliced = label('nothing was moved');
  const unwritten = label('nothing was written');
  const wait = (fd: 0 | 1, then: Partial<Step> = {}): Step => ({
    call: 'ppoll',
    args: [pollfd({ fd, events: fd === 0 ? pollEvents.POLLIN : pollEvents.POLLOUT }), 1, null, null, 8],
    purpose: fd === 0 ? 'wait for the program' : 'wait for the reader',
    tolerates: 'any',
    ...then,
  });
  const write: Step = {
    call: 'write',
    args: [1, at.u64(), left.u64()],
    purpose: "to the caller's file",
    tolerates: 'any',
    into: moved.at(0),
    jump: { when: '==', than: left.u64(), to: copy },
  };
  const stage = new Memory(8, 'stage');
  const staged = label('nothing was moved to the file');
  const toStage: Step = {
    call: 'splice',
    args: [0, null, stage.i32(4), null, PIPE_BYTES, 0],
    purpose: 'let the program go on',
    tolerates: 'any',
    into: moved.at(0),
    jump: { when: '<', than: 1, to: unspliced },
  };
  const toFile: Step = {
    call: 'splice',
    args: [stage.i32(0), null, 1, null, PIPE_BYTES, SPLICE_F_NONBLOCK],
    purpose: 'while this is moved to the file',
    tolerates: 'any',
    into: moved.at(0),
    jump: { when: '<', than: 1, to: staged },
  };
  return [
    ...becomeRelay(),
    leaveSession(),
    { call: 'fcntl', args: [0, fcntlCommands.F_SETPIPE_SZ, PIPE_BYTES], purpose: 'fewer turns', tolerates: 'any' },
    buffer,
    count,
    type.read(1),
    type.below(typeEnds.directory, copy, 'is it a pipe, a terminal or another device?'),
    type.below(typeEnds.file, spliced, 'is it a file?'),
    copy,
    { call: 'read', args: [0, resultOf(buffer), BUFFER_BYTES], purpose: 'what the program writes', into: left.at(0), jump: { when: '==', to: ends.ended } },
    { call: 'add', args: [resultOf(buffer), 0], purpose: 'from its beginning', into: at.at(0) },
    write,
    ifMoved(moved, '<', 1, unwritten, 'was anything written?'),
    { call: 'add', args: [at.u64(), moved.u64()], purpose: 'go on behind it', into: at.at(0) },
    ...subtract(left, moved, resultOf(count), { jump: { when: '==', to: write } }),
    unwritten,
    ifMoved(moved, '!=', -errnos.EAGAIN, ends.failed, 'would the file block?'),
    wait(1, { jump: { when: '!=', to: write } }),
    spliced,
    {
      call: 'splice',
      args: [0, null, 1, null, PIPE_BYTES, 0],
      purpose: "from the program's pipe to the caller's file",
      tolerates: 'any',
      into: moved.at(0),
      jump: { when: '<', than: 1, to: unspliced },
    },
    { call: 'pipe2', args: [stage, openFlags.O_CLOEXEC], purpose: 'a pipe before the file' },
    { call: 'fcntl', args: [stage.i32(4), fcntlCommands.F_SETPIPE_SZ, PIPE_BYTES], purpose: 'fewer turns', tolerates: 'any' },
    toStage,
    toFile,
    goTo(toFile, 'there may be more'),
    staged,
    ifMoved(moved, '==', -errnos.EAGAIN, toStage, 'is the pipe before the file empty?'),
    goTo(ends.failed, 'the file fails'),
    unspliced,
    ifMoved(moved, '==', 0, ends.ended, 'has the program closed its side?'),
    ifMoved(moved, '==', -errnos.EINVAL, copy, 'is it no file for splice(2)?'),
    ifMoved(moved, '!=', -errnos.EAGAIN, ends.failed, 'would one of them block?'),
    wait(0),
    wait(1, { jump: { when: '!=', to: spliced } }),
    ...ends.steps,
  ];
}
