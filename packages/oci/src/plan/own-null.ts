import type { Stats } from 'node:fs';

import { AT_FDCWD, atFlags, fileTypes, label, Memory, openFlags, openHow, resolveFlags, resultOf, type ResultOf, type Step } from '@ctr/syscall';

/** The null device is the character device 1:3: Documentation/admin-guide/devices.txt of the kernel, and its number as stat(2) has it. */
const NULL_RDEV = 0x103;
/** struct statx of linux/stat.h: the upper byte of stx_mode, and stx_rdev_major and stx_rdev_minor as one number. */
const STATX_TYPE_AND_MODE = 3;
const STATX_BYTES = 256;
const MODE_UPPER = 0x1d;
const RDEV = 0x80;
const NULL_MAJOR_AND_MINOR = 1 + 3 * 2 ** 32;
/** The type of a file is the upper half of that byte. */
const CHARACTER_DEVICE = fileTypes.S_IFCHR >> 8;
const NEXT_TYPE = CHARACTER_DEVICE + 0x10;

/** Whether a file is the null device. */
export function isNullDevice(stat: Stats | undefined): boolean {
  return stat !== undefined && stat.isCharacterDevice() && stat.rdev === NULL_RDEV;
}

/**
 * Puts the null device of the container in the place of standard streams, for a process that is at the container's root: fchmod(2) of a stream then changes a file of the container.
 * No symbolic link is followed, and what is no null device is not opened; the streams stay as they are then.
 *
 * @see openat2(2): RESOLVE_NO_SYMLINKS, which implies RESOLVE_NO_MAGICLINKS
 */
export function ownNull(fds: readonly number[]): Step[] {
  if (fds.length === 0) return [];
  const done = label('the standard streams are settled');
  const place = open(openFlags.O_PATH, 'the null device of the container', 'null', done);
  const file = open(openFlags.O_RDWR | openFlags.O_NOCTTY, 'open it', 'own-null', done);
  return [
    place,
    ...unlessNull(resultOf(place), done),
    file,
    // Somebody may have put another in its place meanwhile.
    ...unlessNull(resultOf(file), done),
    ...fds.map((fd): Step => ({ call: 'dup3', args: [resultOf(file), fd, 0], purpose: `stream ${fd} is the null device of the container` })),
    done,
  ];
}

function open(flags: number, purpose: string, as: string, otherwise: Step): Step {
  const how = openHow({ flags: flags | openFlags.O_CLOEXEC, resolve: resolveFlags.RESOLVE_NO_SYMLINKS | resolveFlags.RESOLVE_NO_MAGICLINKS });
  return {
    call: 'openat2',
    args: [AT_FDCWD, '/dev/null', how, how.byteLength],
    purpose,
    as,
    tolerates: 'any',
    jump: { when: '<', than: 0, to: otherwise },
  };
}

function unlessNull(file: ResultOf, otherwise: Step): Step[] {
  const stat = new Memory(STATX_BYTES, 'stat');
  const type = stat.u8(MODE_UPPER);
  const isCharacterDevice = label('it is a character device');
  return [
    { call: 'statx', args: [file, '', atFlags.AT_EMPTY_PATH, STATX_TYPE_AND_MODE, stat], purpose: 'is it the null device?' },
    { call: 'add', args: [type, 0], purpose: 'is it a character device?', jump: { when: '<', than: CHARACTER_DEVICE, to: otherwise } },
    { call: 'add', args: [type, 0], purpose: 'is it a character device?', jump: { when: '<', than: NEXT_TYPE, to: isCharacterDevice } },
    { call: 'add', args: [0, 0], purpose: 'it is not', jump: { when: '==', to: otherwise } },
    isCharacterDevice,
    { call: 'add', args: [stat.u64(RDEV), 0], purpose: 'is it 1:3?', jump: { when: '!=', than: NULL_MAJOR_AND_MINOR, to: otherwise } },
  ];
}
