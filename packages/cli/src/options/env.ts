import { closeSync, openSync, readSync } from 'node:fs';

import { callersVariable, nodePath, quote, textOf } from '@ctr/syscall';

import { ValueError } from '../usage-error.js';

const MAX_FILE_BYTES = 2 ** 20;

/** `K=V`, or `K` for what it is in the caller's environment; nothing where it is not there. */
export function setVariable(env: Record<string, string>, text: string): void {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  if (name === '' || text.includes('\0')) throw new ValueError("K=V, or K for the caller's value");
  const value = equals < 0 ? callersVariable(name) : text.slice(equals + 1);
  if (value !== undefined) Object.defineProperty(env, name, { value, enumerable: true, configurable: true, writable: true });
}

/** A file of such lines. Empty lines, and those that begin with #, say nothing. Pipes are read as well: `--env-file <(…)`. */
export function readEnvFile(env: Record<string, string>, path: string): void {
  for (const [index, line] of readBounded(path).split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const name = /^[^=]*/.exec(line)?.[0] ?? '';
    if (name === '' || /\s/.test(name) || line.includes('\0')) throw new ValueError(`line ${index + 1} is ${quote(line)}: K=V, or K for the caller's value`);
    setVariable(env, line);
  }
}

/** What is given may be a device that never ends. */
function readBounded(path: string): string {
  let file: number | undefined;
  try {
    file = openSync(nodePath(path), 'r');
    const bytes = Buffer.alloc(MAX_FILE_BYTES + 1);
    let length = 0;
    for (let got = 1; got > 0 && length < bytes.length; length += got) got = readSync(file, bytes, length, bytes.length - length, null);
    if (length > MAX_FILE_BYTES) throw new ValueError(`a file of at most ${MAX_FILE_BYTES} bytes`);
    return textOf(bytes.subarray(0, length));
  } catch (error) {
    if (error instanceof ValueError) throw error;
    const reason = path.includes('\0') ? 'it has a NUL byte in it' : (error as NodeJS.ErrnoException).code;
    throw new ValueError(`a file with one K=V a line; this cannot be read (${reason})`);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
