import type { Step, ResultOf } from '@ctr/syscall';
import {
  appArmorProfile,
  becomeUser,
  boundingSet,
  capabilityNames,
  capabilitySets,
  compileFilter,
  dumpable,
  ioPriority,
  keepCapabilities,
  newSessionKeyring,
  noNewPrivs,
  personality,
  readCapabilities,
  rlimits,
  scheduler,
  selinuxKeyLabel,
  selinuxLabel,
  type Capability,
  type Rlimits,
  type SeccompFilter,
} from '@ctr/security';
import type { Section } from '@ctr/runtime/assembly';

import type { Linux } from '../config/linux.js';
import type { Process } from '../config/process.js';
import type { LinuxSeccomp } from '../config/seccomp.js';
import { memoryPolicy } from './memory-policy.js';

/** What a process may do, as its configuration says it. */
export interface RightsOptions {
  /** By which a security module is told what to make of the program. */
  readonly proc: ResultOf | undefined;
  /** Whether it has a user namespace of its own, in which everybody who is root has all capabilities. */
  readonly ownUsers: boolean;
  readonly newKeyring: boolean;
  readonly linux: Linux | undefined;
  readonly warn: (message: string) => void;
}

/** What comes before the user changes, which needs more than the program has. */
export function inheritedSettings(process: Process, options: RightsOptions): Section[] {
  const { proc, linux } = options;
  return [
    ['the security module', proc ? labels(process, proc) : []],
    ['the resource limits', rlimits(rlimitsOf(process))],
    ['the scheduling', [...(process.scheduler ? scheduling(process.scheduler) : []), ...(process.ioPriority ? ioPriority(process.ioPriority) : [])]],
    ['the memory policy', linux?.memoryPolicy ? memoryPolicy(linux.memoryPolicy) : []],
    ['the execution domain', linux?.personality ? personality(linux.personality.domain) : []],
    ['the session keyring', options.newKeyring ? newSessionKeyring() : []],
  ];
}

/**
 * Gives up what the program is not to have. The filter of system calls comes behind all of this: what it refuses is not needed any more.
 *
 * @param loadsFilter whether the process is to load one yet. Without no_new_privs that takes CAP_SYS_ADMIN, which is kept until execve(2): there the kernel computes what a program may from
 * the bounding, the inheritable and the ambient set alone. @see capabilities(7), "Transformation of capabilities during execve()"
 */
export function rights(process: Process, options: RightsOptions, loadsFilter: boolean): Section[] {
  const { uid = 0, gid = 0, additionalGids = [], umask = DEFAULT_UMASK } = process.user ?? {};
  const { bounding, ...own } = capabilitiesOf(process, options);
  const nnp = process.noNewPrivileges ?? false;
  const sets = loadsFilter && !nnp ? withAdmin(own) : own;
  // What is to be inheritable has to be permitted until then.
  const needsKept = uid !== 0 && sets.permitted.length + sets.inheritable.length > 0;
  return [
    ['the bounding set', boundingSet(bounding)],
    ['the user', [...(needsKept ? keepCapabilities() : []), ...becomeUser({ uid, gid, groups: additionalGids, umask })]],
    ['the capabilities', capabilitySets(sets)],
    // Programs of the image may run before this one does, with the same ids: `exec` of a container that waits, hooks of `startContainer`.
    ['who may look into it', dumpable(false)],
    ['the privileges', nnp ? noNewPrivs() : []],
  ];
}

function withAdmin<S extends Pick<Sets, 'permitted' | 'effective'>>(sets: S): S {
  const also = (names: readonly Capability[]): readonly Capability[] => [...new Set<Capability>([...names, 'CAP_SYS_ADMIN'])];
  return { ...sets, permitted: also(sets.permitted), effective: also(sets.effective) };
}

const DEFAULT_UMASK = 0o022;

/** The filter of a configuration; `undefined` for none. */
export function filterOf(seccomp: LinuxSeccomp | undefined, process: Process): SeccompFilter | undefined {
  if (!seccomp) return undefined;
  return compileFilter(seccomp, { capabilities: known(process.capabilities?.bounding ?? []) });
}

function labels({ apparmorProfile: profile, selinuxLabel: label }: Process, proc: ResultOf): Step[] {
  return [
    ...(profile === undefined || profile === '' ? [] : appArmorProfile(profile, { proc })),
    ...(label === undefined || label === '' ? [] : [...selinuxLabel(label, { proc }), ...selinuxKeyLabel(label, { proc })]),
  ];
}

function scheduling({ policy, nice, priority, flags, runtime, deadline, period }: NonNullable<Process['scheduler']>): Step[] {
  if (policy === 'SCHED_ISO') throw new TypeError('process.scheduler.policy: SCHED_ISO is reserved, and no kernel has it');
  return scheduler({
    policy,
    ...(nice !== undefined && { nice }),
    ...(priority !== undefined && { priority }),
    ...(flags !== undefined && { flags }),
    ...(runtime !== undefined && { runtimeNs: Number(runtime) }),
    ...(deadline !== undefined && { deadlineNs: Number(deadline) }),
    ...(period !== undefined && { periodNs: Number(period) }),
  });
}

/** `RLIMIT_NOFILE` is `nofile`. */
function rlimitsOf({ rlimits: limits = [] }: Process): Rlimits {
  return Object.fromEntries(limits.map(({ type, soft, hard }) => [type.replace(/^RLIMIT_/, '').toLowerCase(), { soft: BigInt(soft), hard: BigInt(hard) }]));
}

interface Sets {
  readonly bounding: readonly Capability[];
  readonly permitted: readonly Capability[];
  readonly effective: readonly Capability[];
  readonly inheritable: readonly Capability[];
  readonly ambient: readonly Capability[];
}

/** Those that can be given: what cannot be is a warning, as the runtime-spec has it. */
function capabilitiesOf({ capabilities = {} }: Process, { ownUsers, warn }: RightsOptions): Sets {
  const own = ownUsers ? capabilityNames : (readCapabilities('self').permitted as readonly Capability[]);
  const missing = new Set<string>();
  const given = (names: readonly string[] = []): Capability[] =>
    known(names, missing).filter((name) => {
      if (!own.includes(name)) missing.add(name);
      return own.includes(name);
    });
  const [bounding, permitted, effective, inheritable, ambient] = (['bounding', 'permitted', 'effective', 'inheritable', 'ambient'] as const).map((set) =>
    given(capabilities[set]),
  ) as [Capability[], Capability[], Capability[], Capability[], Capability[]];
  if (missing.size > 0) warn(`ignoring unknown or unavailable capabilities: ${[...missing].join(', ')}`);
  return {
    bounding,
    permitted,
    effective: effective.filter((name) => permitted.includes(name)),
    inheritable: inheritable.filter((name) => bounding.includes(name)),
    // The kernel has no other.
    ambient: ambient.filter((name) => permitted.includes(name) && inheritable.includes(name)),
  };
}

function known(names: readonly string[], missing?: Set<string>): Capability[] {
  return [...new Set(names)].filter((name): name is Capability => {
    const isKnown = (capabilityNames as readonly string[]).includes(name);
    if (!isKnown) missing?.add(name);
    return isKnown;
  });
}
