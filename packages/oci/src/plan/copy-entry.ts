import { AT_FDCWD, atFlags, errnos, fail, fileTypes, label, Memory, openFlags, resultOf, type Fd, type Step } from '@ctr/syscall';

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
  readonly attributes: readonly { readonly name: string; readonly value: Uint8Array }[];
}

/** Where the copying process has the file that is copied: behind all files that its plan names. */
const SOURCE = 200;
/** As much as one call copies: linux/fs.h, MAX_RW_COUNT. */
const MAX_BYTES = 0x7ffff000;
const TYPE = 0o170000;
const hints = {
  ENOSPC: 'the tmpfs is full: its options size and nr_inodes say how much it may hold',
  ENOMEM: "the memory limit of the container is reached: what is copied to a tmpfs counts as the container's memory",
  EACCES: 'root of the container may not read this',
  EPERM: 'root of the container may not do this',
} as const;

/** Copies one file to the same path below an open directory, which nobody else has changed. A directory gets its owner, its permissions and its times later: see {@link finishDirectory}. */
export function copyEntry(entry: Entry, to: Fd): Step[] {
  const { path, mode, shown } = entry;
  if (entry.linkedTo) return [{ call: 'linkat', args: [to, entry.linkedTo, to, path, 0], purpose: `link ${shown}`, hints }];
  switch (mode & TYPE) {
    case fileTypes.S_IFDIR:
      return [{ call: 'mkdirat', args: [to, path, 0o700], purpose: `make the directory ${shown}`, hints }, ...readable(entry)];
    case fileTypes.S_IFREG:
      return regular(entry, to);
    case fileTypes.S_IFLNK:
      return [
        { call: 'symlinkat', args: [entry.target ?? '', to, path], purpose: `make the link ${shown}`, hints },
        ...ownerOf(entry, to),
        ...timesOf(entry, to),
      ];
    default:
      return special(entry, to);
  }
}

/** Gives a copied directory its owner, its permissions and its times, once all is in it. */
export function finishDirectory(entry: Entry, to: Fd): Step[] {
  const opened: Step = {
    call: 'openat',
    args: [to, entry.path, openFlags.O_RDONLY | openFlags.O_DIRECTORY | openFlags.O_NOFOLLOW | openFlags.O_CLOEXEC, 0],
    purpose: `finish the directory ${entry.shown}`,
    as: 'directory',
    hints,
  };
  return [opened, ...attributesOf(entry, opened), { call: 'close', args: [resultOf(opened)], purpose: 'it is done' }];
}

/** Whether the copying process itself may list a directory: who asks for its entries may have more rights. */
function readable({ file, shown }: Entry): Step[] {
  const open = reopen(shown, openFlags.O_DIRECTORY);
  return [...asSource(file), open, { call: 'close', args: [resultOf(open)], purpose: 'it may be listed' }];
}

function regular(entry: Entry, to: Fd): Step[] {
  const { path, shown, file, sparse } = entry;
  const from = reopen(shown, openFlags.O_NONBLOCK);
  const copy: Step = {
    call: 'openat',
    args: [to, path, openFlags.O_WRONLY | openFlags.O_CREAT | openFlags.O_EXCL | openFlags.O_NOFOLLOW | openFlags.O_CLOEXEC, 0o600],
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
    ...asSource(file),
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
function special(entry: Entry, to: Fd): Step[] {
  const { path, mode, rdev, shown } = entry;
  const done = label(`${shown} is there, if the container may make it`);
  const isDevice = (mode & TYPE) === fileTypes.S_IFCHR || (mode & TYPE) === fileTypes.S_IFBLK;
  return [
    {
      call: 'mknodat',
      args: [to, path, (mode & TYPE) | 0o600, rdev],
      purpose: `make ${shown}`,
      hints,
      ...(isDevice && { tolerates: ['EPERM'], jump: { when: '<', to: done } }),
    },
    ...ownerOf(entry, to),
    { call: 'fchmodat', args: [to, path, mode & 0o7777], purpose: `the permissions of ${shown}`, hints },
    ...timesOf(entry, to),
    done,
  ];
}

function ownerOf({ path, uid, gid, shown }: Entry, to: Fd): Step[] {
  return [{ call: 'fchownat', args: [to, path, uid, gid, atFlags.AT_SYMLINK_NOFOLLOW], purpose: `the owner of ${shown}`, tolerates: ['EINVAL'], hints }];
}

function timesOf(entry: Entry, to: Fd): Step[] {
  return [{ call: 'utimensat', args: [to, entry.path, timespecs(entry), atFlags.AT_SYMLINK_NOFOLLOW], purpose: `the times of ${entry.shown}`, hints }];
}

/** In this order: a change of the owner takes set-id bits and file capabilities away. An id that cannot be given leaves the file with root of the container. */
function attributesOf(entry: Entry, opened: Step): Step[] {
  const { uid, gid, mode, attributes, shown } = entry;
  const file = resultOf(opened);
  return [
    { call: 'fchown', args: [file, uid, gid], purpose: `the owner of ${shown}`, tolerates: ['EINVAL'], hints },
    { call: 'fchmod', args: [file, mode & 0o7777], purpose: `the permissions of ${shown}`, hints },
    ...attributes.map(({ name, value }): Step => {
      const tolerates = ['EOPNOTSUPP', 'EPERM', 'EINVAL', 'EACCES'] as const;
      return { call: 'fsetxattr', args: [file, name, value, value.byteLength, 0], purpose: `the attribute ${name} of ${shown}`, tolerates, hints };
    }),
    { call: 'utimensat', args: [file, null, timespecs(entry), 0], purpose: `the times of ${shown}`, hints },
  ];
}

function asSource(file: Fd): Step[] {
  return [{ call: 'dup3', args: [file, SOURCE, openFlags.O_CLOEXEC], purpose: 'where it is found by its number' }];
}

/** By the file that is open: no name is looked up again. */
function reopen(shown: string, flags: number): Step {
  return {
    call: 'openat',
    args: [AT_FDCWD, `/proc/self/fd/${SOURCE}`, openFlags.O_RDONLY | openFlags.O_CLOEXEC | flags, 0],
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
