import { ftruncateSync, readSync, writeSync } from 'node:fs';

import { call, Fd, fcntlCommands, memfdFlags, seals } from '@ctr/syscall';

/** A file in memory, which is gone with the last who has it open. @see memfd_create(2) */
export function memoryFile(name: string, content = ''): Fd {
  const fd = new Fd(call({ call: 'memfd_create', args: [name, memfdFlags.MFD_CLOEXEC], purpose: name }), name);
  // By position, so that whoever gets it reads from the beginning.
  for (let bytes = Buffer.from(content), at = 0; at < bytes.length;) at += writeSync(fd.number, bytes, at, bytes.length - at, at);
  return fd;
}

/**
 * A file in memory for what a program says, which can have no more than so many bytes: to write more fails with EPERM. The memory is the host's, whatever limits the program has.
 *
 * @see F_ADD_SEALS(2const): F_SEAL_GROW
 */
export function boundedMemoryFile(name: string, maxBytes: number): Fd {
  const fd = new Fd(call({ call: 'memfd_create', args: [name, memfdFlags.MFD_CLOEXEC | memfdFlags.MFD_ALLOW_SEALING], purpose: name }), name);
  // Pages that nobody has written take no memory.
  ftruncateSync(fd.number, maxBytes);
  call({ call: 'fcntl', args: [fd, fcntlCommands.F_ADD_SEALS, seals.F_SEAL_GROW | seals.F_SEAL_SEAL], purpose: `${name} has at most ${maxBytes} bytes` });
  return fd;
}

/** What stands in a file, as text, up to a number of bytes or the first NUL. */
export function textOf(file: Fd, maxBytes: number): string {
  const buffer = Buffer.alloc(maxBytes);
  const text = buffer.toString('utf8', 0, readSync(file.number, buffer, 0, maxBytes, 0));
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}
