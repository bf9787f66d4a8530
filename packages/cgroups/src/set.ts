import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';

import { errnoName, errnos, isSyscallError, SyscallError } from '@ctr/syscall';

import { checkLimits } from './check-limits.js';
import { changesAt } from './controllers.js';
import { devicePlace, setDevices } from './devices.js';
import { CgroupError } from './error.js';
import { limitHints, openHints, type Hints } from './hints.js';
import type { Limits } from './limits.js';
import { limitedAt } from './limited-at.js';
import type { Place } from './place.js';
import { restoring } from './restore.js';
import type { Setting } from './setting.js';

/** A write that has been made, and what takes it back. */
interface Done {
  readonly path: string;
  readonly value: string;
  readonly before: string;
}

const gone = 'the group is gone: it was removed already';

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

/** Writes a control file off the main thread: a memory limit that is lowered makes the kernel free memory first, which may take its time. */
export async function writeControl(path: string, value: string, purpose: string, hints: Hints): Promise<void> {
  try {
    await writeFile(path, value, { flag: 'r+' });
  } catch (error) {
    throw failure('write', `write(${path}, ${JSON.stringify(value)}, ${Buffer.byteLength(value)})`, error, purpose, hints);
  }
}

/** Writes one limit, to its file or, where it has two, to each that is there. */
async function apply(directory: string, { file, value, twin, absent, hints }: Setting, done: Done[]): Promise<void> {
  const all = twin ? [{ file, value }, twin] : [{ file, value }];
  const there = all.filter((one) => existsSync(`${directory}/${one.file}`));
  for (const one of there.length > 0 ? there : all.slice(0, 1)) {
    const path = `${directory}/${one.file}`;
    const before = restoring(one.file, await readControl(path, existsSync(directory) ? (absent ?? openHints.ENOENT) : gone), one.value);
    await writeControl(path, one.value, 'change a limit', { ...limitHints, ...hints });
    done.push({ path, value: one.value, before });
  }
}

/** In reverse: where a file must not exceed another, each state on the way back is one that was there on the way. */
async function takeBack(done: readonly Done[], cause: unknown): Promise<unknown> {
  const back: string[] = [];
  const stay: string[] = [];
  for (const { path, value, before } of done.toReversed()) {
    try {
      await writeControl(path, before, 'take the change of a limit back', limitHints);
      back.push(`${path} = ${before.trim()}`);
    } catch (error) {
      stay.push(`${path} stays at ${value} (${isSyscallError(error) ? error.code : String(error)})`);
    }
  }
  if (!isSyscallError(cause) || done.length === 0) return cause;
  const told = [
    ...(cause.hint === undefined ? [] : [cause.hint]),
    ...(back.length > 0 ? [`taken back: ${back.join(', ')}`] : []),
    ...(stay.length > 0 ? [`could not be taken back: ${stay.join(', ')}`] : []),
  ];
  const { call, line, errno, purpose = 'change a limit' } = cause;
  return new SyscallError({ call, line, errno, purpose, hint: told.join('; ') });
}

async function readControl(path: string, absent: string): Promise<string> {
  try {
    return await readFile(path, 'latin1');
  } catch (error) {
    throw failure('read', `read(${path})`, error, 'what the limit is now', { ENOENT: absent, ENODEV: gone });
  }
}

function readNow(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // What is missing is told when it is written.
    if (code === 'ENOENT' || code === 'ENODEV' || code === 'ENOTSUP') return undefined;
    throw error;
  }
}

function failure(call: string, line: string, error: unknown, purpose: string, hints: Hints): SyscallError {
  const errno = Math.abs((error as NodeJS.ErrnoException).errno ?? errnos.EIO);
  const hint = hints[errnoName(errno)];
  return new SyscallError({ call, line, errno, purpose, ...(hint !== undefined && { hint }) });
}
