import { checkOptions, type Fd, type Load, type ResultOf } from '@ctr/syscall';

import { checkInteger, checkWord } from '../check.js';
import { accessesOf, portRights, type LandlockAccess, type LandlockFeature, type LandlockGroup } from './rights.js';
import type { RulePlace } from './steps.js';

/** What is allowed at a file, or at a directory and below it. */
export interface LandlockPath {
  /**
   * A path that the caller vouches for: links in it are followed, in the root and from the directory that the process is in by then.
   * What a container or an image can influence is opened first, beneath its root, and given as `fd`.
   */
  readonly path: string;
  /** Rights and groups of rights. */
  readonly allow: readonly (LandlockAccess | LandlockGroup)[];
  /** Whether there need be nothing at the path. @default false: that is an error */
  readonly optional?: boolean;
}

/** What is allowed at a file that is open, or at a directory that is and below it. */
export interface LandlockFd {
  /** It stays open; O_PATH is enough. */
  readonly fd: Fd | ResultOf | Load;
  /** Rights and groups of rights. */
  readonly allow: readonly (LandlockAccess | LandlockGroup)[];
}

/** What is allowed at which ports, from 0 to 65535. */
export interface LandlockPorts {
  /** To bind a socket to; 0 is the kernel's choice of a free one, which an unbound UDP socket needs to send anything. @default none */
  readonly bind?: readonly number[];
  /** To connect, and for UDP to send, to. @default none */
  readonly connect?: readonly number[];
}

/** What stays possible only within the domain: among the process that takes the steps and what comes of it. */
export type LandlockScope = 'abstractUnixSocket' | 'signal';

/** What a process may still do. Whatever the kernel can deny and no rule allows is denied. */
export interface LandlockRules {
  readonly paths?: readonly (LandlockPath | LandlockFd)[];
  readonly tcp?: LandlockPorts;
  readonly udp?: LandlockPorts;
  /** Connecting to abstract sockets of, and sending signals to, processes outside of the domain: denied where it is named. @default none */
  readonly scopes?: readonly LandlockScope[];
}

/** Rules in terms of the kernel's features. */
export interface ReadRules {
  readonly paths: readonly { readonly place: RulePlace; readonly access: ReadonlySet<LandlockFeature> }[];
  readonly ports: ReadonlyMap<number, ReadonlySet<LandlockFeature>>;
  readonly scopes: readonly LandlockFeature[];
}

/** Reads rules, and refuses what cannot be meant: throws a `RangeError` or `TypeError`. */
export function readRules(rules: LandlockRules): ReadRules {
  checkOptions('landlock', rules, ['paths', 'tcp', 'udp', 'scopes']);
  return { paths: (rules.paths ?? []).map(readPath), ports: readPorts(rules), scopes: readScopes(rules.scopes ?? []) };
}

const scopeNames = { abstractUnixSocket: 'LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET', signal: 'LANDLOCK_SCOPE_SIGNAL' } as const;

function readPath(rule: LandlockPath | LandlockFd): ReadRules['paths'][number] {
  checkOptions('landlock: a rule', rule, ['path', 'fd', 'allow', 'optional']);
  if ('path' in rule === 'fd' in rule) throw new TypeError('landlock: a rule is about either a path or an fd');
  if (rule.allow.length === 0) throw new RangeError('landlock: a rule that allows nothing: leave it out, and nothing is allowed there');
  const access = accessesOf('landlock', rule.allow);
  if ('fd' in rule) return { place: { fd: rule.fd }, access };
  if (rule.path === '') throw new RangeError('landlock: the path of a rule is empty');
  return { place: { path: rule.path, optional: rule.optional ?? false }, access };
}

function readPorts(rules: LandlockRules): Map<number, Set<LandlockFeature>> {
  const all = new Map<number, Set<LandlockFeature>>();
  for (const protocol of ['tcp', 'udp'] as const) {
    const given = rules[protocol] ?? {};
    checkOptions(`landlock: ${protocol}`, given, ['bind', 'connect']);
    for (const action of ['bind', 'connect'] as const) {
      for (const port of given[action] ?? []) {
        checkInteger(`landlock: the ${protocol} port to ${action}${action === 'connect' ? ' to' : ''}`, port, 0, 65535);
        const rights = all.get(port) ?? new Set();
        all.set(port, rights.add(portRights[protocol][action]));
      }
    }
  }
  return all;
}

function readScopes(scopes: readonly LandlockScope[]): LandlockFeature[] {
  return scopes.map((scope) => {
    checkWord('landlock: there is no scope', scope, scopeNames);
    return scopeNames[scope];
  });
}
