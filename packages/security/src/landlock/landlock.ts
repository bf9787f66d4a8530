import { landlockAccessFs, landlockAccessNet, landlockRestrictFlags, landlockRulesetAttr, landlockScopes, resultOf, type Step } from '@ctr/syscall';

import { landlockAbi, landlockUnavailable, unavailable } from './abi.js';
import { readOptions, type LandlockOptions } from './options.js';
import { abiOf, needOf, portRights, type LandlockFeature } from './rights.js';
import { readRules, type LandlockRules } from './rules.js';
import { pathRule, portRule } from './steps.js';

/** Rules as steps, and what becomes of them under an older kernel. */
export interface LandlockPlan {
  /** None if the kernel can enforce nothing of it. */
  readonly steps: Step[];
  /** The version of Landlock that they are for. */
  readonly abi: number;
  /** What stays possible although no rule allows it, and flags that are not set, since the ABI does not know them. */
  readonly notEnforced: readonly LandlockFeature[];
  /** What stays denied although a rule allows it: to move files between directories, in ABI 1. */
  readonly notAllowed: readonly LandlockFeature[];
}

/**
 * The process, and all that comes of it, can do no more than the rules allow. No privilege is needed, and there is no way back; rulesets nest.
 * As much is enforced as the kernel can, which may be nothing: {@link planLandlock} tells what is not, and `strict` refuses it.
 *
 * Files that are open already stay usable. Landlock does not cover changing directory, stat, chmod, chown, extended attributes and times;
 * mounting is denied altogether. If it is performed rather than launched, it restricts this one thread, so in Node not the thread pool that reads files.
 *
 * The steps fail with ENOENT (there is nothing at a path), EPERM (neither no_new_privs nor CAP_SYS_ADMIN), E2BIG (16 rulesets are nested already).
 * Throws a `RangeError` for a right, port or scope that does not exist, a `TypeError` for an option that does not, and an `Error` if it is `strict` and not possible.
 *
 * @see landlock(7)
 * @example A program that reads the system, and writes to /tmp only
 * ```ts
 * import { landlock, noNewPrivs } from '@ctr/security';
 * import { launch } from '@ctr/syscall';
 * const rules = { paths: [{ path: '/', allow: ['read', 'execute'] }, { path: '/tmp', allow: ['write'] }] } as const;
 * const child = await launch([
 *   ...noNewPrivs(),
 *   ...landlock(rules),
 *   { call: 'execve', args: ['/bin/sh', ['sh', '-c', 'echo x > /var/x || echo denied'], ['PATH=/bin']], purpose: 'the program' },
 * ]);
 * await child.exited;
 * ```
 */
export function landlock(rules: LandlockRules, options: LandlockOptions = {}): Step[] {
  return planLandlock(rules, options).steps;
}

/**
 * The steps of {@link landlock}, with what the kernel cannot enforce of them. Throws as it does.
 *
 * @example
 * ```ts
 * import { planLandlock } from '@ctr/security';
 * const { steps, notEnforced } = planLandlock({ paths: [{ path: '/usr', allow: ['read', 'execute'] }] }, { abi: 3 });
 * console.log(steps.length, notEnforced); // what came after ABI 3: TCP, ioctl, …
 * ```
 */
export function planLandlock(rules: LandlockRules, options: LandlockOptions = {}): LandlockPlan {
  const { paths, ports, scopes } = readRules(rules);
  const { handled = everything, flags } = readOptions(options);
  const abi = options.abi ?? landlockAbi();
  const offered = (feature: LandlockFeature): boolean => abiOf(feature) <= abi;
  // ABI 1 denies it always: there is nothing to be handled.
  const isDenied = (feature: LandlockFeature): boolean => feature === 'LANDLOCK_ACCESS_FS_REFER' && abi === 1;
  const notEnforced = [...handled, ...scopes, ...flags].filter((feature) => !offered(feature) && !isDenied(feature));
  const allowed = new Set<LandlockFeature>(paths.flatMap(({ access }) => [...access]));
  const notAllowed = [...allowed].filter(isDenied);
  if (options.strict === true) {
    const asked = new Set<LandlockFeature>([...(options.handled === undefined ? impliedBy(rules, allowed) : handled), ...scopes, ...flags]);
    refuse(abi, options.abi !== undefined, [...notEnforced.filter((feature) => asked.has(feature)), ...notAllowed]);
  }
  const bits = (features: Iterable<LandlockFeature>, table: Readonly<Record<string, number>>): number => {
    let all = 0;
    for (const feature of features) if (offered(feature)) all |= table[feature] ?? 0;
    return all;
  };
  const handledFs = bits(handled, landlockAccessFs);
  const handledNet = bits(handled, landlockAccessNet);
  const scoped = bits(scopes, landlockScopes);
  if ((handledFs | handledNet | scoped) === 0) return { steps: [], abi, notEnforced, notAllowed };
  const ruleset = createRuleset(handledFs, handledNet, scoped);
  const steps = [ruleset];
  for (const { place, access } of paths) {
    const allow = bits(access, landlockAccessFs) & handledFs;
    if (allow !== 0) steps.push(...pathRule(ruleset, place, allow));
  }
  for (const [port, access] of ports) {
    const allow = bits(access, landlockAccessNet) & handledNet;
    if (allow !== 0) steps.push(portRule(ruleset, port, allow));
  }
  steps.push(...restrict(ruleset, bits(flags, landlockRestrictFlags)));
  return { steps, abi, notEnforced, notAllowed };
}

/** All that can be denied at all. */
const everything: ReadonlySet<LandlockFeature> = new Set([...names(landlockAccessFs), ...names(landlockAccessNet)]);

function names<Table extends object>(table: Table): (keyof Table & LandlockFeature)[] {
  return Object.keys(table) as (keyof Table & LandlockFeature)[];
}

/** What the rules as they stand say has to be deniable. */
function impliedBy(rules: LandlockRules, allowed: ReadonlySet<LandlockFeature>): LandlockFeature[] {
  const implied: LandlockFeature[] = [...allowed];
  if (rules.paths) implied.push(...names(landlockAccessFs).filter((right) => abiOf(right) <= 5));
  for (const protocol of ['tcp', 'udp'] as const) if (rules[protocol]) implied.push(...Object.values(portRights[protocol]));
  return implied;
}

function refuse(abi: number, isGiven: boolean, missing: readonly LandlockFeature[]): void {
  if (missing.length === 0) return;
  const why =
    abi === 0
      ? `there is no Landlock${isGiven ? '' : `: ${landlockUnavailable()}`}`
      : `ABI ${abi} of Landlock is not enough: ${missing.map(needOf).join(', ')}`;
  throw new Error(`landlock: ${why}. Without strict, less is enforced`);
}

function createRuleset(handledFs: number, handledNet: number, scoped: number): Step {
  const attr = landlockRulesetAttr({
    ...(handledFs !== 0 && { handled_access_fs: handledFs }),
    ...(handledNet !== 0 && { handled_access_net: handledNet }),
    ...(scoped !== 0 && { scoped }),
  });
  return {
    call: 'landlock_create_ruleset',
    args: [attr, attr.byteLength, 0],
    purpose: 'what is denied unless a rule allows it',
    as: 'ruleset',
    hints: { ...unavailable, EINVAL: 'the kernel offers an older Landlock than these steps are made for: see landlockAbi()' },
  };
}

function restrict(ruleset: Step, flags: number): Step[] {
  return [
    {
      call: 'landlock_restrict_self',
      args: [resultOf(ruleset), flags],
      purpose: 'no more than the rules allow from here on',
      hints: {
        EPERM: 'a process without CAP_SYS_ADMIN has to set no_new_privs first: noNewPrivs()',
        E2BIG: 'the process is in 16 nested rulesets already, and the kernel takes no more: put rules together',
      },
    },
    { call: 'close', args: [resultOf(ruleset)], purpose: 'the ruleset is in force' },
  ];
}
