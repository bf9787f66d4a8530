import {
  create,
  createFlags,
  hostname,
  domainname,
  join,
  loopbackUp,
  timeOffsets,
  type IdMaps,
  type IdRange,
  type Namespace,
  type TimeOffset,
} from '@ctr/namespaces';
import { continueInChild, waitForHost, type Fd, type ResultOf, type Step } from '@ctr/syscall';
import { becomeUser, dumpable } from '@ctr/security';
import type { Section } from '@ctr/runtime/assembly';

import type { Config } from '../config/config.js';
import type { Linux } from '../config/linux.js';
import type { LinuxNamespaceType } from '../config/namespaces.js';

const kinds: Readonly<Record<LinuxNamespaceType, Namespace>> = {
  pid: 'pid',
  network: 'net',
  mount: 'mount',
  ipc: 'ipc',
  uts: 'uts',
  user: 'user',
  cgroup: 'cgroup',
  time: 'time',
};
/** Those of a user namespace come first: it gives the right to join what belongs to it. */
const joinOrder: readonly Namespace[] = ['user', 'ipc', 'uts', 'net', 'pid', 'mount', 'cgroup', 'time'];

/** The namespaces of a container: which are new, and which are there already, as open files. */
export interface Namespaces {
  readonly isNew: (kind: Namespace) => boolean;
  readonly has: (kind: Namespace) => boolean;
  readonly joined: ReadonlyMap<Namespace, Fd>;
}

/**
 * Looks at the files of those that are joined, and opens them: from here on nobody can put others in their place.
 *
 * @param open opens one of them, and sees to it that it is closed
 */
export function namespacesOf(config: Config, open: (path: string) => Fd): Namespaces {
  const fresh = new Set<Namespace>();
  const joined = new Map<Namespace, Fd>();
  for (const { type, path } of config.linux?.namespaces ?? []) {
    const kind = kinds[type];
    if (path === undefined || path === '') fresh.add(kind);
    else joined.set(kind, open(path));
  }
  return { isNew: (kind) => fresh.has(kind), has: (kind) => fresh.has(kind) || joined.has(kind), joined };
}

/** Which ids of the container are which of the host. */
export function idMapsOf(config: { readonly linux?: Pick<Linux, 'uidMappings' | 'gidMappings'> }): IdMaps | undefined {
  const { uidMappings = [], gidMappings = [] } = config.linux ?? {};
  if (uidMappings.length === 0 && gidMappings.length === 0) return undefined;
  const ranges = (mappings: typeof uidMappings): IdRange[] =>
    mappings.map(({ containerID, hostID, size }) => ({ inside: containerID, outside: hostID, count: size }));
  return { uids: ranges(uidMappings), gids: ranges(gidMappings) };
}

/**
 * The way into the namespaces: the plan goes on in the container's first process.
 *
 * @param cgroup what it is born in, which costs nothing, where moving there waits for a lock on the whole system
 * @param joining the steps by which it joins groups of v1
 * @param hidden whether the process is undumpable from before the first namespace is joined. Its files in proc then belong to root: they are opened before
 */
export function enterNamespaces(config: Config, namespaces: Namespaces, cgroup: ResultOf | undefined, joining: readonly Step[], hidden: boolean): Section[] {
  const joins = (kinds: readonly Namespace[]): Step[] =>
    kinds.flatMap((kind) => {
      const fd = namespaces.joined.get(kind);
      return fd ? [...join(fd, kind), ...(kind === 'user' ? becomeUser({ uid: 0, gid: 0 }) : [])] : [];
    });
  // From within a namespace of groups nobody may be born in a group outside of it, where cgroup2 is mounted with `nsdelegate`, as systemd does.
  const early = joinOrder.filter((kind) => !(kind === 'cgroup' && cgroup));
  const flags = createFlags(early.filter((kind) => kind !== 'user' && kind !== 'time' && namespaces.isNew(kind)));
  const copied = namespaces.isNew('time') || namespaces.joined.has('time');
  // The kernel asks for the rights of who has opened the file.
  const [clocks, ...setClocks] = namespaces.isNew('time') ? offsets(config) : [];
  return [
    ['the clocks of a time namespace', clocks ? [clocks] : []],
    ['who may look into it', hidden ? dumpable(false) : []],
    ['the namespaces to join', joins(early)],
    ['a user namespace', namespaces.isNew('user') ? [...create('user'), ...waitForHost('map the ids'), ...becomeUser({ uid: 0, gid: 0 })] : []],
    ['a time namespace', namespaces.isNew('time') ? [...create('time'), ...setClocks] : []],
    ['new namespaces', continueInChild({ namespaces: flags, memory: copied ? 'copied' : 'shared', ...(cgroup && { cgroup }) })],
    ['the cgroup of v1', joining],
    // It begins at the group that its first process is in.
    ['a namespace of cgroups', !cgroup ? [] : namespaces.isNew('cgroup') ? create('cgroup') : joins(['cgroup'])],
  ];
}

/** What belongs to the namespaces themselves. */
export function nameNamespaces(config: Config, namespaces: Namespaces): Section[] {
  const { hostname: host, domainname: domain } = config;
  return [
    ['the host name', [...(host === undefined || host === '' ? [] : hostname(host)), ...(domain === undefined || domain === '' ? [] : domainname(domain))]],
    ['the network', namespaces.isNew('net') ? loopbackUp() : []],
  ];
}

function offsets(config: Config): Step[] {
  const given = config.linux?.timeOffsets;
  if (!given || (!given.monotonic && !given.boottime)) return [];
  const offset = ({ secs, nanosecs }: NonNullable<typeof given.monotonic>): TimeOffset => ({ seconds: Number(secs ?? 0), nanoseconds: nanosecs ?? 0 });
  return timeOffsets({ ...(given.monotonic && { monotonic: offset(given.monotonic) }), ...(given.boottime && { boottime: offset(given.boottime) }) });
}
