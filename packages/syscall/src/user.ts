import { accessSync } from 'node:fs';

import { AT_FDCWD } from './abi/constants.js';
import { call } from './perform.js';

/** linux/fcntl.h; the same bit as AT_REMOVEDIR of another call. */
const AT_EACCESS = 0x200;

/**
 * The ids of this process, as one text: what it may do depends on them, and a program may change them while it runs.
 *
 * @example
 * ```ts
 * import { currentIds } from '@ctr/syscall';
 * console.log(currentIds()); // for instance: 0 0 0 0
 * ```
 */
export function currentIds(): string {
  return `${process.getuid?.()} ${process.geteuid?.()} ${process.getgid?.()} ${process.getegid?.()}`;
}

/**
 * Keeps what was found out, as long as this process has the same user and group: `process.setuid` and its like make it be found out anew.
 *
 * @example
 * ```ts
 * import { perUser } from '@ctr/syscall';
 * const isRoot = perUser(() => process.geteuid?.() === 0);
 * console.log(isRoot());
 * ```
 */
export function perUser<Value>(find: () => Value): () => Value {
  let known: { readonly ids: string; readonly value: Value } | undefined;
  return () => {
    const ids = currentIds();
    if (known?.ids !== ids) known = { ids, value: find() };
    return known.value;
  };
}

/**
 * Throws unless this process may access a file, by its effective ids, which are those that count when it is opened. `access` of `node:fs` asks with the real ones.
 *
 * @param mode of `constants` of `node:fs`: `W_OK`, `R_OK`, `X_OK`
 * @see faccessat2(2), AT_EACCESS
 * @example
 * ```ts
 * import { constants } from 'node:fs';
 * import { requireAccess } from '@ctr/syscall';
 * requireAccess('/', constants.X_OK);
 * ```
 */
export function requireAccess(path: string, mode: number): void {
  const isOne = process.getuid?.() === process.geteuid?.() && process.getgid?.() === process.getegid?.();
  if (isOne) accessSync(path, mode);
  else call({ call: 'faccessat2', args: [AT_FDCWD, path, mode, AT_EACCESS], purpose: `may ${path} be accessed?` });
}
