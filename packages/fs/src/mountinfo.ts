import { readFile } from 'node:fs/promises';

import { quote } from '@ctr/syscall';
import { checkInteger } from './check.js';

/** One mount of a mount namespace, as the kernel tells of it. */
export interface Mount {
  /** Unique as long as the mount exists; used again later. */
  readonly id: number;
  /** The mount it is attached to; itself, or one that is out of sight, for the topmost. */
  readonly parent: number;
  /** The device number of the files: `st_dev` of stat(2). */
  readonly major: number;
  readonly minor: number;
  /** Which directory or file of the file system is its root: `/` unless it is a bind of a part. */
  readonly root: string;
  /** Where it is attached, seen from the root of the process. */
  readonly mountPoint: string;
  /** Attributes of this mount: `ro`, `nosuid`, … */
  readonly options: readonly string[];
  readonly propagation: MountPropagation;
  /** The type of the file system, with a subtype where it has one: `fuse.sshfs`. */
  readonly type: string;
  /** What was mounted: a device, or any text. */
  readonly source: string;
  /** Options of the file system, for all its mounts: `rw`, `size=65536k`, … Most file systems do not tell a comma of a value from one between two options. */
  readonly superOptions: readonly string[];
}

/** How mounts spread from and to a mount: the numbers of peer groups. A private mount has none. */
export interface MountPropagation {
  /** The group of peers it exchanges mounts with. */
  readonly shared?: number;
  /** The group it receives mounts from, as a slave. */
  readonly master?: number;
  /** The nearest group above `master` that is in sight. */
  readonly propagateFrom?: number;
  readonly unbindable?: true;
}

/**
 * The mounts of a process's mount namespace, in the order of the kernel's list: a mount comes after the one that it covers at the same place.
 *
 * When not to use this:
 * 1. to find out whether a path is a mount point: statx(2) says so (STATX_ATTR_MOUNT_ROOT), and does not depend on spelling
 * 2. to find the file system of a file: statfs(2) of it
 * 3. to change attributes of all mounts below a place: {@link setAttributes} with `recursive` does that in one step, with no mount slipping in between
 * 4. to check a path before it is mounted on: it may be another one by then; use {@link inRoot}
 * 5. often, on a machine with thousands of mounts: the kernel writes the whole list anew each time
 *
 * The list is not one moment's picture if it changes while it is read. Mounts out of reach of the process's root are not in it.
 *
 * Rejects with ENOENT for a process that does not exist, EACCES for one that may not be looked into, and with EINVAL for one that has ended.
 *
 * @param pid whose mounts; by default this process's own
 * @see proc_pid_mountinfo(5)
 * @example
 * ```ts
 * import { mounts } from '@ctr/fs';
 * const temporary = (await mounts()).filter(({ type }) => type === 'tmpfs');
 * ```
 */
export async function mounts(pid?: number): Promise<Mount[]> {
  if (pid !== undefined) checkInteger('pid', pid, 1);
  return parseMountinfo(await readFile(`/proc/${pid ?? 'self'}/mountinfo`, 'utf8'));
}

/**
 * Parses the text of `/proc/PID/mountinfo`, which a test or a bug report may have kept.
 * Throws an `Error` that quotes a line that is not understood. Bytes of a path that are no UTF-8 are replaced by U+FFFD when it is read as text.
 *
 * @example
 * ```ts
 * import { parseMountinfo } from '@ctr/fs';
 * const [mount] = parseMountinfo('36 35 98:0 / /my\\040disk rw,noatime shared:1 - ext3 /dev/root rw\n');
 * console.log(mount?.mountPoint, mount?.propagation.shared); // /my disk 1
 * ```
 */
export function parseMountinfo(text: string): Mount[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(parseLine);
}

/**
 * proc_pid_mountinfo(5), one line:
 *
 *     36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
 *     (1)(2)(3)   (4)   (5)      (6)      (7)   (8) (9)   (10)         (11)
 *
 * (1) id  (2) id of the parent  (3) major:minor  (4) root  (5) mount point  (6) options  (7) any number of optional fields, `tag` or `tag:value`
 * (8) end of these  (9) type  (10) source, which may be empty  (11) options of the file system
 */
function parseLine(line: string): Mount {
  const fields = line.split(' ');
  const end = fields.indexOf('-', 6);
  const [id, parent, device, root, mountPoint, options] = fields;
  const [type, source, superOptions] = fields.slice(end + 1);
  const numbers = /^(\d+):(\d+)$/.exec(device ?? '');
  if (end < 0 || !/^\d+$/.test(id ?? '') || !/^\d+$/.test(parent ?? '') || !numbers || superOptions === undefined)
    throw new Error(`not a line of mountinfo: ${quote(line)}`);
  return {
    id: Number(id),
    parent: Number(parent),
    major: Number(numbers[1]),
    minor: Number(numbers[2]),
    root: unescape(root),
    mountPoint: unescape(mountPoint),
    options: (options ?? '').split(','),
    propagation: parsePropagation(fields.slice(6, end)),
    type: unescape(type),
    source: unescape(source),
    // A file system that writes a comma of a value as `\054` means it to be told from one between two options.
    superOptions: superOptions.split(',').map(unescape),
  };
}

function parsePropagation(fields: readonly string[]): MountPropagation {
  const group = (tag: string): number | undefined => {
    const field = fields.find((text) => text.startsWith(`${tag}:`));
    return field === undefined ? undefined : Number(field.slice(tag.length + 1));
  };
  const [shared, master, propagateFrom] = [group('shared'), group('master'), group('propagate_from')];
  return {
    ...(shared !== undefined && { shared }),
    ...(master !== undefined && { master }),
    ...(propagateFrom !== undefined && { propagateFrom }),
    ...(fields.includes('unbindable') && { unbindable: true }),
  };
}

/** The kernel writes space, tab, newline, backslash and, in a source, `#` as a backslash and three octal digits. */
function unescape(field: string | undefined = ''): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
