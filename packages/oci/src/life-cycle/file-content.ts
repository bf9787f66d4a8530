import { type BigIntStats } from 'node:fs';

import { call, callInto, isSyscallError, Memory, openFd, openFlags, type Fd, type Step } from '@ctr/syscall';

import type { DataRange, Entry } from '../plan/copy-entry.js';

/** linux/fs.h */
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
/** stat(2): st_blocks counts them. */
const BLOCK_BYTES = 512n;
/** A file of more parts is copied with its holes as zeros. */
const MAX_RANGES = 64;
/** The names and values of one file: linux/limits.h has XATTR_LIST_MAX and XATTR_SIZE_MAX, 64 KiB each, and some file systems keep as many values as there are names. */
const MAX_ATTRIBUTE_BYTES = 2 ** 20;

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

/**
 * The extended attributes of an open file; none where the file system has none. Each value takes as much memory as it has bytes.
 * Throws an `Error` for a file of which they have more than 1 MiB.
 */
export function extendedAttributes(file: Fd, shown: string): Entry['attributes'] {
  const path = `/proc/self/fd/${file.number}`;
  const list = sizedRead((buffer) => ({ call: 'listxattr', args: [path, buffer, buffer?.byteLength ?? 0], purpose: `the attributes of ${shown}`, tolerates }));
  const found: Entry['attributes'][number][] = [];
  let total = 0;
  for (let at = 0; at < list.length;) {
    const end = list.indexOf(0, at);
    const name = list.subarray(at, end + 1);
    at = end + 1;
    // A name may have any byte in it.
    const text = name.toString('latin1', 0, name.length - 1);
    const value = sizedRead(
      (buffer) => ({ call: 'getxattr', args: [path, name, buffer, buffer?.byteLength ?? 0], purpose: `the attribute ${text} of ${shown}`, tolerates }),
      true,
    );
    if (!value) continue;
    total += name.length + value.length;
    if (total > MAX_ATTRIBUTE_BYTES)
      throw new Error(
        `${shown} cannot be copied to a tmpfs (tmpcopyup): its extended attributes have more than ${MAX_ATTRIBUTE_BYTES} bytes: remove some of them in the image`,
      );
    found.push({ name, shown: text, value });
  }
  return found;
}

/** An attribute that may not be read, or that is gone, is none. */
const tolerates = ['EOPNOTSUPP', 'EPERM', 'EACCES', 'ENODATA'] as const;

function sizedRead(step: (buffer: Memory | null) => Step): Buffer;
function sizedRead(step: (buffer: Memory | null) => Step, isValue: true): Buffer | undefined;
/** Asks for the size first. What has grown meanwhile is an error, ERANGE. */
function sizedRead(step: (buffer: Memory | null) => Step, isValue = false): Buffer | undefined {
  const size = call(step(null));
  if (size <= 0) return size < 0 && isValue ? undefined : Buffer.alloc(0);
  const buffer = new Memory(size, 'attribute');
  const { result, bytes } = callInto(step(buffer), buffer);
  if (result < 0) return isValue ? undefined : Buffer.alloc(0);
  return bytes.subarray(0, result);
}
