import { AT_FDCWD, call, Fd, openFlags, openHow, resolveFlags, quote } from '@ctr/syscall';

/** linux/limits.h: NAME_MAX */
export const MAX_NAME_BYTES = 255;

/** Files of the kernel's: `cgroup.procs`, `memory.max`, `hugetlb.2MB.max`, … */
const controlFile =
  /^(?:tasks|notify_on_release|release_agent|(?:blkio|cgroup|cpu|cpuacct|cpuset|debug|devices|dmem|freezer|hugetlb|io|irq|memory|misc|net_cls|net_prio|perf_event|pids|rdma)\..*)$/;
/** What {@link groupName} makes, which no control file is called. */
const owned = /\.[1-9]\d*\.[0-9a-z]+(?:-[0-9a-z]+)?$/;

/** A path of a group, taken apart. */
export interface CgroupsPath {
  /** Whether it begins at the top of the mount, rather than at the group of this process. */
  readonly fromTop: boolean;
  readonly segments: readonly string[];
}

/**
 * Takes the path of a group apart, as `linux.cgroupsPath` of the OCI runtime specification means it: with a leading slash it begins at the top of the mount,
 * without one at a group that the runtime chooses, which here is that of this process. `/` and `.` are these themselves.
 * Throws a `TypeError` for one that cannot be: with `..` in it, a line break, the name of a control file, more than 255 bytes between two slashes.
 */
export function parseCgroupsPath(path: string): CgroupsPath {
  const fromTop = path.startsWith('/');
  if (path === '/' || path === '.') return { fromTop, segments: [] };
  const segments = (fromTop ? path.slice(1) : path).split('/');
  for (const segment of segments) checkSegment(segment);
  return { fromTop, segments };
}

/** Throws a `TypeError` if a text cannot be what stands between two slashes of the path of a group. */
export function checkSegment(segment: string): void {
  const shown = quote(segment);
  if (segment === '' || segment === '.' || segment === '..')
    throw new TypeError(`${shown} cannot name a group: a path of groups has names between single slashes, and leads downwards only`);
  // A line break would make /proc/PID/cgroup ambiguous; the others would do who knows what to a terminal.
  // oxlint-disable-next-line no-control-regex -- these are what it is about
  if (/[\x00-\x1f\x7f/]/.test(segment)) throw new TypeError(`${shown} cannot name a group: there are control characters or slashes in it`);
  if (Buffer.byteLength(segment) > MAX_NAME_BYTES) throw new TypeError(`${shown} cannot name a group: it is longer than ${MAX_NAME_BYTES} bytes`);
  if (controlFile.test(segment) && !owned.test(segment)) throw new TypeError(`${shown} cannot name a group: the kernel has control files of such names`);
}

/**
 * Opens the directory of a group as a place (O_PATH), below one that is there. What is on the way may be someone else's: no link is followed, no other file system is entered.
 * Throws a `SyscallError` (ENOENT, ELOOP, EXDEV).
 *
 * @see openat2(2): RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS
 */
export function openGroup(base: string, path = '.'): Fd {
  const { RESOLVE_BENEATH, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV } = resolveFlags;
  const flags = openFlags.O_PATH | openFlags.O_DIRECTORY | openFlags.O_CLOEXEC;
  const top = openHow({ flags, resolve: RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS });
  using at = new Fd(call({ call: 'openat2', args: [AT_FDCWD, base, top, top.byteLength], purpose: 'a group that is there' }), base);
  const below = openHow({ flags, resolve: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV });
  return new Fd(call({ call: 'openat2', args: [at, path, below, below.byteLength], purpose: 'the group below it' }), path === '.' ? base : `${base}/${path}`);
}
