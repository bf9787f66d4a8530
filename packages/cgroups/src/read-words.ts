import { readFileSync } from 'node:fs';

/** The words in a file of a group: controllers, processes, its type; `undefined` where there is no such file. */
export function readWords(file: string): string[] | undefined {
  try {
    return readFileSync(file, 'latin1').split(/\s+/).filter(Boolean);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENODEV' || code === 'ENOTSUP') return undefined;
    throw error;
  }
}
