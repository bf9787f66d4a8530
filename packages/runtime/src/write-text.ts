import { writeSync } from 'node:fs';

/** How long a reader that is slow is waited for, until it is looked at again. */
const PAUSE_MS = 5;

/**
 * Writes text to an open file at once: `process.stdout` and `process.stderr` take longer to load than a short command to run, and tell of a reader that is gone when it is too late to mind.
 *
 * @returns whether there is still somebody who reads
 */
export function writeText(fd: number, text: string): boolean {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') return false;
      // Somebody who shares the file has made it non-blocking: wait for its reader.
      if (code !== 'EAGAIN') return true;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    }
  }
  return true;
}
