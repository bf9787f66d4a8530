import { existsSync, statSync } from 'node:fs';

import { absolutePath, checkOptions, isWhole, nodePath } from '@ctr/syscall';
import { idMap, type IdRange, type Namespace } from '@ctr/namespaces';
import { checkDeviceRules, type DeviceAccess, type Limits } from '@ctr/cgroups';

import { checkDestination, checkText } from './check-path.js';
import { checkHardening, hardeningNames, type Hardening, type HardeningOptions } from './hardening.js';
import { shown } from './shown.js';
import { homeOf, lookupUser } from './user.js';
import type { StreamKind, Three } from './streams.js';

/** What a container's namespace of one kind is: a new one, the host's, or that of a process (by pid) or a file. */
export type NamespaceChoice = 'new' | 'host' | { readonly pid: number } | { readonly path: string };

/** A directory or file of the host that the container sees at another place. */
export interface BindMount {
  /** The path on the host. */
  readonly bind: string;
  /** The path in the container. */
  readonly to: string;
  /** @default false */
  readonly readonly?: boolean;
  /**
   * Show the owners of its files by the ids of the container: what root owns on the host, root of the container does too, and what it writes belongs to root on the host.
   * It takes a new user namespace, root, and a file system that can be mapped.
   * @default false
   */
  readonly idMap?: boolean;
}

/** A file system in memory. */
export interface TmpfsMount {
  /** The path in the container. */
  readonly tmpfs: string;
  /** How many bytes it may hold, and one file for each 4096 of them (1024 files at least). @default 1 GiB */
  readonly sizeBytes?: number;
}

/** A device file of the host that the container sees below its own /dev. */
export interface HostDevice {
  /** The path on the host. */
  readonly device: string;
  /** The path in the container. @default that on the host */
  readonly to?: string;
  /** What may be done with it: read, write, make another file for it (`m`). @default 'rwm' */
  readonly access?: DeviceAccess;
}

/** Something that is mounted in the container. */
export type Mount = BindMount | TmpfsMount;

/** Who the program runs as: ids of the container, or a name of its /etc/passwd. */
export interface User {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. @default none */
  readonly groups?: readonly number[];
}

/** What a container is made of. */
export interface ContainerOptions extends HardeningOptions {
  /** A directory that becomes the container's root. @default the host's own userland, copy on write */
  readonly rootfs?: string;
  /**
   * Memory for what is written to the host's userland (copies of changed files, /tmp, /var and all else that starts empty), in bytes, and one file for each 4096 of them.
   * A `rootfs` has the size of its own file system. @default 1 GiB
   */
  readonly rootSizeBytes?: number;
  /**
   * Let the container write to the host's own root file system, where that is its `rootfs`. What it writes there as root, root of the host runs: no boundary is left.
   * Without it, such a `rootfs` has to be `readonly`. @default false
   */
  readonly writableHostRoot?: boolean;
  /** @default 'container' */
  readonly hostname?: string;
  /** @default new ones of all kinds but time, and user where the caller is root */
  readonly namespaces?: Readonly<Partial<Record<Namespace, NamespaceChoice>>>;
  /**
   * The ids of a new user namespace: the caller's `own` one, as root, or also those that are `granted` to the caller: as far as newuidmap(1) may map them, what /etc/subuid and
   * /etc/subgid grant an ordinary user, and to root 65536 ids from 100000 on. More ids take some time at the start of each container.
   * @default 'own' for an ordinary user, unless `user` is another than root; 'granted' for root
   */
  readonly ids?: 'own' | 'granted';
  /** Which ids of the container are which of the host. @default those of `ids` */
  readonly uidMap?: readonly IdRange[];
  readonly gidMap?: readonly IdRange[];
  readonly mounts?: readonly Mount[];
  /** Devices of the host that the container has as well, at the same or another path below /dev. @default none */
  readonly devices?: readonly HostDevice[];
  /** The root file system cannot be written. @default false */
  readonly readonly?: boolean;
  /** The program's environment; nothing of the caller's is passed on. A variable that is undefined is none. @default PATH, HOME, HOSTNAME, and TERM at a terminal */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The directory the program starts in. @default '/' */
  readonly cwd?: string;
  /** @default root of the container */
  readonly user?: User | string;
  /** Limits of the container's cgroup. @default 2048 pids */
  readonly limits?: Limits;
  /** Put the container into a cgroup; without one there are no limits. @default true, as far as one can be made */
  readonly cgroup?: boolean;
  /**
   * The group above the container's: with a leading slash below the top of the mount, without one below the group that is delegated to this user (for root, that of this process).
   * It is made if need be, and stays; the default limits are there as well, or it is an error. For systemd it is a slice: `machine.slice`.
   * @default '/ctr', and for others than root 'ctr'; the slice is systemd's choice
   */
  readonly cgroupParent?: string;
  /**
   * Who makes the group: ctr itself, in the file system of the control groups, or systemd, which is asked for a scope. That takes cgroup v2, some milliseconds more, and for others than root
   * a systemd of their own; the default limits are there as well, or it is an error. @default 'cgroupfs'
   */
  readonly cgroupManager?: 'cgroupfs' | 'systemd';
  /** Measure what the container uses, in a cgroup for each controller that can; costs some time at its start. @default false */
  readonly measure?: boolean;
  /** A name for the container, and for its cgroup. @default a number */
  readonly name?: string;
  /** A process of ctr as pid 1, which reaps orphans and passes signals on; the program is its child. @default false */
  readonly init?: boolean;
  /** Give the program a terminal of its own, of this size. @default none */
  readonly terminal?: TerminalSize;
}

/** The size of a terminal, in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** A container's options, checked and complete. */
export interface Spec {
  readonly command: readonly [string, ...string[]];
  readonly rootfs: string | undefined;
  /** The rootfs is that of the host. */
  readonly isHostRoot: boolean;
  readonly rootSizeBytes: number;
  readonly hostname: string | undefined;
  readonly namespaces: Readonly<Record<Namespace, NamespaceChoice>>;
  readonly ids: 'own' | 'granted';
  readonly uidMap: readonly IdRange[] | undefined;
  readonly gidMap: readonly IdRange[] | undefined;
  readonly mounts: readonly CheckedMount[];
  readonly readonly: boolean;
  readonly env: readonly string[];
  /** The directories that the program is looked for in. */
  readonly path: readonly string[];
  readonly cwd: string;
  readonly user: Required<User> | undefined;
  readonly limits: Limits;
  readonly cgroup: boolean;
  readonly cgroupParent: string | undefined;
  readonly cgroupManager: 'cgroupfs' | 'systemd';
  readonly measure: boolean;
  readonly name: string | undefined;
  readonly init: boolean;
  readonly terminal: TerminalSize | undefined;
  readonly streams: Three<StreamKind>;
  readonly devices: readonly CheckedDevice[];
  readonly hardening: Hardening;
}

/** A device whose file on the host has been looked at, by its name below /dev in the container. */
export interface CheckedDevice {
  readonly from: string;
  readonly name: string;
  readonly type: 'char' | 'block';
  readonly major: number;
  readonly minor: number;
  readonly access: DeviceAccess;
}

/** A mount whose source has been looked at. */
export type CheckedMount =
  | {
      readonly kind: 'bind';
      readonly from: string;
      readonly to: string;
      readonly readonly: boolean;
      readonly idMap: boolean;
      readonly of: 'directory' | 'file';
      /** It is the host's root file system. */
      readonly isHostRoot: boolean;
    }
  | { readonly kind: 'tmpfs'; readonly to: string; readonly sizeBytes: number };

const kinds: readonly Namespace[] = ['user', 'mount', 'pid', 'net', 'uts', 'ipc', 'cgroup', 'time'];
/** The keys of {@link ContainerOptions}. */
export const optionNames = [
  'rootfs', 'rootSizeBytes', 'writableHostRoot', 'hostname', 'namespaces', 'ids', 'uidMap', 'gidMap', 'mounts', 'devices', 'readonly', 'env', 'cwd', 'user', 'limits', 'cgroup', 'cgroupParent', 'cgroupManager', 'measure', 'name', 'init', 'terminal',
  ...hardeningNames,
] as const satisfies readonly (keyof ContainerOptions)[]; // prettier-ignore

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const MAX_ID = 2 ** 32 - 2;
/** Bytes of each file system in memory of which nobody says the size. */
const DEFAULT_SIZE_BYTES = 2 ** 30;

/**
 * Checks everything that can be checked before anything is created, and fills in the defaults.
 * Throws a `TypeError` or `RangeError` that says what was given and what is allowed, and an `Error` for a path of the host that is not what it should be.
 */
export function checkSpec(command: readonly string[], options: ContainerOptions): Spec {
  checkOptions('options', options, optionNames);
  requireProc();
  if (!Array.isArray(command)) throw new TypeError(`the command is ${shown(command)}: give an array, the program and its arguments`);
  const [program, ...args] = command as readonly string[];
  if (program === undefined || program === '') throw new TypeError('the command is empty: give at least the name of a program');
  for (const word of command) checkText('an argument', word);
  for (const name of ['hostname', 'name', 'cgroupParent', 'appArmorProfile', 'selinuxLabel'] as const)
    if (typeof (options[name] as unknown) !== 'string' && options[name] !== undefined) throw new TypeError(`${name} is ${shown(options[name])}, not a string`);
    else if (!isWhole(options[name] ?? '')) throw new TypeError(`${name} is ${shown(options[name])}: it has bytes in it that are no UTF-8`);
  checkShapes(options);
  const root = process.geteuid?.() === 0;
  const namespaces = checkNamespaces(options.namespaces ?? {}, root);
  if (namespaces.mount !== 'new') {
    for (const name of ['rootfs', 'rootSizeBytes', 'writableHostRoot', 'mounts', 'devices', 'readonly', 'terminal'] as const)
      if (options[name] !== undefined && options[name] !== false) throw new TypeError(`${name} needs a mount namespace of the container's own`);
  }
  if (options.hostname !== undefined && namespaces.uts !== 'new') throw new TypeError("hostname needs a UTS namespace of the container's own");
  if ((options.uidMap ?? options.gidMap) && namespaces.user !== 'new') throw new TypeError('an id map needs a new user namespace');
  if (options.ids !== undefined && !['own', 'granted'].includes(options.ids)) throw new TypeError(`ids is ${shown(options.ids)}: 'own' or 'granted'`);
  if (options.ids === 'own' && namespaces.user !== 'new') throw new TypeError("ids 'own' need a new user namespace: in any other, there are the ids it has");
  for (const name of ['readonly', 'writableHostRoot', 'cgroup', 'measure', 'init'] as const) {
    const value: unknown = options[name];
    if (value !== undefined && typeof value !== 'boolean') throw new TypeError(`${name} is ${shown(value)}: true or false`);
  }
  const cgroup = options.cgroup ?? true;
  if (!cgroup && options.limits !== undefined) throw new TypeError('limits need a cgroup');
  if (!cgroup && options.cgroupParent !== undefined) throw new TypeError('cgroupParent needs a cgroup');
  const { cgroupManager = 'cgroupfs' } = options;
  if (!['cgroupfs', 'systemd'].includes(cgroupManager)) throw new TypeError(`cgroupManager is ${shown(cgroupManager)}: 'cgroupfs' or 'systemd'`);
  if (!cgroup && options.cgroupManager !== undefined) throw new TypeError('cgroupManager needs a cgroup');
  if (!cgroup && Array.isArray(options.deviceRules)) throw new TypeError('deviceRules need a cgroup');
  const devices = checkDevices(options.devices ?? []);
  if (!cgroup && devices.some(({ access }) => access !== 'rwm')) throw new TypeError('the access of a device needs a cgroup');
  if (options.limits?.devices && Array.isArray(options.deviceRules))
    throw new TypeError('limits.devices are all rules about devices: there are no deviceRules beside them');
  if (options.session === 'inherit' && options.terminal) throw new TypeError("a terminal belongs to a session: with session 'inherit', it would have none");
  const hostname = namespaces.uts === 'new' ? (options.hostname ?? 'container') : undefined;
  const rootOf = checkRoot(options);
  const user = typeof options.user === 'string' ? lookupUser(options.user, rootOf.rootfs) : options.user && checkUser(options.user);
  const env = checkEnv(options, { hostname, rootfs: rootOf.rootfs, uid: user?.uid ?? 0 });
  return {
    command: [program, ...args],
    ...rootOf,
    hostname,
    namespaces,
    ids: options.ids ?? (root || isAnother(user) ? 'granted' : 'own'),
    uidMap: options.uidMap && idMap(options.uidMap),
    gidMap: options.gidMap && idMap(options.gidMap),
    mounts: checkMounts(options.mounts ?? [], namespaces.user === 'new', root),
    readonly: options.readonly ?? false,
    env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
    path: (env['PATH'] ?? DEFAULT_PATH).split(':').map((directory) => (directory === '' ? '.' : directory)),
    cwd: checkDestination('cwd', options.cwd === undefined ? '/' : options.cwd),
    user,
    limits: options.limits ?? {},
    cgroup,
    cgroupParent: options.cgroupParent,
    cgroupManager,
    measure: options.measure ?? false,
    name: options.name,
    init: options.init ?? false,
    terminal: options.terminal && checkTerminal(options.terminal),
    // A terminal takes their place when the program has a session.
    streams: options.terminal ? ['null', 'null', 'null'] : ['relayed', 'relayed', 'relayed'],
    devices,
    hardening: checkHardening(options, (kind) => namespaces[kind] === 'new', namespaces.user === 'host'),
  };
}

/** Options that are objects or arrays, and the words for what is wanted. A value that counts as false must not stand for the default: `user: ''` is not root. */
const objects = {
  namespaces: 'an object of kinds and choices',
  env: 'an object of names and values',
  user: '{ uid, gid }, as lookupUser finds them for a name',
  limits: 'an object of names and limits',
  terminal: '{ columns, rows }',
  capabilities: '{ add, drop }',
  rlimits: 'an object of names and limits',
  sysctls: 'an object of names and values',
} as const satisfies Partial<Record<keyof ContainerOptions, string>>;
const arrays = {
  uidMap: 'ranges, { inside, outside, count }',
  gidMap: 'ranges, { inside, outside, count }',
  mounts: 'mounts',
  devices: 'devices',
} as const satisfies Partial<Record<keyof ContainerOptions, string>>;

function checkShapes(options: ContainerOptions): void {
  const given: Readonly<Record<string, unknown>> = { ...options };
  for (const [name, wanted] of Object.entries(objects)) {
    const value = given[name];
    if (value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value))) continue;
    if (name === 'user' && typeof value === 'string' && value !== '') continue;
    throw new TypeError(`${name} is ${Array.isArray(value) ? 'an array' : shown(value)}: give ${wanted}`);
  }
  for (const [name, wanted] of Object.entries(arrays)) {
    const value = given[name];
    if (value !== undefined && !Array.isArray(value)) throw new TypeError(`${name} is ${shown(value)}: give an array of ${wanted}`);
  }
}

let isProcKnown = false;

/** Much is looked up there, and plans are started from there. */
function requireProc(): void {
  isProcKnown ||= existsSync('/proc/self/mountinfo');
  if (!isProcKnown) throw new Error('/proc is not mounted here, and ctr needs it: mount -t proc proc /proc (as root)');
}

/** An empty path would be the working directory, which nobody means who has left a variable unset. */
function checkHostPath(what: string, path: unknown): asserts path is string {
  checkText(what, path);
  if (path === '') throw new TypeError(`${what} is empty: give a path of the host`);
}

function checkNamespaces(given: NonNullable<ContainerOptions['namespaces']>, root: boolean): Spec['namespaces'] {
  checkOptions('namespaces', given, kinds);
  const usual = (kind: Namespace): NamespaceChoice => (kind === 'time' || (kind === 'user' && root) ? 'host' : 'new');
  const choices = Object.fromEntries(kinds.map((kind) => [kind, given[kind] === undefined ? usual(kind) : given[kind]])) as Record<Namespace, NamespaceChoice>;
  for (const [kind, choice] of Object.entries(choices)) {
    if (choice === 'new' || choice === 'host') continue;
    if (typeof choice !== 'object' || choice === null || 'pid' in choice === 'path' in choice)
      throw new TypeError(`the ${kind} namespace is ${shown(choice)}: 'new', 'host', { pid } or { path }`);
    checkOptions(`the ${kind} namespace`, choice, ['pid', 'path']);
    if ('pid' in choice && !(Number.isSafeInteger(choice.pid) && choice.pid > 0))
      throw new RangeError(`the ${kind} namespace of process ${shown(choice.pid)}: a pid is a positive integer`);
    if ('path' in choice) checkHostPath(`the path of the ${kind} namespace`, choice.path);
  }
  return choices;
}

function checkRoot({
  rootfs,
  rootSizeBytes,
  readonly = false,
  writableHostRoot = false,
}: ContainerOptions): Pick<Spec, 'rootfs' | 'isHostRoot' | 'rootSizeBytes'> {
  if (rootfs !== undefined && rootSizeBytes !== undefined)
    throw new TypeError('rootSizeBytes is for the root in memory: a rootfs has the size of its own file system');
  if (rootSizeBytes !== undefined) checkSize('rootSizeBytes', rootSizeBytes);
  const path = rootfs === undefined ? undefined : checkRootfs(rootfs);
  const isHostRoot = path !== undefined && isRootOfHost(path);
  if (writableHostRoot && !isHostRoot) throw new TypeError("writableHostRoot is for a rootfs that is the host's root");
  if (isHostRoot && !readonly && !writableHostRoot)
    throw new TypeError(
      `rootfs ${shown(path)} is the host's own root file system, to which the container would write: leave rootfs out for the host's programs copy on write, make it readonly, or allow it by writableHostRoot (--security-opt writable-host-root)`,
    );
  return { rootfs: path, isHostRoot, rootSizeBytes: rootSizeBytes ?? DEFAULT_SIZE_BYTES };
}

/** By whatever path, such as that of a bind mount of it. */
function isRootOfHost(path: string): boolean {
  const [own, given] = [statSync('/', { bigint: true }), statSync(nodePath(path), { bigint: true })];
  return own.dev === given.dev && own.ino === given.ino;
}

function checkSize(what: string, sizeBytes: number): number {
  if (!(Number.isSafeInteger(sizeBytes) && sizeBytes > 0)) throw new RangeError(`${what} is ${shown(sizeBytes)}: a positive number of bytes`);
  return sizeBytes;
}

function checkRootfs(rootfs: string): string {
  checkHostPath('rootfs', rootfs);
  const path = absolutePath(rootfs);
  const stat = statSync(nodePath(path), { throwIfNoEntry: false });
  if (!stat) throw new Error(`rootfs ${shown(rootfs)} does not exist: give a directory that holds a root file system`);
  if (!stat.isDirectory()) throw new Error(`rootfs ${shown(rootfs)} is not a directory: unpack an archive or image first`);
  return path;
}

/** Whether it takes more ids than the one of root. */
function isAnother(user: User | undefined): boolean {
  return user !== undefined && [user.uid, user.gid, ...(user.groups ?? [])].some((id) => id !== 0);
}

function checkMounts(mounts: readonly Mount[], canMap: boolean, root: boolean): CheckedMount[] {
  const checked = Array.from(mounts, checkMount);
  const mapped = checked.find((mount) => mount.kind === 'bind' && mount.idMap);
  if (mapped && !canMap) throw new TypeError(`the mount at ${shown(mapped.to)}: idMap needs a new user namespace, by whose ids owners are shown`);
  if (mapped && !root)
    throw new Error(
      `the mount at ${shown(mapped.to)}: only root may map the owners of its files (CAP_SYS_ADMIN where the file system was mounted): run as root, or without idMap`,
    );
  refuseTwice(checked);
  // The deeper ones come later, or those above would hide them.
  return checked.toSorted((a, b) => depth(a.to) - depth(b.to));
}

function depth(path: string): number {
  return path.split('/').length;
}

function refuseTwice(mounts: readonly CheckedMount[]): void {
  const seen = new Set<string>();
  for (const { to } of mounts) {
    if (seen.has(to)) throw new TypeError(`there are two mounts at ${shown(to)}, of which one would hide the other: give one of them`);
    seen.add(to);
  }
}

function checkMount(mount: Mount): CheckedMount {
  if (typeof mount !== 'object' || (mount as unknown) === null) throw new TypeError(`a mount is ${shown(mount)}: give { tmpfs } or { bind, to }`);
  if ('tmpfs' in mount) {
    checkOptions('tmpfs mount', mount, ['tmpfs', 'sizeBytes']);
    const { sizeBytes = DEFAULT_SIZE_BYTES } = mount;
    return { kind: 'tmpfs', to: checkMountPoint(mount.tmpfs), sizeBytes: checkSize('the size of a tmpfs', sizeBytes) };
  }
  checkOptions('bind mount', mount, ['bind', 'to', 'readonly', 'idMap']);
  for (const name of ['readonly', 'idMap'] as const)
    if (mount[name] !== undefined && typeof (mount[name] as unknown) !== 'boolean')
      throw new TypeError(`a bind mount: ${name} is ${shown(mount[name])}: true or false`);
  checkHostPath('the source of a bind mount', mount.bind);
  const from = absolutePath(mount.bind);
  const to = checkMountPoint(mount.to);
  const stat = statSync(nodePath(from), { throwIfNoEntry: false });
  if (!stat) throw new Error(`bind mount: ${shown(mount.bind)} does not exist on the host`);
  const { readonly = false, idMap = false } = mount;
  return { kind: 'bind', from, to, readonly, idMap, of: stat.isDirectory() ? 'directory' : 'file', isHostRoot: isRootOfHost(from) };
}

function checkMountPoint(path: string): string {
  const to = checkDestination('a mount point', path);
  if (to === '/') throw new TypeError('a mount at "/" would hide the root file system: use rootfs');
  if (to === '/proc' || to.startsWith('/proc/')) throw new TypeError(`a mount at ${shown(path)} would let the container fake /proc`);
  return to;
}

function checkDevices(devices: readonly HostDevice[]): CheckedDevice[] {
  return Array.from(devices, (device) => {
    if (typeof device !== 'object' || (device as unknown) === null) throw new TypeError(`a device is ${shown(device)}: give { device: path }`);
    checkOptions('device', device, ['device', 'to', 'access']);
    checkHostPath('a device', device.device);
    const from = absolutePath(device.device);
    const to = checkDestination('the place of a device', device.to === undefined ? from : device.to);
    if (!/^\/dev\/[^/]/.test(to)) throw new TypeError(`the device ${shown(device.device)} cannot be at ${shown(to)}: give a path below /dev`);
    const stat = statSync(nodePath(from), { throwIfNoEntry: false });
    if (!stat) throw new Error(`the device ${shown(device.device)} does not exist on the host`);
    if (!stat.isCharacterDevice() && !stat.isBlockDevice()) throw new Error(`${shown(device.device)} is no device: a file or directory is bound as a mount`);
    const { access = 'rwm' } = device;
    checkDeviceRules([{ allow: true, type: 'char', access }]);
    return { from, name: to.slice('/dev/'.length), type: stat.isBlockDevice() ? 'block' : 'char', ...deviceNumbers(stat.rdev), access };
  });
}

/** The two parts of a device's number as stat(2) gives it, of which the kernel uses 12 and 20 bits: linux/kdev_t.h, new_encode_dev(). */
function deviceNumbers(rdev: number): { major: number; minor: number } {
  return { major: (rdev >>> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) };
}

/** The home of a user, as the container's own /etc/passwd has it. */
function homeFor(uid: number, rootfs: string | undefined): string {
  // The host's programs know no other.
  if (uid === 0 && rootfs === undefined) return '/root';
  let home: string | undefined;
  try {
    home = homeOf(uid, rootfs ?? '/');
  } catch {
    // An image may have anything in the place of its /etc/passwd: that is no reason not to run.
  }
  if (home && !home.includes('\0')) return home;
  return uid === 0 ? '/root' : '/';
}

/** What the environment tells of the container. */
interface EnvFacts {
  readonly hostname: string | undefined;
  readonly rootfs: string | undefined;
  readonly uid: number;
}

function checkEnv(options: ContainerOptions, { hostname, rootfs, uid }: EnvFacts): Record<string, string> {
  const given = Object.fromEntries(Object.entries(options.env ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined));
  for (const [key, value] of Object.entries(given)) {
    checkText(`the environment variable ${shown(key)}`, value);
    if (key === '' || key.includes('=') || key.includes('\0')) throw new TypeError(`${shown(key)} is not the name of an environment variable`);
  }
  return {
    PATH: DEFAULT_PATH,
    HOME: given['HOME'] ?? homeFor(uid, rootfs),
    ...(hostname !== undefined && { HOSTNAME: hostname }),
    ...(options.terminal && { TERM: process.env['TERM'] ?? 'xterm' }),
    ...given,
  };
}

function checkUser(user: User): Required<User> {
  checkOptions('user', user, ['uid', 'gid', 'groups']);
  const { uid, gid, groups = [] } = user;
  if (!Array.isArray(groups)) throw new TypeError(`user: groups is ${shown(groups)}: give an array of ids`);
  for (const id of [uid, gid, ...(groups as readonly number[])])
    if (!Number.isSafeInteger(id) || id < 0 || id > MAX_ID) throw new RangeError(`user: ${shown(id)} is not an id from 0 to ${MAX_ID}`);
  return { uid, gid, groups };
}

function checkTerminal(terminal: TerminalSize): TerminalSize {
  checkOptions('terminal', terminal, ['columns', 'rows']);
  const { columns, rows } = terminal;
  for (const size of [columns, rows])
    if (!Number.isInteger(size) || size < 0 || size > 0xffff)
      throw new RangeError(`a terminal of ${shown(columns)} columns and ${shown(rows)} rows: from 0 to 65535`);
  return { columns, rows };
}
