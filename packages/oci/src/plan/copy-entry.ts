import {
  AT_FDCWD,
  atFlags,
  errnos,
  fail,
  fileTypes,
  label,
  Memory,
  openFlags,
  openHow,
  resolveFlags,
  resultOf,
  type Fd,
  type ResultOf,
  type Step,
} from '@ctr/syscall';

/** A part of a file that has content: the rest is a hole. */
export interface DataRange {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** A file of an image that is copied, as it was when it was opened. */
export interface Entry {
  /** Below the directory that is copied; bytes, with a NUL at the end. */
  readonly path: Uint8Array;
  /** The same, for messages. */
  readonly shown: string;
  /** Type and permissions. */
  readonly mode: number;
  /** As the copying process counts. */
  readonly uid: number;
  readonly gid: number;
  readonly rdev: bigint;
  readonly accessedNs: bigint;
  readonly modifiedNs: bigint;
  /** Opened without following links: an O_PATH handle. */
  readonly file: Fd;
  /** Where a symbolic link leads; bytes, with a NUL at the end. */
  readonly target?: Uint8Array;
  /** The path of the copy that is the same file by another name. */
  readonly linkedTo?: Uint8Array;
  /** The size, and what is not a hole, of a regular file that has holes. */
  readonly sparse?: { readonly sizeBytes: number; readonly ranges: readonly DataRange[] };
  /** Names are bytes, with a NUL at the end. */
  readonly attributes: readonly { readonly name: Uint8Array; readonly shown: string; readonly value: Uint8Array }[];
}

/** Where the copying process has the file that is found by its number: behind all files that its plan names. */
const NUMBERED = 200;
/** As much as one call copies: linux/fs.h, MAX_RW_COUNT. */
const MAX_BYTES = 0x7ffff000;
const TYPE = 0o170000;
const SLASH = 0x2f;
const WITHIN = resolveFlags.RESOLVE_BENEATH | resolveFlags.RESOLVE_NO_SYMLINKS | resolveFlags.RESOLVE_NO_MAGICLINKS | resolveFlags.RESOLVE_NO_XDEV;
const hints = {
  ENOSPC: 'the tmpfs is full: its options size and nr_inodes say how much it may hold',
  ENOMEM: "the memory limit of the container is reached: what is copied to a tmpfs counts as the container's memory",
  EACCES: 'root of the container may not read this',
  EPERM: 'root of the container may not do this',
} as const;

/** Copies one file to the same path below an open directory, which nobody else has changed. A directory gets its owner, its permissions and its times later: see {@link finishDirectory}. */
export function copyEntry(entry: Entry, to: Fd): Step[] {
  const { path, mode, shown, linkedTo } = entry;
  const place = placeOf(path, to, shown);
  if (linkedTo) {
    const first = placeOf(linkedTo, to, shown);
    const link: Step = { call: 'linkat', args: [first.parent, first.name, place.parent, place.name, 0], purpose: `link ${shown}`, hints };
    return [...first.open, ...place.open, link, ...first.close, ...place.close];
  }
  return [...place.open, ...copyTo(place, entry, mode & TYPE), ...place.close];
}

function copyTo(place: Place, entry: Entry, type: number): Step[] {
  const { parent, name } = place;
  const { shown, uid, gid } = entry;
  switch (type) {
    case fileTypes.S_IFDIR:
      return [{ call: 'mkdirat', args: [parent, name, 0o700], purpose: `make the directory ${shown}`, hints }, ...readable(entry)];
    case fileTypes.S_IFREG:
      return regular(entry, place);
    case fileTypes.S_IFLNK:
      return [
        { call: 'symlinkat', args: [entry.target ?? '', parent, name], purpose: `make the link ${shown}`, hints },
        {
          call: 'fchownat',
          args: [parent, name, uid, gid, atFlags.AT_SYMLINK_NOFOLLOW],
          purpose: `the owner of ${shown}`,
          tolerates: ['EINVAL'],
          hints,
        },
        { call: 'utimensat', args: [parent, name, timespecs(entry), atFlags.AT_SYMLINK_NOFOLLOW], purpose: `the times of ${shown}`, hints },
      ];
    default:
      return special(entry, place);
  }
}

/** A directory of the copy, and one name in it. */
interface Place {
  readonly open: readonly Step[];
  readonly parent: Fd | ResultOf;
  /** Bytes, with a NUL at the end. */
  readonly name: Uint8Array;
  readonly close: readonly Step[];
}

/** No call but openat2(2) gets a path of more than one name: the others would follow a symbolic link in it. */
function placeOf(path: Uint8Array, to: Fd, shown: string): Place {
  const slash = path.lastIndexOf(SLASH);
  if (slash < 0) return { open: [], parent: to, name: path, close: [] };
  const directory = Buffer.concat([path.subarray(0, slash), Buffer.alloc(1)]);
  const opened = openCopy(to, directory, openFlags.O_PATH | openFlags.O_DIRECTORY, `find the directory of ${shown}`, 'parent');
  const parent = resultOf(opened);
  return {
    open: [opened],
    parent,
    name: path.subarray(slash + 1),
    close: [{ call: 'close', args: [parent], purpose: 'the directory is not needed any more' }],
  };
}

/** Opens what has been copied: below the directory, on its mount, and by no symbolic link. */
function openCopy(at: Fd | ResultOf, path: Uint8Array, flags: number, purpose: string, as: string): Step {
  const how = openHow({ flags: flags | openFlags.O_NOFOLLOW | openFlags.O_CLOEXEC, resolve: WITHIN });
  return { call: 'openat2', args: [at, path, how, how.byteLength], purpose, as, hints };
}

/** Gives a copied directory its owner, its permissions and its times, once all is in it. */
export function finishDirectory(entry: Entry, to: Fd): Step[] {
  const opened = openCopy(to, entry.path, openFlags.O_RDONLY | openFlags.O_DIRECTORY, `finish the directory ${entry.shown}`, 'directory');
  return [opened, ...attributesOf(entry, opened), { call: 'close', args: [resultOf(opened)], purpose: 'it is done' }];
}

/** Whether the copying process itself may list a directory: who asks for its entries may have more rights. */
function readable({ file, shown }: Entry): Step[] {
  const open = reopen(shown, openFlags.O_DIRECTORY);
  return [...numbered(file), open, { call: 'close', args: [resultOf(open)], purpose: 'it may be listed' }];
}

function regular(entry: Entry, { parent, name }: Place): Step[] {
  const { shown, file, sparse } = entry;
  const from = reopen(shown, openFlags.O_NONBLOCK);
  const copy: Step = {
    call: 'openat',
    args: [parent, name, openFlags.O_WRONLY | openFlags.O_CREAT | openFlags.O_EXCL | openFlags.O_NOFOLLOW | openFlags.O_CLOEXEC, 0o600],
    purpose: `make the file ${shown}`,
    as: 'copy',
    hints,
  };
  const more = label(`copy more of ${shown}`);
  const whole: Step = {
    call: 'sendfile',
    args: [resultOf(copy), resultOf(from), null, MAX_BYTES],
    purpose: `copy ${shown}`,
    hints,
    jump: { when: '!=', to: more },
  };
  return [
    ...numbered(file),
    from,
    copy,
    ...(sparse ? copyRanges(sparse, from, copy, shown) : [more, whole]),
    ...attributesOf(entry, copy),
    { call: 'close', args: [resultOf(from)], purpose: 'it is copied' },
    { call: 'close', args: [resultOf(copy)], purpose: 'it is copied' },
  ];
}

/** A file that has become shorter meanwhile is an error, rather than one with other content than it ever had. */
function copyRanges({ sizeBytes, ranges }: NonNullable<Entry['sparse']>, from: Step, copy: Step, shown: string): Step[] {
  const all = ranges.flatMap(({ offset, sizeBytes: size }) =>
    Array.from({ length: Math.ceil(size / MAX_BYTES) }, (_, i) => ({ at: offset + i * MAX_BYTES, bytes: Math.min(MAX_BYTES, size - i * MAX_BYTES) })),
  );
  return [
    ...all.flatMap(({ at, bytes }): Step[] => {
      const done = label(`a part of ${shown} is copied`);
      return [
        { call: 'lseek', args: [resultOf(from), at, 0], purpose: `go to a part of ${shown}` },
        { call: 'lseek', args: [resultOf(copy), at, 0], purpose: 'leave a hole before it' },
        { call: 'sendfile', args: [resultOf(copy), resultOf(from), null, bytes], purpose: `copy ${shown}`, hints, jump: { when: '==', than: bytes, to: done } },
        fail(errnos.EIO, `copy ${shown}, which somebody writes to`),
        done,
      ];
    }),
    { call: 'ftruncate', args: [resultOf(copy), sizeBytes], purpose: 'with the hole at its end', hints },
  ];
}

/** A device that the container may not make is left out. */
function special(entry: Entry, { parent, name }: Place): Step[] {
  const { mode, rdev, shown, uid, gid } = entry;
  const done = label(`${shown} is there, if the container may make it`);
  const isDevice = (mode & TYPE) === fileTypes.S_IFCHR || (mode & TYPE) === fileTypes.S_IFBLK;
  const opened = openCopy(parent, name, openFlags.O_PATH, `find ${shown}`, 'special');
  const file = resultOf(opened);
  return [
    {
      call: 'mknodat',
      args: [parent, name, (mode & TYPE) | 0o600, rdev],
      purpose: `make ${shown}`,
      hints,
      ...(isDevice && { tolerates: ['EPERM'], jump: { when: '<', to: done } }),
    },
    opened,
    { call: 'fchownat', args: [file, '', uid, gid, atFlags.AT_EMPTY_PATH], purpose: `the owner of ${shown}`, tolerates: ['EINVAL'], hints },
    // fchmod(2) takes no O_PATH handle.
    ...numbered(file),
    { call: 'fchmodat', args: [AT_FDCWD, `/proc/self/fd/${NUMBERED}`, mode & 0o7777], purpose: `the permissions of ${shown}`, hints },
    { call: 'utimensat', args: [file, '', timespecs(entry), atFlags.AT_EMPTY_PATH], purpose: `the times of ${shown}`, hints },
    { call: 'close', args: [file], purpose: 'it is copied' },
    done,
  ];
}

/** In this order: a change of the owner takes set-id bits and file capabilities away. An id that cannot be given leaves the file with root of the container. */
function attributesOf(entry: Entry, opened: Step): Step[] {
  const { uid, gid, mode, attributes, shown } = entry;
  const file = resultOf(opened);
  return [
    { call: 'fchown', args: [file, uid, gid], purpose: `the owner of ${shown}`, tolerates: ['EINVAL'], hints },
    { call: 'fchmod', args: [file, mode & 0o7777], purpose: `the permissions of ${shown}`, hints },
    ...attributes.map(({ name, value, shown: attribute }): Step => {
      const tolerates = ['EOPNOTSUPP', 'EPERM', 'EINVAL', 'EACCES'] as const;
      return { call: 'fsetxattr', args: [file, name, value, value.byteLength, 0], purpose: `the attribute ${attribute} of ${shown}`, tolerates, hints };
    }),
    { call: 'utimensat', args: [file, null, timespecs(entry), 0], purpose: `the times of ${shown}`, hints },
  ];
}

function numbered(file: Fd | ResultOf): Step[] {
  return [{ call: 'dup3', args: [file, NUMBERED, openFlags.O_CLOEXEC], purpose: 'where it is found by its number' }];
}

/** By the file that is open: no name is looked up again. */
function reopen(shown: string, flags: number): Step {
  return {
    call: 'openat',
    args: [AT_FDCWD, `/proc/self/fd/${NUMBERED}`, openFlags.O_RDONLY | openFlags.O_CLOEXEC | flags, 0],
    purpose: `read ${shown}`,
    as: 'from',
    hints,
  };
}

/** struct timespec[2] of utimensat(2). */
function timespecs({ accessedNs, modifiedNs }: Entry): Memory {
  const second = 1_000_000_000n;
  // Times before 1970 have a negative number of seconds, and what is added to that is positive.
  const parts = [accessedNs, modifiedNs].flatMap((time) => {
    const nanoseconds = ((time % second) + second) % second;
    return [(time - nanoseconds) / second, nanoseconds];
  });
  return new Memory(new Uint8Array(BigInt64Array.from(parts).buffer), 'times');
}
