import { readSync, writeSync } from 'node:fs';

import { call, Fd, memfdFlags } from '@ctr/syscall';

/** A file in memory, which is gone with the last who has it open. @see memfd_create(2) */
export function memoryFile(name: string, content = ''): Fd {
  const fd = new Fd(call({ call: 'memfd_create', args: [name, memfdFlags.MFD_CLOEXEC], purpose: name }), name);
  // By position, so that whoever gets it reads from the beginning.
  for (let bytes = Buffer.from(content), at = 0; at < bytes.length;) at += writeSync(fd.number, bytes, at, bytes.length - at, at);
  return fd;
}

/** What stands in a file, as text, up to a number of bytes. */
export function textOf(file: Fd, maxBytes: number): string {
  const buffer = Buffer.alloc(maxBytes);
  return buffer.toString('utf8', 0, readSync(file.number, buffer, 0, maxBytes, 0));
}
