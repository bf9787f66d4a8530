import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';

import { MAX_TEXT_BYTES } from '../json/parse-json.js';

/**
 * Reads the `config.json` of a bundle. Throws an `Error` for what is no file or has more than 16 MiB, before any of it is read: a fifo would wait for ever. ENOENT, EACCES.
 *
 * @example
 * ```ts no-run
 * import { parseConfig, readConfigFile } from '@ctr/oci';
 * console.log(parseConfig(readConfigFile('/srv/bundle')).process?.args);
 * ```
 */
export function readConfigFile(bundle: string): Buffer {
  const path = join(bundle, 'config.json');
  const fd = open(path);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error(`${path} is no file`);
    if (stat.size > MAX_TEXT_BYTES) throw new Error(`${path} has ${stat.size} bytes: at most ${MAX_TEXT_BYTES} are read`);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Reads a file that a client names, which may be a pipe. Throws an `Error` for more than 16 MiB, of which no more is read, and as readSync of Node does.
 *
 * @param file a path, or the number of an open file
 */
export function readBounded(file: string | number): Buffer {
  const fd = typeof file === 'number' ? file : openSync(file, constants.O_RDONLY);
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    for (;;) {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      const got = readSync(fd, chunk, 0, CHUNK_BYTES, null);
      if (got === 0) return Buffer.concat(chunks);
      size += got;
      if (size > MAX_TEXT_BYTES)
        throw new Error(`${typeof file === 'number' ? 'standard input' : file} has more than ${MAX_TEXT_BYTES} bytes: no more are read`);
      chunks.push(chunk.subarray(0, got));
    }
  } finally {
    if (typeof file !== 'number') closeSync(fd);
  }
}

const CHUNK_BYTES = 65_536;

/** The error of Node does not say what the file is for. */
function open(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const advice = code === 'ENOENT' || code === 'ENOTDIR' ? ': a bundle is a directory with a config.json in it' : '';
    throw Object.assign(new Error(`${path} cannot be read (${code})${advice}`, { cause: error }), { code });
  }
}
