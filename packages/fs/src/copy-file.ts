import { AT_FDCWD, atFlags, checkOptions, errnos, fail, label, Memory, openFlags, resultOf, type Step } from '@ctr/syscall';

import { checkInteger, checkPath } from './check.js';
import type { Handle } from './handle.js';
import { makeFile, type FileOptions } from './write-file.js';

/** How a file is copied. */
export interface CopyFileOptions extends FileOptions {
  /** Permissions; the umask takes its bits from them. @default those of the original, and the owner may read it: a copy is not for more users than the original */
  readonly mode?: number;
  /** A larger file is an error (EFBIG): one call copies it. @default 16 MiB */
  readonly maxBytes?: number;
}

/** statx(2), linux/stat.h: STATX_MODE; struct statx: the lower byte of stx_mode, which has the permissions but for the owner's right to read. */
const STATX_MODE = 2;
const STATX_BYTES = 256;
const MODE_LOWER = 0x1c;
const OWNER_READS = 0o400;

/**
 * Copies a file of the host into an open directory, where the copy may be changed without a trace in the original. A missing original is no error: there is no copy then.
 *
 * The steps fail with EEXIST if the name is taken, by a link too; EISDIR or EINVAL if the original is not a regular file; EFBIG if it is too large; ENOSPC; EACCES.
 *
 * @param from a path that the caller vouches for: links are followed, as `/etc/localtime` wants it
 * @see sendfile(2)
 * @example
 * ```ts
 * import { copyFile, tmpfsMount } from '@ctr/fs';
 * const { steps, mount } = tmpfsMount();
 * const plan = [...steps, ...copyFile('/etc/localtime', mount, 'localtime')];
 * ```
 */
export function copyFile(from: string, parent: Handle, name: string, options: CopyFileOptions = {}): Step[] {
  checkOptions('copyFile', options, ['mode', 'maxBytes']);
  checkPath(from);
  const { mode, maxBytes = 16 * 2 ** 20 } = options;
  checkInteger('maxBytes', maxBytes, 1, 0x7ffff000); // a single sendfile(2) transfers no more
  const done = label(`${name} is copied, if ${from} exists`);
  const close = (file: Step): Step => ({ call: 'close', args: [resultOf(file)], purpose: `${file.as} is done` });
  // Without O_NONBLOCK, opening a fifo would wait for a writer.
  const original: Step = {
    call: 'openat',
    args: [AT_FDCWD, from, openFlags.O_RDONLY | openFlags.O_NONBLOCK | openFlags.O_CLOEXEC],
    purpose: `read ${from}`,
    as: 'original',
    tolerates: ['ENOENT'],
    jump: { when: '<', to: done },
  };
  const stat = new Memory(STATX_BYTES, 'stat');
  const look: Step = {
    call: 'statx',
    args: [resultOf(original), '', atFlags.AT_EMPTY_PATH, STATX_MODE, stat],
    purpose: `who may use ${from}?`,
  };
  const permissions: Step = { call: 'add', args: [stat.u8(MODE_LOWER), OWNER_READS], purpose: 'the same for the copy', as: 'mode' };
  const copy = makeFile(parent, name, mode ?? resultOf(permissions));
  const closeCopy = close(copy);
  return [
    original,
    ...(mode === undefined ? [look, permissions] : []),
    copy,
    { call: 'sendfile', args: [resultOf(copy), resultOf(original), null, maxBytes], purpose: `copy ${from}` },
    { call: 'sendfile', args: [resultOf(copy), resultOf(original), null, 1], purpose: 'was that all?', jump: { when: '==', to: closeCopy } },
    fail(errnos.EFBIG, `copy ${from}`, { EFBIG: `${from} has more than ${maxBytes} bytes: bind it instead` }),
    closeCopy,
    close(original),
    done,
  ];
}
