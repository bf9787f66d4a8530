import { type BigIntStats } from 'node:fs';

import { call, callInto, isSyscallError, Memory, openFd, openFlags, type Fd } from '@ctr/syscall';

import type { DataRange, Entry } from '../plan/copy-entry.js';

/** linux/fs.h */
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
/** stat(2): st_blocks counts them. */
const BLOCK_BYTES = 512n;
/** A file of more parts is copied with its holes as zeros. */
const MAX_RANGES = 64;
/** linux/limits.h: XATTR_LIST_MAX, XATTR_SIZE_MAX */
const MAX_LIST_BYTES = 65_536;
const MAX_VALUE_BYTES = 65_536;

/** What of a regular file is not a hole; `undefined` for one that has none, or too many. */
export function dataRanges(file: Fd, { size, blocks }: BigIntStats): Entry['sparse'] {
  if (blocks * BLOCK_BYTES >= size) return undefined;
  const sizeBytes = Number(size);
  const ranges: DataRange[] = [];
  try {
    using opened = openFd(`/proc/self/fd/${file.number}`, { flags: openFlags.O_RDONLY | openFlags.O_NONBLOCK });
    for (let at = 0; at < sizeBytes;) {
      const offset = call({ call: 'lseek', args: [opened, at, SEEK_DATA], purpose: 'where the next data is', tolerates: ['ENXIO'] });
      if (offset < 0) break;
      at = call({ call: 'lseek', args: [opened, offset, SEEK_HOLE], purpose: 'where the next hole is' });
      if (ranges.length === MAX_RANGES) return undefined;
      ranges.push({ offset, sizeBytes: at - offset });
    }
  } catch (error) {
    // Who may not read it here finds out there, too.
    if (isSyscallError(error)) return undefined;
    throw error;
  }
  return { sizeBytes, ranges };
}

/** The extended attributes of an open file; none where the file system has none. */
export function extendedAttributes(file: Fd): Entry['attributes'] {
  const path = `/proc/self/fd/${file.number}`;
  const list = new Memory(MAX_LIST_BYTES, 'list');
  const tolerates = ['EOPNOTSUPP', 'EPERM', 'EACCES', 'ENODATA'] as const;
  const size = call({ call: 'listxattr', args: [path, null, 0], purpose: 'how many attributes it has', tolerates });
  if (size <= 0) return [];
  const { result, bytes } = callInto({ call: 'listxattr', args: [path, list, MAX_LIST_BYTES], purpose: 'the attributes it has', tolerates }, list);
  const found = bytes.toString('utf8', 0, Math.max(result, 0)).split('\0').filter(Boolean);
  return found.flatMap((name) => {
    const value = new Memory(MAX_VALUE_BYTES, 'value');
    const read = callInto({ call: 'getxattr', args: [path, name, value, MAX_VALUE_BYTES], purpose: `its attribute ${name}`, tolerates }, value);
    return read.result < 0 ? [] : [{ name, value: read.bytes.subarray(0, read.result) }];
  });
}
