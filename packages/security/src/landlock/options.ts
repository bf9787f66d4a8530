import { checkOptions } from '@ctr/syscall';

import { checkInteger, checkWord } from '../check.js';
import { accessesOf, portRights, type LandlockAccess, type LandlockFeature, type LandlockGroup } from './rights.js';
import type { LandlockPorts } from './rules.js';

/** What rules are about: what is not handled is left as it was. */
export interface LandlockHandled {
  /** Whatever is named, renaming and linking between directories (`REFER`) is always denied unless it is handled and a rule allows it. */
  readonly paths?: readonly (LandlockAccess | LandlockGroup)[];
  readonly tcp?: readonly (keyof LandlockPorts)[];
  readonly udp?: readonly (keyof LandlockPorts)[];
}

/** Which denials the kernel's audit log is to have. */
export interface LandlockLog {
  /** Those of the program that takes the steps, until it executes another. @default true */
  readonly sameExec?: boolean;
  /** Those of the programs that it executes. @default false */
  readonly newExec?: boolean;
  /** Those of domains that are nested in this one. @default true */
  readonly subdomains?: boolean;
}

/** How rules are made into steps. */
export interface LandlockOptions {
  /** The version of Landlock where the steps are taken. @default that of this kernel */
  readonly abi?: number;
  /** What the rules are about. @default everything that the ABI offers, so that what no rule allows is denied */
  readonly handled?: LandlockHandled;
  /**
   * Throw, rather than enforce less, if the ABI cannot enforce what is asked for: what `handled` names, or else all rights to files that ABI 5 has
   * if there are `paths`, and those of `tcp` and `udp` if they are there; and the scopes, the log and `allThreads` as given.
   *
   * @default false
   */
  readonly strict?: boolean;
  /** What is logged (from ABI 7). */
  readonly log?: LandlockLog;
  /** Restrict every thread of the process (from ABI 8), rather than the one that takes the steps. A process that is launched has one only. @default false */
  readonly allThreads?: boolean;
}

/** Options in terms of the kernel's features. */
export interface ReadOptions {
  /** `undefined` for everything. */
  readonly handled: ReadonlySet<LandlockFeature> | undefined;
  readonly flags: readonly LandlockFeature[];
}

/** Reads options, and refuses what cannot be meant: throws a `RangeError` or `TypeError`. */
export function readOptions(options: LandlockOptions): ReadOptions {
  checkOptions('landlock', options, ['abi', 'handled', 'strict', 'log', 'allThreads']);
  if (options.abi !== undefined) checkInteger('landlock: abi', options.abi, 0, 1000);
  return { handled: options.handled && readHandled(options.handled), flags: readFlags(options) };
}

function readHandled(handled: LandlockHandled): Set<LandlockFeature> {
  checkOptions('landlock: handled', handled, ['paths', 'tcp', 'udp']);
  const all = new Set<LandlockFeature>(accessesOf('landlock: handled', handled.paths ?? []));
  for (const protocol of ['tcp', 'udp'] as const) {
    for (const action of handled[protocol] ?? []) {
      checkWord(`landlock: ${protocol} handles no`, action, portRights[protocol]);
      all.add(portRights[protocol][action]);
    }
  }
  return all;
}

function readFlags({ log = {}, allThreads = false }: LandlockOptions): LandlockFeature[] {
  checkOptions('landlock: log', log, ['sameExec', 'newExec', 'subdomains']);
  const flags: LandlockFeature[] = [];
  if (log.sameExec === false) flags.push('LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF');
  if (log.newExec === true) flags.push('LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON');
  if (log.subdomains === false) flags.push('LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF');
  if (allThreads) flags.push('LANDLOCK_RESTRICT_SELF_TSYNC');
  return flags;
}
