import { errnos, fcntlCommands, label, Memory, pollEvents, pollfd, resultOf, type Step } from '@ctr/syscall';

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

/** The most that is copied at a time to a file: as quick as splice(2). A message of a socket must not be as large. */
const FILE_BUFFER_BYTES = 2 ** 18;

/**
 * The steps of a process that moves what a program writes: from fd 0, the program's pipe, to fd 1, the caller's file, until the program has closed its side.
 *
 * It is copied, to whatever file. splice(2) to a file takes the offset before it waits for the program and sets it afterwards, without the lock that write(2) takes:
 * what others write by the same offset meanwhile is overwritten. To a pipe it would pass the program's pages on, which the program can change after they were delivered (vmsplice(2)),
 * and the bounds of packets (O_DIRECT), by which a reader with a smaller buffer loses bytes. While it waits for a terminal, a socket or another device,
 * it holds the lock of the pipe, and a program that writes could not even be killed.
 * The flags of the caller's file stay as they are: if it does not block, poll(2) waits for it.
 *
 * @see write(2), pipe(7)
 */
export function relayOutput(options: RelayOptions): Step[] {
  const moved = new Memory(8, 'moved');
  const left = new Memory(8, 'left');
  const at = new Memory(8, 'at');
  const most = new Memory(Buffer.from(BigUint64Array.of(BigInt(BUFFER_BYTES)).buffer), 'most');
  const type = new FileType();
  const ends = new Ends(moved, options);
  const buffer = mapBuffer(FILE_BUFFER_BYTES);
  const count = scratchFile();
  const copy = label('copy');
  const large = label('more at a time');
  const unwritten = label('nothing was written');
  const write: Step = {
    call: 'write',
    args: [1, at.u64(), left.u64()],
    purpose: "to the caller's file",
    tolerates: 'any',
    into: moved.at(0),
    jump: { when: '==', than: left.u64(), to: copy },
  };
  return [
    ...becomeRelay(),
    leaveSession(),
    { call: 'fcntl', args: [0, fcntlCommands.F_SETPIPE_SZ, PIPE_BYTES], purpose: 'fewer turns', tolerates: 'any' },
    buffer,
    count,
    type.read(1),
    type.below(typeEnds.directory, copy, 'is it a pipe, a terminal or another device?'),
    type.below(typeEnds.file, large, 'is it a file?'),
    goTo(copy, 'it is a socket'),
    large,
    {
      call: 'write',
      args: [1, resultOf(buffer), 0],
      purpose: 'nothing: is it open to be written?',
      tolerates: 'any',
      into: moved.at(0),
      jump: { when: '<', to: ends.failed },
    },
    { call: 'add', args: [FILE_BUFFER_BYTES, 0], purpose: 'fewer turns', into: most.at(0) },
    copy,
    { call: 'read', args: [0, resultOf(buffer), most.u64()], purpose: 'what the program writes', into: left.at(0), jump: { when: '==', to: ends.ended } },
    { call: 'add', args: [resultOf(buffer), 0], purpose: 'from its beginning', into: at.at(0) },
    write,
    ifMoved(moved, '<', 1, unwritten, 'was anything written?'),
    { call: 'add', args: [at.u64(), moved.u64()], purpose: 'go on behind it', into: at.at(0) },
    ...subtract(left, moved, resultOf(count), { jump: { when: '==', to: write } }),
    unwritten,
    ifMoved(moved, '!=', -errnos.EAGAIN, ends.failed, 'would the file block?'),
    {
      call: 'ppoll',
      args: [pollfd({ fd: 1, events: pollEvents.POLLOUT }), 1, null, null, 8],
      purpose: 'wait for the reader',
      tolerates: 'any',
      jump: { when: '!=', to: write },
    },
    ...ends.steps,
  ];
}
