import { readFileSync } from 'node:fs';

/** What a file of a group says now; `undefined` where there is none. */
export function readNow(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // What is missing is told when it is written.
    if (code === 'ENOENT' || code === 'ENODEV' || code === 'ENOTSUP') return undefined;
    throw error;
  }
}
