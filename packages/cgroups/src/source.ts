import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';

import type { Source } from './counter.js';
import { walkGroups } from './subgroups.js';

/** Nearly all control files fit: what fills it is read on. */
const buffer = Buffer.allocUnsafeSlow(16 * 1024);

/** The links of a directory with none below it: its own, and that of the directory above. */
const LINKS = 2;
/** fs/kernfs/dir.c: the directory at the top of a hierarchy has the first number. */
const TOP_INODE = 1;

/** The files of a group on version 1, by hierarchy: they are the same in all groups but the one at the top. To list them takes a third of the time that it takes to read them. */
const filesOfVersion1 = new Map<number, readonly string[]>();

/**
 * The control files of a group. What is not there is not opened, since an error takes longer than to read a file; what goes meanwhile, with its group, reads as if it had never been.
 */
export function sourceOf(directory: string): Source {
  const files = filesIn(directory);
  return {
    files,
    read: (file) => (files.includes(file) ? readIfThere(`${directory}/${file}`) : undefined),
    readBelow: (file) => readBelow(directory, file),
  };
}

/** {@link sourceOf} of which only files are read that are likely to be there. */
export function knownSource(directory: string): Source {
  return { files: [], read: (file) => readIfThere(`${directory}/${file}`), readBelow: (file) => readBelow(directory, file) };
}

function filesIn(directory: string): readonly string[] {
  const stat = statSync(directory, { throwIfNoEntry: false });
  if (!stat) return [];
  const known = stat.ino === TOP_INODE ? undefined : filesOfVersion1.get(stat.dev);
  if (known) return known;
  try {
    const files = readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
    if (stat.ino !== TOP_INODE && files.includes('notify_on_release')) filesOfVersion1.set(stat.dev, files);
    return files;
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** Three system calls, where readFileSync makes five. */
function readIfThere(path: string): string | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    let length = readSync(file, buffer, 0, buffer.length, null);
    let text = buffer.toString('latin1', 0, length);
    while (length === buffer.length) {
      length = readSync(file, buffer, 0, buffer.length, null);
      text += buffer.toString('latin1', 0, length);
    }
    return text;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function readBelow(directory: string, file: string): string[] {
  // The links of a directory say whether there are others in it.
  if ((statSync(directory, { throwIfNoEntry: false })?.nlink ?? 0) <= LINKS) return [];
  const texts: string[] = [];
  // Last comes the group itself.
  walkGroups(directory, {
    visit: (group) => {
      try {
        texts.push(readFileSync(`/proc/self/fd/${group.number}/${file}`, 'latin1'));
      } catch (error) {
        texts.push('');
        if (!isGone(error)) throw error;
      }
    },
  });
  return texts.slice(0, -1);
}

/** ENODEV: the group was removed while the file was open. EOPNOTSUPP (which Node calls ENOTSUP): pressure is not told (`psi=0`, `cgroup.pressure`), or the file is none of a threaded group. */
function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENODEV' || code === 'ENOTSUP';
}
