import { fstatSync, statSync } from 'node:fs';
import { posix, resolve } from 'node:path';

import { attach, bindMount, inRoot, newMount, openPlace, propagation, type Handle } from '@ctr/fs';
import {
  errnos,
  fail,
  fsMagic,
  handOver,
  label,
  mountFlags,
  mountAttrs,
  openFd,
  quote,
  resolveFlags,
  waitForHost,
  type ResultOf,
  type Step,
} from '@ctr/syscall';
import { lsmStatus } from '@ctr/security';

import type { Mount } from '../config/mount.js';
import { parseMountOptions, type MountAttributeMasks, type MountOptions } from '../mount-options.js';
import { closed, setMasks } from './attributes.js';
import { cgroupMount, type CgroupMountContext } from './cgroup-mount.js';
import { throughDanglingLink } from './dangling-link.js';
import { fileSystemType } from './file-system-type.js';
import { layersOneByOne } from './layers.js';
import { idMapsOf } from './namespaces.js';
import { unlessDevice } from './unless-device.js';

/** What mounts depend on besides themselves. */
export interface MountContext extends CgroupMountContext {
  readonly root: Handle;
  /** The directory of the root file system on the host. */
  readonly rootfs: string;
  /** Where the mounts go that come before. */
  readonly before: readonly string[];
  readonly bundle: string;
  /** Whether the sources are those of a mount namespace that is joined: one that the caller does not have is taken for a directory. */
  readonly isElsewhere: boolean;
  readonly mountLabel: string | undefined;
  /** The paths that are hidden or made read-only in the end, and those above them: they are looked up from the mounts they lie in, which stay open for it. */
  readonly lookedUp: ReadonlySet<string>;
  /** Binds that have been made before the user namespace, outside of which their sources may be out of reach. */
  readonly opened: ReadonlyMap<Mount, ResultOf>;
}

/** A mount of the configuration. */
export interface PlannedMount {
  readonly steps: readonly Step[];
  /** What comes when nothing is made in it any more. */
  readonly late: readonly Step[];
  /** Where it is, and the mount itself, where that stays open. */
  readonly at: string;
  readonly mount: ResultOf | undefined;
}

/** Superblock flags, by the words that fsconfig(2) has for them. */
const superFlags: readonly (readonly [flag: number, word: string])[] = [
  [mountFlags.MS_SYNCHRONOUS, 'sync'],
  [mountFlags.MS_DIRSYNC, 'dirsync'],
  [mountFlags.MS_MANDLOCK, 'mand'],
  [mountFlags.MS_LAZYTIME, 'lazytime'],
];

/** Files of proc that something may be mounted over: they tell of the host's resources, and lxcfs tells of the container's instead. */
const coverable = [
  'cpuinfo',
  'diskstats',
  'meminfo',
  'stat',
  'swaps',
  'uptime',
  'loadavg',
  'slabinfo',
  'net/dev',
  'sys/kernel/ns_last_pid',
  'sys/crypto/fips_enabled',
].map((path) => `/proc/${path}`);

/**
 * The steps of one mount: the file system is made, or the source is opened, attached to nothing; its place is found below the root, and made if need be; then it is attached there,
 * by its handle.
 */
export function mountSteps(mount: Mount, context: MountContext): PlannedMount {
  const at = destinationOf(mount);
  const options = parseMountOptions(mount.options ?? []);
  checkBelowProc(at, mount, options);
  if (options.remount) return remounted(at, options, context);
  if (options.bind) return bound(at, mount, options, context);
  if (mount.type === 'cgroup' || mount.type === 'cgroup2') {
    const shown = cgroupMount(at, mount.type, mount.source || 'cgroup', options, context);
    const keep = isLookedUpIn(at, context);
    return { at, mount: keep ? shown.mount : undefined, late: [], steps: [...shown.steps, ...(keep ? [] : [closed(shown.mount)])] };
  }
  return made(at, mount, options, context);
}

/** Where a mount goes, from the root down. A relative path begins there as well. */
export function destinationOf({ destination }: Mount): string {
  return posix.normalize(`/${destination}`).replace(/(.)\/$/, '$1');
}

/** Where the links of the image lead. What a mount before covers of it leads nowhere any more: `/dev/shm` of an image may be a link, and that of a new `/dev` is none. */
function throughLinks(at: string, { rootfs, before }: MountContext): string {
  return before.some((above) => at.startsWith(`${above}/`)) ? at : throughDanglingLink(rootfs, at);
}

/** Whether a path that is hidden or made read-only lies in a mount. */
function isLookedUpIn(at: string, { lookedUp }: MountContext): boolean {
  return lookedUp.has(at);
}

/** The path of a bind's source on the host. */
export function sourceOf({ source = '' }: Mount, bundle: string): string {
  return resolve(bundle, source);
}

/** Whether its files show other owners than they have: by maps of its own, or those of the container. */
export function isMapped(mount: Mount): boolean {
  return (parseMountOptions(mount.options ?? []).idmap ?? idMapsOf({ linux: mount })) !== undefined;
}

/** Whether a tmpfs begins with what the image has at its place. */
export function copiesUp({ type, options = [] }: Mount): boolean {
  return type === 'tmpfs' && parseMountOptions(options).tmpcopyup;
}

function made(at: string, mount: Mount, options: MountOptions, context: MountContext): PlannedMount {
  const type = mount.type ?? 'none';
  const settings = new Map<string, string | true | readonly string[]>();
  for (const [flag, word] of superFlags) if (options.flags & flag) settings.set(word, true);
  for (const option of options.data) {
    const equals = option.indexOf('=');
    settings.set(equals < 0 ? option : option.slice(0, equals), equals < 0 ? true : option.slice(equals + 1));
  }
  const covered = type === 'tmpfs' && !settings.has('mode') ? modeBelow(context.rootfs, at) : undefined;
  if (covered !== undefined) settings.set('mode', covered.toString(8));
  if (type === 'overlay') layersOneByOne(settings);
  if (context.mountLabel && ['tmpfs', 'mqueue', 'devpts', 'shm'].includes(type) && lsmStatus().selinux !== 'disabled')
    settings.set('context', context.mountLabel);
  const created = newMount(type, {
    source: mount.source || type,
    options: Object.fromEntries(settings),
    purpose: `a ${type} for ${at}`,
    as: posix.basename(at) || 'mount',
  });
  const links = type === 'proc' || type === 'sysfs' ? 'refuse' : 'in-root';
  const to = links === 'refuse' ? at : throughLinks(at, context);
  const place = openPlace(inRoot(context.root, to, { create: 'directory', symlinks: links }));
  // Something may still have to be made in it.
  const { set, clear } = options.attributes;
  const isLate = type === 'tmpfs' && (set & mountAttrs.MOUNT_ATTR_RDONLY) !== 0;
  const early = isLate ? { set: set & ~mountAttrs.MOUNT_ATTR_RDONLY, clear } : options.attributes;
  return {
    at,
    mount: created.mount,
    steps: [
      ...created.steps,
      ...setMasks(created.mount, early, false),
      ...setMasks(created.mount, options.recursive, true),
      ...place.steps,
      ...(type === 'proc' ? [] : refuseInProc(place.fd, at)),
      ...(copiesUp(mount) ? copiedUp(at, place.fd, created.mount) : []),
      ...attach(created.mount, place.fd, `attach it to ${at}`),
      ...spread(created.mount, options),
      ...closeOpened(place),
    ],
    late: isLate ? setMasks(created.mount, { set: mountAttrs.MOUNT_ATTR_RDONLY, clear: 0 }, false) : [],
  };
}

/** The host copies while the tmpfs is attached to nothing: no other process of the mount namespace can reach it, and nothing else can be mounted in it. */
function copiedUp(at: string, from: Handle, to: ResultOf): Step[] {
  return [...handOver(from, `what the image has at ${at}`), ...handOver(to, 'where it goes'), ...waitForHost(`copy what the image has at ${at}`)];
}

function bound(at: string, mount: Mount, options: MountOptions, context: MountContext): PlannedMount {
  const source = sourceOf(mount, context.bundle);
  const stat = statSync(source, { throwIfNoEntry: false });
  if (!stat && !context.isElsewhere) throw new Error(`the mount at ${at}: its source ${quote(source)} does not exist: no such file or directory`);
  const kind = !stat || stat.isDirectory() ? 'directory' : 'file';
  const isDevice = stat && (stat.isCharacterDevice() || stat.isBlockDevice());
  const [attributes, recursive] = isDevice ? [asDevice(options.attributes), none] : [options.attributes, options.recursive];
  const opened = context.opened.get(mount);
  const from = opened ? { steps: [], mount: opened } : bindMount(source, { recursive: options.bind?.recursive ?? false, purpose: `a mount of ${source}` });
  const to = throughLinks(at, context);
  const place = openPlace(inRoot(context.root, to, { create: kind }), { directory: kind === 'directory' });
  const keep = isLookedUpIn(at, context);
  return {
    at,
    mount: keep ? from.mount : undefined,
    late: [],
    steps: [
      ...from.steps,
      ...setMasks(from.mount, attributes, false),
      ...setMasks(from.mount, recursive, true),
      ...(context.isElsewhere && kind === 'file' && !isDevice ? keptIfDevice(from.mount, at) : []),
      ...place.steps,
      ...(at === '/proc' || coverable.includes(at) ? [] : refuseInProc(place.fd, at)),
      ...attach(from.mount, place.fd, `attach it to ${at}`),
      // It has left the caller's namespace without having been copied there as a slave.
      ...(opened ? propagation(from.mount, 'slave', { recursive: true }) : []),
      ...spread(from.mount, options),
      ...(keep ? [] : [closed(from.mount)]),
      ...closeOpened(place),
    ],
  };
}

/** What the source is in another mount namespace is known when its mount is open. */
function keptIfDevice(mount: ResultOf, at: string): Step[] {
  const { steps, isNone } = unlessDevice(mount, at);
  return [...steps, ...setMasks(mount, asDevice(none), false), isNone];
}

const none: MountAttributeMasks = { set: 0, clear: 0 };

/** A device can be read and written by a read-only mount as well, and its mode and owner are the host's. */
function asDevice({ set, clear }: MountAttributeMasks): MountAttributeMasks {
  const kept = mountAttrs.MOUNT_ATTR_RDONLY | mountAttrs.MOUNT_ATTR_NOSUID | mountAttrs.MOUNT_ATTR_NOEXEC;
  return { set: set | kept, clear: clear & ~kept };
}

function remounted(at: string, options: MountOptions, { root }: MountContext): PlannedMount {
  const place = openPlace(inRoot(root, at, { create: false }), { directory: false });
  return {
    at,
    mount: undefined,
    late: [],
    steps: [
      ...place.steps,
      ...setMasks(place.fd, options.attributes, false),
      ...setMasks(place.fd, options.recursive, true),
      ...spread(place.fd, options),
      ...closeOpened(place),
    ],
  };
}

/** How mounts spread from and to it. */
function spread(mount: Handle, options: MountOptions): Step[] {
  return options.propagation.flatMap(({ kind, recursive }) => propagation(mount, kind, { recursive }));
}

/** A link of the image may lead a mount into proc, where it could pass off something else for what the kernel says. */
function refuseInProc(place: Handle, at: string): Step[] {
  const { type, steps } = fileSystemType(place);
  const goOn = label(`${at} is not in a proc`);
  return [
    ...steps,
    { call: 'add', args: [type, 0], purpose: 'its type', jump: { when: '!=', than: fsMagic.PROC_SUPER_MAGIC, to: goOn } },
    fail(errnos.EPERM, `mount something at ${at}, which leads into proc`, { EPERM: 'only some files of /proc can be covered, by their own names' }),
    goOn,
  ];
}

function checkBelowProc(at: string, { type }: Mount, { bind }: MountOptions): void {
  if (at === '/') throw new TypeError('a mount at "/" would hide the root file system: give it as root.path');
  if (at === '/proc' && !bind && type !== 'proc') throw new TypeError(`a mount of type ${quote(type)} at /proc would let the container fake proc`);
  if (at.startsWith('/proc/') && !coverable.includes(at)) throw new TypeError(`a mount at ${quote(at)} would let the container fake what is in proc`);
}

/** The mode of a directory that a tmpfs covers is that of the tmpfs, unless it says otherwise. Where it covers none, everybody may write to it, as the kernel has it. */
function modeBelow(rootfs: string, at: string): number | undefined {
  try {
    using root = openFd(rootfs, { directory: true });
    using directory = openFd(at, { at: root, directory: true, resolve: resolveFlags.RESOLVE_IN_ROOT | resolveFlags.RESOLVE_NO_MAGICLINKS });
    return fstatSync(directory.number).mode & 0o7777;
  } catch {
    return undefined;
  }
}

function closeOpened({ steps, fd }: ReturnType<typeof openPlace>): Step[] {
  return steps.length > 0 ? [closed(fd)] : [];
}
