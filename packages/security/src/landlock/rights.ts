import { landlockAccessFs, type landlockAccessNet, type landlockRestrictFlags, type landlockScopes } from '@ctr/syscall';

import { checkWord } from '../check.js';

/** One right to files, by the kernel's name without `LANDLOCK_ACCESS_FS_`: `READ_FILE`. */
export type LandlockAccess = keyof typeof landlockAccessFs extends infer Name ? (Name extends `LANDLOCK_ACCESS_FS_${infer Right}` ? Right : never) : never;

/** A group of rights to files; {@link landlockGroups} says which. */
export type LandlockGroup = 'read' | 'write' | 'execute' | 'ioctl' | 'connect';

/**
 * What each group of rights stands for. `MAKE_CHAR` and `MAKE_BLOCK` are in none: who may make device nodes is to be named.
 *
 * - `read`: read files, list directories
 * - `write`: write, truncate, make, remove, rename and link files, directories, symbolic links, FIFOs and sockets, between directories too
 * - `execute`: execute files, together with `read`: the kernel reads the program, and the program its libraries
 * - `ioctl`: drive devices by ioctl(2)
 * - `connect`: connect to the sockets of processes outside
 *
 * @see landlock(7)
 * @example
 * ```ts
 * import { landlockGroups } from '@ctr/security';
 * console.log(landlockGroups.read); // [ 'READ_FILE', 'READ_DIR' ]
 * ```
 */
export const landlockGroups: Readonly<Record<LandlockGroup, readonly LandlockAccess[]>> = Object.freeze({
  read: ['READ_FILE', 'READ_DIR'],
  write: ['WRITE_FILE', 'TRUNCATE', 'MAKE_REG', 'MAKE_DIR', 'MAKE_SYM', 'MAKE_FIFO', 'MAKE_SOCK', 'REMOVE_FILE', 'REMOVE_DIR', 'REFER'],
  execute: ['EXECUTE'],
  ioctl: ['IOCTL_DEV'],
  connect: ['RESOLVE_UNIX'],
});

/** What Landlock can be asked for, by the kernel's name: rights, scopes and flags. */
export type LandlockFeature = keyof typeof landlockAccessFs | keyof typeof landlockAccessNet | keyof typeof landlockScopes | keyof typeof landlockRestrictFlags;

/** Documentation/userspace-api/landlock.rst: the ABI in which each has come, if not in the first. */
const sinceAbi: Partial<Record<LandlockFeature, number>> = {
  LANDLOCK_ACCESS_FS_REFER: 2,
  LANDLOCK_ACCESS_FS_TRUNCATE: 3,
  LANDLOCK_ACCESS_NET_BIND_TCP: 4,
  LANDLOCK_ACCESS_NET_CONNECT_TCP: 4,
  LANDLOCK_ACCESS_FS_IOCTL_DEV: 5,
  LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET: 6,
  LANDLOCK_SCOPE_SIGNAL: 6,
  LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF: 7,
  LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON: 7,
  LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF: 7,
  LANDLOCK_RESTRICT_SELF_TSYNC: 8,
  LANDLOCK_ACCESS_FS_RESOLVE_UNIX: 9,
  LANDLOCK_ACCESS_NET_BIND_UDP: 10,
  LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP: 10,
};

/** The version of Linux that each ABI has come with, from the first on. */
const versions = ['5.13', '5.19', '6.2', '6.7', '6.10', '6.12', '6.15', '7.0', '7.1', '7.2'];

/** The rights to ports, by protocol and by what is done with them. */
export const portRights = {
  tcp: { bind: 'LANDLOCK_ACCESS_NET_BIND_TCP', connect: 'LANDLOCK_ACCESS_NET_CONNECT_TCP' },
  udp: { bind: 'LANDLOCK_ACCESS_NET_BIND_UDP', connect: 'LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP' },
} as const;

const { EXECUTE, WRITE_FILE, READ_FILE, TRUNCATE, IOCTL_DEV, RESOLVE_UNIX } = shortNames();
/** The rights that a rule on a file may allow: the others are for directories (security/landlock/fs.c). */
export const FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV | RESOLVE_UNIX;

/** The ABI from which on something is offered. */
export function abiOf(feature: LandlockFeature): number {
  return sinceAbi[feature] ?? 1;
}

/** What a feature needs, for a message: `LANDLOCK_ACCESS_FS_TRUNCATE needs ABI 3 (Linux 6.2)`. */
export function needOf(feature: LandlockFeature): string {
  const abi = abiOf(feature);
  return `${feature} needs ABI ${abi} (Linux ${versions[abi - 1]})`;
}

/** The rights behind names and groups, by the kernel's names. Throws a `RangeError` for what is neither. */
export function accessesOf(what: string, names: readonly (LandlockAccess | LandlockGroup)[]): Set<keyof typeof landlockAccessFs> {
  const known = { ...landlockGroups, ...shortNames() };
  const found = new Set<keyof typeof landlockAccessFs>();
  for (const name of names) {
    checkWord(`${what}: there is no right`, name, known);
    for (const access of isGroup(name) ? landlockGroups[name] : [name]) found.add(`LANDLOCK_ACCESS_FS_${access}`);
  }
  return found;
}

function isGroup(name: LandlockAccess | LandlockGroup): name is LandlockGroup {
  return Object.hasOwn(landlockGroups, name);
}

/** The rights to files, by the names without their prefix. */
function shortNames(): Record<LandlockAccess, number> {
  return Object.fromEntries(Object.entries(landlockAccessFs).map(([name, bits]) => [name.slice('LANDLOCK_ACCESS_FS_'.length), bits])) as Record<
    LandlockAccess,
    number
  >;
}
