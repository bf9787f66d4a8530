import { cloneFlags, quote } from '@ctr/syscall';

/** A kind of namespace, by the name that namespaces(7) heads its section with; `/proc/PID/ns` calls `mount` `mnt`. */
export type Namespace = 'user' | 'mount' | 'pid' | 'net' | 'uts' | 'ipc' | 'cgroup' | 'time';

/** Flag of linux/sched.h, and file name in /proc/PID/ns. In the order in which one process joins them: user first, for the right to join the others. */
const kinds: Readonly<Record<Namespace, { readonly flag: number; readonly file: string }>> = {
  user: { flag: cloneFlags.CLONE_NEWUSER, file: 'user' },
  mount: { flag: cloneFlags.CLONE_NEWNS, file: 'mnt' },
  uts: { flag: cloneFlags.CLONE_NEWUTS, file: 'uts' },
  ipc: { flag: cloneFlags.CLONE_NEWIPC, file: 'ipc' },
  net: { flag: cloneFlags.CLONE_NEWNET, file: 'net' },
  cgroup: { flag: cloneFlags.CLONE_NEWCGROUP, file: 'cgroup' },
  time: { flag: cloneFlags.CLONE_NEWTIME, file: 'time' },
  pid: { flag: cloneFlags.CLONE_NEWPID, file: 'pid' },
};

/** Other names of the same thing: the files of /proc/PID/ns and the OCI runtime-spec. */
const otherNames: Readonly<Record<string, Namespace>> = { mnt: 'mount', network: 'net', hostname: 'uts', pidns: 'pid', userns: 'user' };

/**
 * Every kind of namespace there is, `user` first and `pid` last.
 *
 * @see namespaces(7)
 * @example
 * ```ts
 * import { allNamespaces } from '@ctr/namespaces';
 * console.log(allNamespaces.length); // 8
 * ```
 */
export const allNamespaces: readonly Namespace[] = Object.keys(kinds) as Namespace[];

/**
 * The flag of a kind, for unshare(2), setns(2) and clone3(2): `CLONE_NEWNET` for `net`.
 * Throws a `TypeError` for a kind that there is none of.
 *
 * @example
 * ```ts
 * import { namespaceFlag } from '@ctr/namespaces';
 * console.log(namespaceFlag('uts') === 0x4000000); // true: CLONE_NEWUTS
 * ```
 */
export function namespaceFlag(kind: Namespace): number {
  return known(kind).flag;
}

/**
 * The name of a kind's file in `/proc/PID/ns`: `mnt` for `mount`, and the kind itself for all others.
 * Throws a `TypeError` for a kind that there is none of.
 *
 * @example
 * ```ts
 * import { namespaceFile } from '@ctr/namespaces';
 * console.log(namespaceFile('mount')); // mnt
 * ```
 */
export function namespaceFile(kind: Namespace): string {
  return known(kind).file;
}

/** The flags of several kinds as one number. Throws a `TypeError` for an unknown kind, and for one that is named twice. */
export function flagsOf(wanted: readonly Namespace[]): number {
  let flags = 0;
  for (const kind of wanted) {
    const { flag } = known(kind);
    if (flags & flag) throw new TypeError(`the ${kind} namespace is named twice`);
    flags |= flag;
  }
  return flags;
}

/** `the user and mount namespaces`, for what a step is for. */
export function listed(wanted: readonly Namespace[]): string {
  const names = wanted.length > 1 ? `${wanted.slice(0, -1).join(', ')} and ${wanted.at(-1)}` : wanted[0];
  return `${names} namespace${wanted.length > 1 ? 's' : ''}`;
}

function known(kind: Namespace): { readonly flag: number; readonly file: string } {
  if (Object.hasOwn(kinds, kind)) return kinds[kind];
  const meant = Object.hasOwn(otherNames, kind) ? `ctr calls it ${otherNames[kind]}` : `there are ${allNamespaces.join(', ')}`;
  throw new TypeError(`no kind of namespace is called ${quote(kind)}: ${meant}`);
}
