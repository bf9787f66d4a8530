import { existsSync } from 'node:fs';

import { CgroupError } from './error.js';

/** Acts on a group: what fails because that is not there (any more) says so. */
export async function whileThere<T>(directories: readonly string[], act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const gone = code === 'ENOENT' || code === 'ENODEV' ? directories.filter((directory) => !existsSync(directory)) : [];
    if (gone.length === 0) throw error;
    throw new CgroupError('gone', `${gone.join(', ')} is not there any more: the group was removed, here or by someone else`, { cause: error });
  }
}
