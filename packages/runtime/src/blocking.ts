import { call, fcntlCommands, openFlags } from '@ctr/syscall';

/**
 * Clears O_NONBLOCK of an open file that a program gets as a standard stream. Node sets it on its own pipes and sockets as soon as `process.stdout` is used,
 * and the program, which shares the open file, would lose output by EAGAIN. `child_process` clears it, too.
 *
 * @see fcntl(2), F_SETFL
 */
export function clearNonBlocking(fd: number): void {
  const flags = call({ call: 'fcntl', args: [fd, fcntlCommands.F_GETFL, 0], purpose: 'does the file block?', tolerates: 'any' });
  if (flags < 0 || (flags & openFlags.O_NONBLOCK) === 0) return;
  call({ call: 'fcntl', args: [fd, fcntlCommands.F_SETFL, flags & ~openFlags.O_NONBLOCK], purpose: 'the program waits for it', tolerates: 'any' });
}
