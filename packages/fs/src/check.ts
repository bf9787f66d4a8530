import { quote } from '@ctr/syscall';

/** Refuses a value that is not one of a few. Throws a `RangeError`. */
export function checkOneOf(what: string, value: string, known: readonly string[]): void {
  if (!known.includes(value)) throw new RangeError(`${what} is ${quote(value)}: it has to be one of ${known.join(', ')}`);
}

/** Refuses a number that is not an integer within bounds. Throws a `RangeError`. */
export function checkInteger(what: string, value: number, least: number, most: number = Number.MAX_SAFE_INTEGER): void {
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw new RangeError(`${what} is ${value}: it has to be an integer from ${least} to ${most}`);
}

/** Refuses a mode with more than permission bits. Throws a `RangeError`. */
export function checkMode(what: string, mode: number): void {
  checkInteger(`the mode of ${what}`, mode, 0, 0o7777);
}

/** Refuses what is not the name of one file in a directory: a name with a slash would be a path, which can lead elsewhere. Throws a `RangeError`. */
export function checkName(what: string, name: string): void {
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0')) {
    throw new RangeError(`${what}: ${quote(name)} is not the name of one file in a directory`);
  }
}

/** Refuses what no path can be. */
export function checkPath(path: string): void {
  if (path === '') throw new TypeError('the path is empty');
  if (path.includes('\0')) throw new RangeError(`the path ${quote(path)} has a NUL byte in it`);
}

/** Refuses what is not a path downwards from an open directory. */
export function checkBelow(path: string): void {
  checkPath(path);
  if (path.startsWith('/') || path.split('/').includes('..')) throw new RangeError(`the path ${quote(path)} does not lead down from an open directory`);
}
