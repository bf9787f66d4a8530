import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** As much as `parseJson` reads. */
const MAX_BYTES = 16 * 2 ** 20;

/** The `config.json` of a bundle. Throws an `Error` for what is no file or too large, before any of it is read: a fifo would wait for ever. */
export function readConfigFile(bundle: string): Buffer {
  const path = join(bundle, 'config.json');
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error(`${path} is no file`);
    if (stat.size > MAX_BYTES) throw new Error(`${path} has ${stat.size} bytes: at most ${MAX_BYTES} are read`);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}
