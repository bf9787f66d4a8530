import { AT_FDCWD, atFlags, checkOptions, errnos, fail, fileTypes, label, Memory, openTreeFlags, resultOf, type ResultOf, type Step } from '@ctr/syscall';

import { attach, attachBelow, closed } from './attach.js';
import { setAttributes } from './attributes.js';
import { checkPath } from './check.js';
import type { Handle } from './handle.js';
import { openIfThere, type InRoot } from './in-root.js';
import { inMounts, isInKnownMount, type KnownMounts } from './known-mounts.js';
import { placeName } from './place.js';
import { tmpfsMount } from './tmpfs.js';

/** How paths are masked. */
export interface MaskOptions {
  /** The null device: a path that the caller vouches for, or an open file. @default '/dev/null', which is the host's as long as the root has not been changed */
  readonly nullDevice?: string | Handle;
  /**
   * Mounts below the root that the caller has made, by where they are: `{ '/proc': mount }`. What is below them is looked for from there,
   * so that nobody who renames a directory on the way meanwhile keeps a path from being found. @default none
   */
  readonly mounts?: KnownMounts;
  /** Those of the paths that are known to have no symbolic link in them, as most of proc's: they take fewer steps. @default none */
  readonly plain?: readonly string[];
}

const CLONE = openTreeFlags.OPEN_TREE_CLONE | openTreeFlags.OPEN_TREE_CLOEXEC;

/**
 * Hides files and directories below a root: a file is covered by the null device, a directory by an empty, read-only tmpfs. What is missing is no error.
 *
 * Comes after what is to be hidden is mounted, and before {@link pivotRoot}. The null device is checked to be that (a character device, 1:3), and never looked for below the root,
 * where an image could have put something else.
 *
 * The steps fail with ENODEV if the null device is not one.
 *
 * @see null(4)
 * @example
 * ```ts
 * import { inRoot, mask, proc } from '@ctr/fs';
 * import { openFd } from '@ctr/syscall';
 * using root = openFd('/srv', { directory: true });
 * const plan = [...proc(inRoot(root, '/proc')), ...mask(root, ['/proc/kcore', '/proc/acpi'])];
 * ```
 */
export function mask(root: Handle, paths: readonly string[], options: MaskOptions = {}): Step[] {
  checkOptions('mask', options, ['nullDevice', 'mounts', 'plain']);
  const { nullDevice = '/dev/null', mounts = {}, plain = [] } = options;
  if (typeof nullDevice === 'string') checkPath(nullDevice);
  if (paths.length === 0) return [];
  const firstFile: Step = {
    call: 'open_tree',
    args: typeof nullDevice === 'string' ? [AT_FDCWD, nullDevice, CLONE] : [nullDevice, '', CLONE | atFlags.AT_EMPTY_PATH],
    purpose: 'the null device, to cover files with',
    as: 'null',
    into: new Memory(8, 'null').at(0),
  };
  const empty = tmpfsMount({ readonly: true, noExec: true, mode: 0o755, purpose: 'an empty directory, to cover directories with', as: 'empty' });
  const firstDirectory: Step = {
    call: 'add',
    args: [empty.mount, 0],
    purpose: 'the first cover of a directory',
    as: 'empty',
    into: new Memory(8, 'empty').at(0),
  };
  return [
    firstFile,
    ...checkNullDevice(resultOf(firstFile), placeName(nullDevice)),
    // It is the host's: who owns it here must not change its mode there. What a device does is no matter of its mount.
    ...setAttributes(resultOf(firstFile), { readonly: true, noSuid: true, noExec: true }),
    ...empty.steps,
    firstDirectory,
    ...paths.flatMap((path) => {
      const place = inMounts(root, mounts, path);
      return plain.includes(path) && isInKnownMount(place, root)
        ? hidePlain(path, place, firstFile, firstDirectory)
        : hide(path, place, firstFile, firstDirectory);
    }),
  ];
}

/**
 * One path: it takes the cover of a directory, or else that of a file. The kernel says EINVAL where one is a directory and the other is not.
 * A mount that is attached to nothing cannot be copied (before Linux 6.15), but one that has just been attached can: the next cover is a copy of the last, stored in its place.
 * What is not needed any more is closed at once: a machine has as many paths of one kind as it has processors.
 */
function hide(path: string, place: InRoot, firstFile: Step, firstDirectory: Step): Step[] {
  const next = label(`${path} is hidden, if it exists`);
  const { steps, fd } = openIfThere(place, next);
  const done = closed(fd, `${path} is hidden`);
  const [asDirectory, asFile] = [firstDirectory, firstFile].map((first) => attach(resultOf(first), fd, hides(path, first))) as [[Step], [Step]];
  return [
    ...steps,
    ...asDirectory.map((step): Step => ({ ...step, tolerates: ['EINVAL'], jump: { when: '!=', to: asFile[0] } })),
    ...another(firstDirectory, 'directory', done),
    ...asFile,
    ...another(firstFile, 'file'),
    done,
    next,
  ];
}

/** One without links in a mount of the kernel's: nothing on the way can be exchanged, so that each call names it and nothing is opened. */
function hidePlain(path: string, { root, path: name }: InRoot, firstFile: Step, firstDirectory: Step): Step[] {
  const next = label(`${path} is hidden, if it exists`);
  const tried = new Memory(8, 'tried');
  const anotherDirectory = another(firstDirectory, 'directory');
  return [
    {
      ...attachBelow(resultOf(firstDirectory), root, name, hides(path, firstDirectory)),
      tolerates: ['EINVAL', ...missing],
      into: tried.at(0),
      jump: { when: '==', to: anotherDirectory[0] },
    },
    { call: 'add', args: [tried.u64(), 0], purpose: 'is it there?', tolerates: ['EINVAL', ...missing], jump: { when: '!=', than: -errnos.EINVAL, to: next } },
    { ...attachBelow(resultOf(firstFile), root, name, hides(path, firstFile)), tolerates: missing, jump: { when: '!=', to: next } },
    ...another(firstFile, 'file', next),
    ...anotherDirectory,
    next,
  ];
}

const missing = ['ENOENT', 'ENOTDIR'] as const;

function hides(path: string, { as }: Step): string {
  return `hide the ${as === 'empty' ? 'directory' : 'file'} ${path}`;
}

/** The next cover, after the last one has been attached. */
function another(first: Step, what: 'file' | 'directory', then?: Step): [Step, ...Step[]] {
  const copy: Step = {
    call: 'open_tree',
    args: [resultOf(first), '', CLONE | atFlags.AT_EMPTY_PATH],
    purpose: `a cover for the next ${what}`,
    as: 'next',
  };
  return [
    copy,
    closed(resultOf(first), 'the cover is where it belongs'),
    {
      call: 'add',
      args: [resultOf(copy), 0],
      purpose: 'the next one',
      ...(first.as !== undefined && { as: first.as }),
      ...(first.into && { into: first.into }),
      ...(then && { jump: { when: '!=', than: -1, to: then } }),
    },
  ];
}

/** statx(2), linux/stat.h: STATX_TYPE, STATX_MODE; struct statx: the upper byte of stx_mode, and stx_rdev_major and stx_rdev_minor as one number. */
const STATX_TYPE_AND_MODE = 3;
const STATX_BYTES = 256;
const MODE_UPPER = 0x1d;
const RDEV = 0x80;
/** A character device that its owner may read. */
const CHARACTER_DEVICE = (fileTypes.S_IFCHR | 0o400) >> 8;
/** Major 1, minor 3. */
const NULL_DEVICE = 1 + 3 * 2 ** 32;

function checkNullDevice(file: ResultOf, name: string): Step[] {
  const stat = new Memory(STATX_BYTES, 'stat');
  const wrong = fail(errnos.ENODEV, `${name} has to be the null device`, { ENODEV: `${name} is not the character device 1:3: nothing can be hidden with it` });
  const right = label(`${name} is the null device`);
  return [
    { call: 'statx', args: [file, '', atFlags.AT_EMPTY_PATH, STATX_TYPE_AND_MODE, stat], purpose: `is ${name} the null device?` },
    { call: 'add', args: [stat.u8(MODE_UPPER), 0], purpose: 'is it a character device?', jump: { when: '!=', than: CHARACTER_DEVICE, to: wrong } },
    { call: 'add', args: [stat.u64(RDEV), 0], purpose: 'is it 1:3?', jump: { when: '==', than: NULL_DEVICE, to: right } },
    wrong,
    right,
  ];
}
