import { fstatSync, opendirSync, readFileSync, type BigIntStats } from 'node:fs';

import type { Place } from '@ctr/cgroups';
import { join } from '@ctr/namespaces';
import { becomeUser, capabilityNames, capabilitySets, dumpable, oomScoreAdj, readCapabilities } from '@ctr/security';
import { call, callInto, dieWithHost, Fd, fileTypes, launch, Memory, openFd, openFlags, openHow, resolveFlags, type Step } from '@ctr/syscall';

import { copyEntry, finishDirectory, type Entry } from '../plan/copy-entry.js';
import { joinGroup } from '../plan/into-container.js';
import { dataRanges, extendedAttributes } from './file-content.js';
import { mapAcl, type MappedIds } from './posix-acl.js';
import { NO_TIMEOUT_MS } from './no-timeout.js';

/** What is copied, and in whose name. */
export interface CopyUpOptions {
  /** What the image has: an open directory. */
  readonly from: Fd;
  /** The open root of a new tmpfs, in which nothing is mounted. */
  readonly to: Fd;
  /** The container's first process. */
  readonly pid: number;
  readonly ownUsers: boolean;
  /** Whether the container has CAP_MKNOD: without it devices of the image are left out. */
  readonly makesDevices: boolean;
  /** The container's cgroup. */
  readonly places: readonly Place[];
  readonly cancelSignal: AbortSignal;
}

/** So many files are copied by one process: each of them is open. */
const BATCH = 64;
/** So many bytes of extended attributes are kept for it, and those of one more file. */
const BATCH_ATTRIBUTE_BYTES = 4 * 2 ** 20;
/** So much of this process's memory what is kept of an image may take, beside what a batch has: directories until all is in them, files of several names, the names in a directory. */
const MAX_KEPT_BYTES = 128 * 2 ** 20;
/** What each of them takes beside its bytes, at most. */
const KEPT_BYTES = 256;
/** Who is not mapped where the caller is: (uid_t) -1. */
const NOT_MAPPED = 0xffffffff;
const PATH_BYTES = 4096;
const TYPE = 0o170000;
const SET_ID = 0o6000;
const ACCESS_ACL = 'system.posix_acl_access';
const acls: ReadonlySet<string> = new Set([ACCESS_ACL, 'system.posix_acl_default']);
const unlinked: ReadonlySet<number> = new Set([fileTypes.S_IFDIR, fileTypes.S_IFCHR, fileTypes.S_IFBLK]);
/** proc_pid_oom_score_adj(5) */
const MAX_OOM_SCORE = 1000;
/** Who owns, in a user namespace, what belongs to nobody there: /proc/sys/kernel/overflowuid. */
const NOBODY = 65_534;
const BENEATH = resolveFlags.RESOLVE_BENEATH | resolveFlags.RESOLVE_NO_SYMLINKS | resolveFlags.RESOLVE_NO_MAGICLINKS;

/**
 * Copies all that is in a directory of an image to a tmpfs that covers it: types, owners, permissions, times, extended attributes, hard links and holes as they are.
 *
 * Each file is opened once, below the directory and without following links, and copied as what it is then, whatever is renamed meanwhile. The copies are made by processes in the container's cgroup
 * and its user namespace: what they read is read with the container's rights, and what they write counts as the container's memory.
 *
 * Rejects with a `SyscallError` that names the file (ENOSPC, EACCES, ENAMETOOLONG for a path of more than 4095 bytes), and with an `Error` if the memory limit was hit, or the image has more
 * directories, hard links or names in a directory than 128 MiB of this process's memory have room for.
 */
export async function copyUp(options: CopyUpOptions): Promise<void> {
  const { from, to, pid, ownUsers } = options;
  using users = ownUsers ? openFd(`/proc/${pid}/ns/user`, { flags: openFlags.O_RDONLY }) : undefined;
  using copier = new Copier(options, users);
  // A list that grows while it is gone through: each directory comes after the one that it is in.
  const directories: Directory[] = [];
  {
    using itself = openBelow(from, TOP, openFlags.O_DIRECTORY);
    directories.push(kept(entryOf(itself, TOP, copier), copier));
  }
  for (const directory of directories) {
    using place = openBelow(from, bytesOf(directory.path), openFlags.O_DIRECTORY);
    for (const name of names(place, copier)) {
      const path = directory === directories[0] ? name : Buffer.from(`${directory.path}/${name.toString('latin1')}`, 'latin1');
      const entry = entryOf(openBelow(place, name, openFlags.O_NOFOLLOW), path, copier);
      if ((entry.mode & TYPE) === fileTypes.S_IFDIR) directories.push(kept(entry, copier));
      await copier.add(copyEntry(entry, to), entry);
    }
  }
  // What is made in a directory changes its times. The mode of the tmpfs itself is what its options say.
  const { mode } = fstatSync(to.number);
  for (const directory of directories.toReversed()) {
    // Their attributes are read now: those of all directories are not kept at a time.
    const path = bytesOf(directory.path);
    const file = openBelow(from, path, openFlags.O_DIRECTORY);
    const shown = shownOf(path);
    const attributes = copier.attributes(file, shown, directory === directories[0] ? mode : directory.mode);
    const entry = { ...directory, ...attributes, path, shown, file, rdev: 0n };
    await copier.add(finishDirectory(entry, to), entry);
  }
  await copier.flush();
}

const TOP = Buffer.from('.');

/** What is kept of a directory until all is in it. A small Buffer keeps 8 KiB of others with it: bytes are kept as text. */
interface Directory extends Pick<Entry, 'mode' | 'uid' | 'gid' | 'accessedNs' | 'modifiedNs'> {
  /** Its bytes, without the NUL. */
  readonly path: string;
}

function kept({ path, mode, uid, gid, accessedNs, modifiedNs }: Entry, copier: Copier): Directory {
  copier.keep(path.byteLength);
  return { path: textOf(path), mode, uid, gid, accessedNs, modifiedNs };
}

/** The bytes of a path, which ends with a NUL, as text. */
function textOf(path: Uint8Array): string {
  return Buffer.from(path.buffer, path.byteOffset, path.byteLength - 1).toString('latin1');
}

function bytesOf(path: string): Buffer {
  return Buffer.from(`${path}\0`, 'latin1');
}

/** Has files copied, by one process for many of them, and knows which were copied already. */
class Copier implements Disposable {
  readonly #options: CopyUpOptions;
  readonly #users: Fd | undefined;
  readonly #maps: { readonly uids: IdRanges; readonly gids: IdRanges } | undefined;
  readonly #linked = new Map<string, string>();
  #steps: Step[] = [];
  #files: Fd[] = [];
  #count = 0;
  #attributeBytes = 0;
  #keptBytes = 0;
  readonly #ids: MappedIds;

  constructor(options: CopyUpOptions, users: Fd | undefined) {
    this.#options = options;
    this.#users = users;
    const inside = (ranges: IdRanges | undefined, id: number): number | undefined => (id === NOT_MAPPED ? undefined : ranges ? idInside(ranges, id) : id);
    this.#ids = { uid: (id) => inside(this.#maps?.uids, id), gid: (id) => inside(this.#maps?.gids, id) };
    this.#maps = users && { uids: idRanges(`/proc/${options.pid}/uid_map`), gids: idRanges(`/proc/${options.pid}/gid_map`) };
  }

  /** Throws an `Error` if that is more than may be kept. @param bytes what is kept now, or with a negative sign is not any more */
  keep(bytes: number): void {
    this.#keptBytes += bytes < 0 ? bytes - KEPT_BYTES : bytes + KEPT_BYTES;
    if (this.#keptBytes > MAX_KEPT_BYTES)
      throw new Error(
        `what the image has cannot be copied to a tmpfs (tmpcopyup): its directories, hard links and names take more than ${MAX_KEPT_BYTES} bytes of memory while they are copied: mount the tmpfs without tmpcopyup`,
      );
  }

  /** The ids as the container counts them. A file of somebody who is not there is nobody's, and gives no rights to who executes it. */
  owner({ uid, gid, mode }: BigIntStats): { readonly uid: number; readonly gid: number; readonly mode: number } {
    const ids = { uid: Number(uid), gid: Number(gid), mode: Number(mode) };
    if (!this.#maps) return ids;
    const inside = { uid: idInside(this.#maps.uids, ids.uid), gid: idInside(this.#maps.gids, ids.gid) };
    if (inside.uid !== undefined && inside.gid !== undefined) return { uid: inside.uid, gid: inside.gid, mode: ids.mode };
    return { uid: inside.uid ?? NOBODY, gid: inside.gid ?? NOBODY, mode: ids.mode & ~SET_ID };
  }

  /** The extended attributes as the container has them, and a mode that gives nobody more if the tmpfs does not take the access control list. */
  attributes(file: Fd, shown: string, mode: number): Pick<Entry, 'attributes' | 'mode'> {
    let narrowed = mode;
    const attributes = extendedAttributes(file, shown).flatMap((attribute) => {
      if (!acls.has(attribute.shown)) return [attribute];
      const acl = mapAcl(attribute.value, this.#ids);
      if (!acl) return [];
      // In the mode of a file that has a list, the mask stands for the group.
      if (attribute.shown === ACCESS_ACL) narrowed = (mode & ~0o77) | (acl.group << 3) | (mode & acl.other);
      return [{ ...attribute, value: acl.value }];
    });
    return { attributes, mode: narrowed };
  }

  /** The path of the first copy of a file that has several names. */
  linkedTo({ dev, ino, nlink, mode }: BigIntStats, path: Uint8Array): Uint8Array | undefined {
    // A device may have been left out.
    if (nlink < 2n || unlinked.has(Number(mode) & TYPE)) return undefined;
    const key = `${dev}:${ino}`;
    const first = this.#linked.get(key);
    if (first === undefined) {
      this.keep(path.byteLength);
      this.#linked.set(key, textOf(path));
    }
    return first === undefined ? undefined : bytesOf(first);
  }

  async add(steps: readonly Step[], { file, attributes }: Entry): Promise<void> {
    this.#steps.push(...steps);
    this.#files.push(file);
    this.#attributeBytes += attributes.reduce((sum, { name, value }) => sum + name.byteLength + value.byteLength, 0);
    if (++this.#count >= BATCH || this.#attributeBytes >= BATCH_ATTRIBUTE_BYTES) await this.flush();
  }

  /** Has what was added copied. */
  async flush(): Promise<void> {
    const { places, cancelSignal, makesDevices } = this.#options;
    // Root of a new user namespace has all of them there.
    const own: readonly string[] = this.#users ? capabilityNames : readCapabilities('self').permitted;
    const capabilities = capabilityNames.filter((name) => own.includes(name) && (makesDevices || name !== 'CAP_MKNOD'));
    const plan: Step[] = [
      ...places.flatMap((place) => joinGroup(place, '')),
      // Rather this process than the one that is to be the program.
      ...oomScoreAdj(MAX_OOM_SCORE),
      ...(this.#users ? [...dumpable(false), ...join(this.#users, 'user'), ...becomeUser({ uid: 0, gid: 0 })] : []),
      ...capabilitySets({ permitted: capabilities, effective: capabilities }),
      // Last, since the kernel takes the tie back at a change of user.
      ...dieWithHost(),
      { call: 'umask', args: [0], purpose: 'permissions are as they are given' },
      ...this.#steps,
      { call: 'exit_group', args: [0], purpose: 'it is copied' },
    ];
    const child = await launch(plan, { stdio: ['ignore', 'ignore', 'ignore'], setupTimeoutMs: NO_TIMEOUT_MS, cancelSignal });
    const { code, signal } = await child.exited;
    if (signal === 'SIGKILL' && !cancelSignal.aborted)
      throw new Error(
        "what the image has cannot be copied to a tmpfs (tmpcopyup): the process that copies was killed, as the kernel does when the container's memory limit is reached: raise linux.resources.memory.limit, or mount the tmpfs without tmpcopyup",
      );
    if (code !== 0) throw new Error(`what the image has cannot be copied to a tmpfs (tmpcopyup): the process that copies ended by ${signal ?? code}`);
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    for (const file of this.#files) file.close();
    this.#files = [];
    this.#steps = [];
    this.#count = 0;
    this.#attributeBytes = 0;
  }
}

/** What is known of an open file; that stays open. */
function entryOf(file: Fd, name: Uint8Array, copier: Copier): Entry {
  const stat = fstatSync(file.number, { bigint: true });
  const path = Buffer.concat([name, Buffer.alloc(1)]);
  const linkedTo = copier.linkedTo(stat, path);
  const type = Number(stat.mode) & TYPE;
  const sparse = type === fileTypes.S_IFREG ? dataRanges(file, stat) : undefined;
  const shown = shownOf(path);
  const owner = copier.owner(stat);
  // Those of a directory are read when all is in it.
  const isEarly = type !== fileTypes.S_IFLNK && type !== fileTypes.S_IFDIR;
  return {
    path,
    shown,
    ...owner,
    rdev: stat.rdev,
    accessedNs: stat.atimeNs,
    modifiedNs: stat.mtimeNs,
    file,
    ...(type === fileTypes.S_IFLNK && { target: targetOf(file) }),
    ...(linkedTo && { linkedTo }),
    ...(sparse && { sparse }),
    ...(isEarly ? copier.attributes(file, shown, owner.mode) : { attributes: [] }),
  };
}

/** @param path ends with a NUL */
function shownOf(path: Uint8Array): string {
  return JSON.stringify(Buffer.from(path.subarray(0, -1)).toString());
}

/** Below the directory, by no link. */
function openBelow(directory: Fd, path: Uint8Array, flags: number): Fd {
  const how = openHow({ flags: openFlags.O_PATH | openFlags.O_CLOEXEC | flags, resolve: BENEATH });
  const shown = Buffer.from(path).toString();
  const terminated = path.at(-1) === 0 ? path : Buffer.concat([path, Buffer.alloc(1)]);
  const purpose = `find ${JSON.stringify(shown)} in what is copied to a tmpfs (tmpcopyup)`;
  return new Fd(call({ call: 'openat2', args: [directory, terminated, how, how.byteLength], purpose }), shown);
}

/** The names in a directory, as bytes. One that is renamed meanwhile may be listed twice. */
function* names(directory: Fd, copier: Copier): Generator<Buffer> {
  const seen = new Set<string>();
  const list = opendirSync(`/proc/self/fd/${directory.number}`, { encoding: 'latin1' });
  try {
    for (let found = list.readSync(); found; found = list.readSync()) {
      if (seen.has(found.name)) continue;
      copier.keep(found.name.length);
      seen.add(found.name);
      yield Buffer.from(found.name, 'latin1');
    }
  } finally {
    for (const name of seen) copier.keep(-name.length);
    list.closeSync();
  }
}

function targetOf(link: Fd): Uint8Array {
  const target = new Memory(PATH_BYTES, 'target');
  const { result, bytes } = callInto({ call: 'readlinkat', args: [link, '', target, PATH_BYTES], purpose: 'where a link leads' }, target);
  return Buffer.concat([bytes.subarray(0, result), Buffer.alloc(1)]);
}

type IdRanges = readonly (readonly [inside: number, outside: number, count: number])[];

/** @see user_namespaces(7): /proc/PID/uid_map */
function idRanges(file: string): IdRanges {
  const lines = readFileSync(file, 'latin1').trim().split('\n');
  return lines.map((line) => {
    const [inside = 0, outside = 0, count = 0] = line.trim().split(/ +/).map(Number);
    return [inside, outside, count];
  });
}

function idInside(ranges: IdRanges, id: number): number | undefined {
  const range = ranges.find(([, outside, count]) => id >= outside && id < outside + count);
  return range && range[0] + id - range[1];
}
