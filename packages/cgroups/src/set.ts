import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

import { isSyscallError } from '@ctr/syscall';

import { checkLimits } from './check-limits.js';
import { changesAt } from './controllers.js';
import { devicePlace, setDevices } from './devices.js';
import { CgroupError } from './error.js';
import { limitHints, openHints } from './hints.js';
import type { Limits } from './limits.js';
import { limitedAt } from './limited-at.js';
import type { Place } from './place.js';
import { readNow } from './read-now.js';
import { restoring } from './restore.js';
import type { Setting } from './setting.js';
import { takeBack, type Done } from './take-back.js';
import { failure, writeControl } from './write-control.js';

/** Sets the limits of a group that is there: all of them or, if the kernel refuses one, none. */
export async function setLimits(places: readonly Place[], limits: Limits): Promise<void> {
  checkLimits(limits);
  const writes = limitedAt(places, limits).flatMap((limited) =>
    changesAt(limited, limits, (file) => readNow(`${limited.directory}/${file}`)).map((setting) => ({ directory: limited.directory, setting })),
  );
  const place = limits.devices && devicePlace(places);
  if (limits.devices && !place)
    throw new CgroupError(
      'no-controller',
      'this group was made without the devices controller: give it rules about devices from the beginning ([] allows all)',
    );
  const done: Done[] = [];
  try {
    for (const { directory, setting } of writes) await apply(directory, setting, done);
    // Last, and so never to be taken back.
    if (limits.devices && place) setDevices(place, limits.devices);
  } catch (error) {
    throw await takeBack(done, error);
  }
}

/** Writes one limit, to its file or, where it has two, to each that is there and does not refuse it for the sake of the other. */
async function apply(directory: string, { file, value, twin, absent, hints }: Setting, done: Done[]): Promise<void> {
  const all = twin ? [{ file, value }, twin] : [{ file, value }];
  const there = all.filter((one) => existsSync(`${directory}/${one.file}`));
  const refusals: unknown[] = [];
  for (const one of there.length > 0 ? there : all.slice(0, 1)) {
    const path = `${directory}/${one.file}`;
    const before = restoring(one.file, await readControl(path, absent ?? openHints.ENOENT), one.value);
    // An empty list of version 2 is the one of the group above.
    const effective = before === '\n' ? readNow(`${path}.effective`) : undefined;
    try {
      await writeControl(path, one.value, 'change a limit', { ...limitHints, ...hints });
      done.push({ path, value: one.value, before, ...(effective !== undefined && { otherwise: effective }) });
    } catch (error) {
      if (!isSyscallError(error) || error.code !== 'EOPNOTSUPP' || there.length < 2) throw error;
      refusals.push(error);
    }
  }
  if (refusals.length === 2) throw refusals[0];
}

async function readControl(path: string, absent: string): Promise<string> {
  try {
    return await readFile(path, 'latin1');
  } catch (error) {
    throw failure('read', `read(${path})`, error, 'what the limit is now', { ENOENT: absent });
  }
}
