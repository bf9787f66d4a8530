import { checkDeviceRules, type DeviceRule } from '@ctr/cgroups';
import { checkOptions, perUser } from '@ctr/syscall';
import type { Namespace } from '@ctr/namespaces';
import {
  compileFilter,
  defaultProfile,
  type SeccompFilter,
  type SeccompProfile,
  capabilityNames,
  defaultCapabilities,
  parseCapability,
  readCapabilities,
  rlimits,
  type Capability,
  type Rlimits,
} from '@ctr/security';

import { checkDestination, checkText } from './check-path.js';
import { shown } from './shown.js';
import { checkSysctls } from './sysctls.js';
import { maskedSystemPaths, readonlySystemPaths } from './system-paths.js';

/** What the program may do beyond, or short of, the default. */
export interface HardeningOptions {
  /** Changes to the default capabilities. @default CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, NET_BIND_SERVICE, SETFCAP, SETGID, SETPCAP, SETUID, SYS_CHROOT for root, none for other users */
  readonly capabilities?: CapabilityChanges;
  /** No program brings rights with it, by a set-user-id bit or by file capabilities. @default true */
  readonly noNewPrivileges?: boolean;
  /** The system calls that may be made: a profile in the form of docker or of the OCI runtime-spec; one that is frozen, with its `syscalls`, is compiled once. @default that of docker, without what a container has no use for */
  readonly seccomp?: SeccompProfile | 'unconfined';
  /** Paths that show nothing. @default those of /proc and /sys that tell of the host */
  readonly maskedPaths?: readonly string[];
  /** Paths that cannot be written. @default those of /proc by which the host is configured */
  readonly readonlyPaths?: readonly string[];
  /** Resource limits of each process. @default at most 1024 open files until a program asks for more, and no core dumps */
  readonly rlimits?: Rlimits;
  /** Settings of the kernel that belong to the container's namespaces: `net.ipv4.ip_forward`, for instance. */
  readonly sysctls?: Readonly<Record<string, string>>;
  /** The AppArmor profile of the program; an error where AppArmor is not at work. @default the caller's */
  readonly appArmorProfile?: string;
  /** The SELinux label of the program; an error where SELinux is not at work. @default the caller's, or what the policy makes of it */
  readonly selinuxLabel?: string;
  /**
   * Rules about devices behind the default ones, of which the last one that matches counts; `'unconfined'`: any device that it has a file of.
   * @default that of docker: it may make any device file, and use null, zero, full, random, urandom, tty and its own terminals, and what `devices` names
   */
  readonly deviceRules?: readonly DeviceRule[] | 'unconfined';
  /** Bits that are taken from the mode of each file the program makes. @default 0o022 */
  readonly umask?: number;
  /** The keys of the session: none at first, or those of the caller, which the container's programs may then read and change, as far as they may call keyctl(2). @default 'new' */
  readonly sessionKeyring?: 'new' | 'inherit';
  /**
   * The session of the program: one of its own, or that of the caller, with the caller's terminal as its own: job control works there, and `/dev/tty`;
   * the terminal's signals reach the program itself, too. A `terminal` needs a new one.
   * @default 'new'
   */
  readonly session?: 'new' | 'inherit';
}

/** A capability by its name, with or without CAP_. */
export type CapabilityName = Capability | (Capability extends `CAP_${infer Name}` ? Name | Lowercase<Name> : never);

/** Capabilities beside the default ones, and those that are taken out of them. What is added counts more. */
export interface CapabilityChanges {
  readonly add?: readonly CapabilityName[] | 'all';
  readonly drop?: readonly CapabilityName[] | 'all';
}

/** {@link HardeningOptions}, checked and complete. */
export interface Hardening {
  /** The bounding set, and what root has. */
  readonly capabilities: readonly Capability[];
  /** What a user other than root has, too. */
  readonly added: readonly Capability[];
  readonly noNewPrivileges: boolean;
  readonly filter: SeccompFilter | undefined;
  /** The filter is of a profile that the caller has given. */
  readonly ownProfile: boolean;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  readonly rlimits: Rlimits;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly appArmorProfile: string | undefined;
  readonly selinuxLabel: string | undefined;
  readonly deviceRules: readonly DeviceRule[] | 'unconfined';
  readonly umask: number;
  readonly sessionKeyring: 'new' | 'inherit';
  readonly session: 'new' | 'inherit';
}

/** The keys of {@link HardeningOptions}. */
export const hardeningNames = [
  'capabilities', 'noNewPrivileges', 'seccomp', 'maskedPaths', 'readonlyPaths', 'rlimits', 'sysctls', 'appArmorProfile', 'selinuxLabel', 'deviceRules',
  'umask', 'sessionKeyring', 'session',
] as const satisfies readonly (keyof HardeningOptions)[]; // prettier-ignore

/**
 * No boundary for the root of a container: every capability the caller has, every system call, all of /proc and /sys, every device.
 * It is for containers that are to hold others, and for programs that set up the host.
 *
 * @example
 * ```ts
 * import { privileged, run } from '@ctr/runtime';
 * const { stdout } = await run(['sh', '-c', 'grep ^CapEff /proc/self/status'], privileged);
 * ```
 */
export const privileged = Object.freeze({
  capabilities: Object.freeze({ add: 'all' }),
  noNewPrivileges: false,
  seccomp: 'unconfined',
  maskedPaths: Object.freeze([]),
  readonlyPaths: Object.freeze([]),
  deviceRules: 'unconfined',
}) satisfies HardeningOptions;

const defaultRlimits: Rlimits = Object.freeze({ nofile: { soft: 1024 }, core: 0 });
const DEFAULT_UMASK = 0o022;

/**
 * Checks {@link HardeningOptions} and fills in the defaults. Throws a `TypeError` or `RangeError` for what cannot be,
 * and an `Error` where a capability is to be given that the caller does not have.
 */
export function checkHardening(options: HardeningOptions, isNew: (kind: Namespace) => boolean, hasUserOfCaller: boolean): Hardening {
  if (hardeningNames.some((name) => options[name] !== undefined)) return check(options, isNew, hasUserOfCaller);
  let usual = defaults().get(hasUserOfCaller);
  if (!usual) defaults().set(hasUserOfCaller, (usual = Object.freeze(check({}, isNew, hasUserOfCaller))));
  return usual;
}

/** What most containers have: checked once, and known by being the same object. */
const defaults = perUser(() => new Map<boolean, Hardening>());

function check(options: HardeningOptions, isNew: (kind: Namespace) => boolean, hasUserOfCaller: boolean): Hardening {
  const { noNewPrivileges = true, rlimits: limits = defaultRlimits, sysctls = {}, umask = DEFAULT_UMASK, seccomp = defaultProfile, deviceRules = [] } = options;
  if (typeof (noNewPrivileges as unknown) !== 'boolean') throw new TypeError(`noNewPrivileges is ${shown(noNewPrivileges)}: true or false`);
  if ((typeof (seccomp as unknown) !== 'object' || (seccomp as unknown) === null) && seccomp !== 'unconfined')
    throw new TypeError(`seccomp is ${shown(seccomp)}: give a profile, or 'unconfined'`);
  if (!Number.isInteger(umask) || umask < 0 || umask > 0o777) throw new RangeError(`umask is ${shown(umask)}: an integer from 0 to 0o777`);
  for (const name of ['sessionKeyring', 'session'] as const)
    if (options[name] !== undefined && !['new', 'inherit'].includes(options[name]))
      throw new TypeError(`${name} is ${shown(options[name])}: 'new' or 'inherit'`);
  for (const name of ['maskedPaths', 'readonlyPaths', 'appArmorProfile', 'selinuxLabel'] as const) {
    const value: unknown = options[name];
    const isNone = value === undefined || (Array.isArray(value) && value.length === 0);
    if (!isNone && !isNew('mount')) throw new TypeError(`${name} needs a mount namespace of the container's own`);
  }
  const { capabilities, added } = checkCapabilities(options.capabilities ?? {}, hasUserOfCaller);
  if (options.rlimits) rlimits(limits);
  if (deviceRules !== 'unconfined' && !Array.isArray(deviceRules))
    throw new TypeError(`deviceRules is ${shown(deviceRules)}: give an array of rules, or 'unconfined'`);
  if (deviceRules !== 'unconfined') checkDeviceRules(deviceRules);
  return {
    capabilities,
    added,
    noNewPrivileges,
    filter: seccomp === 'unconfined' ? undefined : compileFilter(seccomp, { capabilities }),
    ownProfile: options.seccomp !== undefined,
    maskedPaths: options.maskedPaths === undefined ? maskedSystemPaths() : checkPaths('maskedPaths', options.maskedPaths),
    readonlyPaths: options.readonlyPaths === undefined ? readonlySystemPaths : checkPaths('readonlyPaths', options.readonlyPaths),
    rlimits: { ...defaultRlimits, ...limits },
    sysctls: checkSysctls(sysctls, isNew),
    appArmorProfile: options.appArmorProfile,
    selinuxLabel: options.selinuxLabel,
    deviceRules,
    umask,
    sessionKeyring: options.sessionKeyring ?? 'new',
    session: options.session ?? 'new',
  };
}

/** The whole system's root may lack some capabilities itself; in a user namespace of its own, nobody does. */
function checkCapabilities(changes: CapabilityChanges, ofCaller: boolean): Pick<Hardening, 'capabilities' | 'added'> {
  checkOptions('capabilities', changes, ['add', 'drop']);
  const { add = [], drop = [] } = changes;
  const own = ofCaller ? permitted() : capabilityNames;
  for (const [where, list] of Object.entries({ add, drop }))
    if (list !== 'all' && !Array.isArray(list)) throw new TypeError(`capabilities: ${where} is ${shown(list)}: give an array of names, or 'all'`);
  const named = (list: readonly CapabilityName[] | 'all'): readonly Capability[] =>
    list === 'all'
      ? own
      : list.map((name) => {
          checkText('a capability', name);
          return parseCapability(name);
        });
  const dropped = named(drop);
  const missing = add === 'all' ? undefined : named(add).find((name) => !own.includes(name));
  if (missing !== undefined)
    throw new Error(`capabilities: ${missing} cannot be added, since the caller does not have it: it is in a container, or was started without it`);
  // Each by its name counts more than all of them.
  const added = add === 'all' && drop !== 'all' ? own.filter((name) => !dropped.includes(name)) : named(add);
  const kept = defaultCapabilities.filter((name) => own.includes(name) && !dropped.includes(name));
  return {
    capabilities: added.length === 0 && dropped.length === 0 && kept.length === defaultCapabilities.length ? defaultCapabilities : sorted([...kept, ...added]),
    added,
  };
}

function sorted(names: readonly Capability[]): Capability[] {
  return capabilityNames.filter((name) => names.includes(name));
}

/** Read once for each user that this process is: one that has given up capabilities in another way is told by the kernel. */
const permitted = perUser((): readonly Capability[] => sorted(readCapabilities('self').permitted as Capability[]));

function checkPaths(what: string, paths: readonly string[]): readonly string[] {
  if (!Array.isArray(paths)) throw new TypeError(`${what} is ${shown(paths)}: give an array of paths of the container`);
  return Array.from(paths as readonly string[], (path) => checkDestination(what, path));
}
