import { readFile, writeFile } from 'node:fs/promises';

import { errnoName, errnos, SyscallError } from '@ctr/syscall';

import { controllersFor, settingsOf } from './controllers.js';
import { CgroupError } from './error.js';
import { limitHints, type Hints } from './hints.js';
import { checkLimits, type Limits } from './limits.js';
import type { Place } from './place.js';

/** Sets the limits of a group that is there: all of them or, if the kernel refuses one, none. */
export async function setLimits(places: readonly Place[], limits: Limits): Promise<void> {
  checkLimits(limits);
  const writes = controllersFor(limits).flatMap((controller) => {
    const place = places.find(({ controllers }) => controllers.includes(controller));
    if (!place)
      throw new CgroupError(
        'no-controller',
        `this group was made without the ${controller} controller: give it a ${controller} limit from the beginning ('max' is one)`,
      );
    return settingsOf(controller, place.version, limits).map(({ file, value }) => ({ path: `${place.directory}/${file}`, value }));
  });
  const undo: { path: string; value: string }[] = [];
  try {
    for (const { path, value } of writes) {
      const before = (await readFile(path, 'latin1')).trim();
      await writeControl(path, value, 'change a limit', limitHints);
      undo.push({ path, value: before });
    }
  } catch (error) {
    for (const { path, value } of undo.toReversed()) await writeControl(path, value, 'take the change of a limit back', limitHints);
    throw error;
  }
}

/** Writes a control file off the main thread: a memory limit that is lowered makes the kernel free memory first, which may take its time. */
export async function writeControl(path: string, value: string, purpose: string, hints: Hints): Promise<void> {
  try {
    await writeFile(path, value, { flag: 'r+' });
  } catch (error) {
    const errno = Math.abs((error as NodeJS.ErrnoException).errno ?? errnos.EIO);
    const hint = hints[errnoName(errno)];
    const line = `write(${path}, ${JSON.stringify(value)}, ${Buffer.byteLength(value)})`;
    throw new SyscallError({ call: 'write', line, errno, purpose, ...(hint !== undefined && { hint }) });
  }
}
