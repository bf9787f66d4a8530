import {
  _LINUX_CAPABILITY_VERSION_3,
  ambientOperations,
  capData,
  capHeader,
  capabilityNumbers,
  checkOptions,
  label,
  Memory,
  prctlOptions,
  type Step,
} from '@ctr/syscall';

import { capabilityNames, checkCapabilities, type Capability } from './capability.js';

/** The sets of capabilities that a process has, but for the bounding set. What is left out is empty, but for `effective`. */
export interface CapabilitySets {
  /** What it may make use of. */
  readonly permitted: readonly Capability[];
  /** What it makes use of. @default what is permitted */
  readonly effective?: readonly Capability[];
  /** What a program whose file asks for it (`setcap …+i`) gets. @default none */
  readonly inheritable?: readonly Capability[];
  /** What every program gets that an ordinary user executes. Each is permitted and inheritable as well. @default none */
  readonly ambient?: readonly Capability[];
}

/** All sets of capabilities of a process. */
export interface AllCapabilitySets extends CapabilitySets {
  /** What it, or what it executes, can ever have. @default what is permitted */
  readonly bounding?: readonly Capability[];
}

/**
 * A process that stays who it is keeps these capabilities and no other: all five sets are written, whatever it had before.
 * A list stands for the bounding, the permitted and the effective set; the inheritable and the ambient set are empty then, so that no file gives more than it.
 *
 * A process that becomes another user takes the parts instead: {@link boundingSet} and {@link keepCapabilities} before, {@link capabilitySets} after.
 *
 * The steps fail with EPERM without CAP_SETPCAP, or if a capability is to be kept that the process does not have.
 * Throws a `RangeError` for a name that is none, or for sets that the kernel does not take together.
 *
 * @see capabilities(7)
 * @example
 * ```ts
 * import { capabilities } from '@ctr/security';
 * import { launch } from '@ctr/syscall';
 * const child = await launch([
 *   ...capabilities(['CAP_NET_BIND_SERVICE']),
 *   { call: 'execve', args: ['/bin/sh', ['sh', '-c', 'grep ^Cap /proc/self/status'], []], purpose: 'the program' },
 * ]);
 * await child.exited;
 * ```
 */
export function capabilities(keep: readonly Capability[] | AllCapabilitySets): Step[] {
  const sets: AllCapabilitySets = isList(keep) ? { permitted: keep } : keep;
  checkOptions('capabilities', sets, ['bounding', 'permitted', 'effective', 'inheritable', 'ambient']);
  const { bounding = sets.permitted, ...others } = sets;
  const kept = capabilitySets(others);
  const outside = others.inheritable?.find((name) => !bounding.includes(name));
  if (outside !== undefined) throw new RangeError(`capabilities: ${outside} is inheritable, but not in the bounding set`);
  return [...boundingSet(bounding), ...kept];
}

/**
 * Takes every other capability from the bounding set: no program that is executed from here on can have it, whatever its file says.
 * One that only a newer kernel has, and that has no name here yet, is taken as well. What the process has now stays as it is.
 *
 * The steps fail with EPERM without CAP_SETPCAP: they stand before those that give it up, and before a change of user.
 *
 * @see PR_CAPBSET_DROP(2const)
 * @example
 * ```ts
 * import { boundingSet, defaultCapabilities } from '@ctr/security';
 * const steps = boundingSet(defaultCapabilities);
 * ```
 */
export function boundingSet(keep: readonly Capability[]): Step[] {
  checkCapabilities('bounding', keep);
  const hints = { EPERM: 'this needs CAP_SETPCAP, which has been given up already or was never there: in a user namespace of its own, every process has it' };
  const drop = (capability: Step['args'][number], purpose: string): Step => ({
    call: 'prctl',
    args: [prctlOptions.PR_CAPBSET_DROP, capability],
    purpose,
    hints,
  });
  const known = capabilityNames.filter((name) => !keep.includes(name)).map((name) => drop(capabilityNumbers[name], 'no program gains it'));
  const next = new Memory(Buffer.from(BigUint64Array.of(BigInt(capabilityNames.length)).buffer), 'next');
  const done = label('there are no more');
  const newer: Step = { ...drop(next.u64(), 'nor one that a newer kernel has'), tolerates: ['EINVAL'], jump: { when: '<', to: done } };
  return [...known, newer, { call: 'add', args: [next.u64(), 1], purpose: 'the one behind it', into: next.at(0), jump: { when: '!=', to: newer } }, done];
}

/**
 * Writes the other four sets: ambient, permitted, effective, inheritable. What is not named is gone.
 *
 * The steps fail with EPERM if a capability is to be permitted that the process does not have.
 * Throws a `RangeError` for a name that is none, for an effective one that is not permitted, for an ambient one that is not permitted and inheritable.
 *
 * @see capset(2), PR_CAP_AMBIENT(2const)
 * @example An ordinary user with one right, which programs that it executes have as well
 * ```ts
 * import { becomeUser, boundingSet, capabilitySets } from '@ctr/security';
 * const bind = ['CAP_NET_BIND_SERVICE'] as const;
 * const steps = [
 *   ...boundingSet(bind),
 *   ...becomeUser({ uid: 1000, gid: 1000, keepCapabilities: true }),
 *   ...capabilitySets({ permitted: bind, inheritable: bind, ambient: bind }),
 * ];
 * ```
 */
export function capabilitySets(sets: CapabilitySets): Step[] {
  checkOptions('capabilitySets', sets, ['permitted', 'effective', 'inheritable', 'ambient']);
  const { permitted, effective = permitted, inheritable = [], ambient = [] } = sets;
  for (const [what, names] of Object.entries({ permitted, effective, inheritable, ambient })) checkCapabilities(what, names);
  checkWithin('effective', effective, 'permitted', permitted);
  checkWithin('ambient', ambient, 'permitted', permitted);
  checkWithin('ambient', ambient, 'inheritable', inheritable);
  const header = capHeader({ version: _LINUX_CAPABILITY_VERSION_3, pid: 0 });
  const [effectiveBits, permittedBits, inheritableBits] = [halves(effective), halves(permitted), halves(inheritable)];
  const data = capData({
    effective: effectiveBits.low,
    permitted: permittedBits.low,
    inheritable: inheritableBits.low,
    ...(effectiveBits.high && { effective_high: effectiveBits.high }),
    ...(permittedBits.high && { permitted_high: permittedBits.high }),
    ...(inheritableBits.high && { inheritable_high: inheritableBits.high }),
  });
  const { PR_CAP_AMBIENT_CLEAR_ALL, PR_CAP_AMBIENT_RAISE } = ambientOperations;
  return [
    { call: 'prctl', args: [prctlOptions.PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0], purpose: 'no capability comes with every program' },
    {
      call: 'capset',
      args: [header, data],
      purpose: permitted.length === 0 ? 'no capabilities' : 'these capabilities and no other',
      hints: {
        EPERM:
          'a process can keep only what it is permitted itself (root in a container, for instance, is not permitted everything), and what is inheritable has to be in its bounding set: readCapabilities() shows both',
      },
    },
    ...ambient.map((name): Step => ({
      call: 'prctl',
      args: [prctlOptions.PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capabilityNumbers[name], 0, 0],
      purpose: 'but this one',
      hints: { EPERM: 'SECBIT_NO_CAP_AMBIENT_RAISE is set: there are no ambient capabilities then' },
    })),
  ];
}

/**
 * The permitted set outlasts the change of root to an ordinary user, until the next execve(2); the effective set has to be written anew after it.
 * `becomeUser` has it as an option.
 *
 * Fails with EPERM if SECBIT_KEEP_CAPS_LOCKED is set.
 *
 * @see PR_SET_KEEPCAPS(2const)
 * @example
 * ```ts
 * import { keepCapabilities } from '@ctr/security';
 * import { explain } from '@ctr/syscall';
 * console.log(explain(keepCapabilities()));
 * // 1  prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)  # another user keeps what is permitted
 * ```
 */
export function keepCapabilities(): Step[] {
  return [{ call: 'prctl', args: [prctlOptions.PR_SET_KEEPCAPS, 1, 0, 0, 0], purpose: 'another user keeps what is permitted' }];
}

function isList(value: readonly Capability[] | AllCapabilitySets): value is readonly Capability[] {
  return Array.isArray(value);
}

function checkWithin(what: string, names: readonly Capability[], whole: string, all: readonly Capability[]): void {
  const outside = names.find((name) => !all.includes(name));
  if (outside === undefined) return;
  const rule = what === 'ambient' ? 'an ambient capability has to be permitted and inheritable' : `an ${what} capability has to be ${whole}`;
  throw new RangeError(`capabilities: ${outside} is ${what}, but not ${whole}: ${rule}`);
}

/** A set as the two halves that capset(2) takes. */
function halves(names: readonly Capability[]): { low: number; high: number } {
  let [low, high] = [0, 0];
  for (const number of new Set(names.map((name) => capabilityNumbers[name]))) {
    if (number < 32) low += 2 ** number;
    else high += 2 ** (number - 32);
  }
  return { low, high };
}
