import { checkOptions, errnos, fail, label, openFlags, resultOf, type ResultOf, type Step } from '@ctr/syscall';

import { checkMode, checkName } from './check.js';
import type { Handle } from './handle.js';

/** How a file is made. */
export interface FileOptions {
  /** Permissions; the umask takes its bits from them. @default 0o644 */
  readonly mode?: number;
}

/**
 * Makes a file with a content in an open directory.
 *
 * The steps fail with EEXIST if the name is taken, by a link too, and ENOSPC if there is no room for all of it.
 *
 * @see openat(2): O_EXCL
 * @example
 * ```ts
 * import { tmpfsMount, writeFile } from '@ctr/fs';
 * const { steps, mount } = tmpfsMount();
 * const plan = [...steps, ...writeFile('127.0.0.1 localhost\n', mount, 'hosts')];
 * ```
 */
export function writeFile(content: string | Uint8Array, parent: Handle, name: string, options: FileOptions = {}): Step[] {
  checkOptions('writeFile', options, ['mode']);
  const bytes = Buffer.from(content);
  const file = makeFile(parent, name, options.mode);
  const done = label(`${name} is written`);
  return [
    file,
    { call: 'write', args: [resultOf(file), bytes, bytes.length], purpose: `write ${name}`, jump: { when: '==', than: bytes.length, to: done } },
    fail(errnos.ENOSPC, `write all of ${name}`),
    done,
    { call: 'close', args: [resultOf(file)], purpose: `${name} is done` },
  ];
}

/** A new file, open for writing; never one that was there, nor one behind a link. */
export function makeFile(parent: Handle, name: string, mode: number | ResultOf = 0o644): Step {
  checkName('a new file', name);
  if (typeof mode === 'number') checkMode(name, mode);
  const flags = openFlags.O_CREAT | openFlags.O_EXCL | openFlags.O_WRONLY | openFlags.O_NOFOLLOW | openFlags.O_CLOEXEC;
  return { call: 'openat', args: [parent, name, flags, mode], purpose: `make the file ${name}`, as: name };
}
