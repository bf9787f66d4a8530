import { isAbsolute } from 'node:path';

import { bytesOf, isWhole } from '@ctr/syscall';

import { shown } from './shown.js';

/** Refuses what is not a text that the kernel takes whole. */
export function checkText(what: string, text: unknown): asserts text is string {
  if (typeof text !== 'string')
    throw new TypeError(`${what} is ${typeof text === 'object' ? (text === null ? 'null' : 'an object') : String(text)}, not a string`);
  try {
    if (!isWhole(text)) bytesOf(text);
  } catch {
    throw new TypeError(`${what} has half a surrogate pair in it: ${shown(text)}`);
  }
  if (text.includes('\0')) throw new TypeError(`${what} has a NUL byte in it: ${shown(text)}`);
}

/** A path in the container: absolute, and without `..`, so that it means the same whatever stands there. */
export function checkDestination(what: string, path: string): string {
  checkText(what, path);
  if (!isAbsolute(path)) throw new TypeError(`${what} ${shown(path)} is not an absolute path of the container`);
  if (path.split('/').includes('..')) throw new TypeError(`${what} ${shown(path)} has ".." in it: give the path itself`);
  return path.replace(/\/+/g, '/').replace(/(.)\/$/, '$1');
}
