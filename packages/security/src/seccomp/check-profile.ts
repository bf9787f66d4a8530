import { capabilityNumbers, nearest, quote } from '@ctr/syscall';

import { actionValues, largestData, type SeccompAction } from './action.js';
import { architectures, conditionArches } from './architecture.js';
import { operators, profileFlags, type SeccompProfile } from './profile.js';

const MAX_U64 = 2n ** 64n - 1n;
const words = {
  action: Object.keys(actionValues),
  architecture: Object.keys(architectures),
  capability: Object.keys(capabilityNumbers),
  operator: operators,
  flag: profileFlags,
  arch: conditionArches,
} as const;
type Unchecked = Readonly<Record<string, unknown>>;

/**
 * Refuses what is not a profile: it may come from a file. Throws a `TypeError` for what has the wrong type, a `RangeError` for a value that does not exist;
 * both begin with where it stands, as in `syscalls[3].args[0].index`.
 */
export function checkProfile(profile: SeccompProfile): void {
  const { defaultAction, defaultErrnoRet, architectures: listed, archMap, flags, syscalls } = object('a seccomp profile', profile);
  word('defaultAction', defaultAction, 'action');
  errnoRet('defaultErrnoRet', defaultErrnoRet, defaultAction as SeccompAction);
  if (isGiven(listed) && isGiven(archMap) && list('architectures', listed).length > 0 && list('archMap', archMap).length > 0)
    throw new TypeError('architectures, archMap: a seccomp profile has one or the other');
  each('architectures', listed, (where, one) => word(where, one, 'architecture'));
  each('archMap', archMap, (where, one) => {
    const { architecture, subArchitectures } = object(where, one);
    word(`${where}.architecture`, architecture, 'architecture');
    each(`${where}.subArchitectures`, subArchitectures, (at, sub) => word(at, sub, 'architecture'));
  });
  each('flags', flags, (where, one) => word(where, one, 'flag'));
  each('syscalls', syscalls, checkRule);
}

function checkRule(where: string, value: unknown): void {
  const rule = object(where, value);
  const { name, names, action, args, first } = rule;
  if (isGiven(name) && isGiven(names) && list(`${where}.names`, names).length > 0) throw new TypeError(`${where}: a rule has name or names, not both`);
  if (isGiven(name)) callName(`${where}.name`, name);
  else if (!isGiven(names)) throw new TypeError(`${where}.names: they are missing`);
  const all = isGiven(names) ? list(`${where}.names`, names) : [];
  for (let i = 0; i < all.length; i++) if (typeof all[i] !== 'string' || all[i] === '') callName(`${where}.names[${i}]`, all[i]);
  word(`${where}.action`, action, 'action');
  errnoRet(`${where}.errnoRet`, rule['errnoRet'], action as SeccompAction);
  each(`${where}.args`, args, checkArg);
  for (const side of ['includes', 'excludes'] as const) if (isGiven(rule[side])) checkCondition(`${where}.${side}`, rule[side]);
  if (isGiven(first) && typeof first !== 'boolean') throw wrongType(`${where}.first`, first, 'true or false');
}

function checkArg(where: string, value: unknown): void {
  const { index, value: one, valueTwo, op } = object(where, value);
  if (typeof index !== 'number') throw wrongType(`${where}.index`, index, 'a number');
  if (!Number.isInteger(index) || index < 0 || index > 5) throw new RangeError(`${where}.index: ${index}: a call has the arguments 0 to 5`);
  word(`${where}.op`, op, 'operator');
  u64(`${where}.value`, one);
  if (isGiven(valueTwo)) u64(`${where}.valueTwo`, valueTwo);
}

function checkCondition(where: string, value: unknown): void {
  const { caps, arches, minKernel } = object(where, value);
  each(`${where}.caps`, caps, (at, one) => word(at, one, 'capability'));
  each(`${where}.arches`, arches, (at, one) => word(at, one, 'arch'));
  if (!isGiven(minKernel) || minKernel === '') return;
  if (typeof minKernel !== 'string') throw wrongType(`${where}.minKernel`, minKernel, 'a string');
  if (!/^\d{1,3}\.\d{1,3}$/.test(minKernel)) throw new RangeError(`${where}.minKernel: ${quote(minKernel)}: it has the form 4.8`);
}

function errnoRet(where: string, value: unknown, action: SeccompAction): void {
  if (!isGiven(value)) return;
  if (typeof value !== 'number') throw wrongType(where, value, 'a number');
  const most = largestData[action];
  // Programs write a zero for what is not set; the runtime-spec wants any other number refused.
  if (most === undefined && value === 0) return;
  if (most === undefined) throw new RangeError(`${where}: ${value}: ${action} has no errno`);
  if (!Number.isInteger(value) || value < 0 || value > most) throw new RangeError(`${where}: ${value}: with ${action} it is an integer from 0 to ${most}`);
}

function callName(where: string, value: unknown): void {
  if (typeof value !== 'string') throw wrongType(where, value, 'the name of a system call');
  if (value === '') throw new RangeError(`${where}: an empty name`);
}

function u64(where: string, value: unknown): void {
  if (typeof value !== 'number' && typeof value !== 'bigint') throw wrongType(where, value, 'a number or a bigint');
  if (typeof value === 'number' && !Number.isSafeInteger(value) && value > 0 && Number.isInteger(value))
    throw new RangeError(`${where}: ${value}: a number does not hold it exactly: give it as a bigint`);
  if (typeof value === 'number' ? !Number.isSafeInteger(value) || value < 0 : value < 0n || value > MAX_U64)
    throw new RangeError(`${where}: ${value}: it has to be an integer from 0 to 2^64 - 1`);
}

function word(where: string, value: unknown, kind: keyof typeof words): void {
  const known: readonly string[] = words[kind];
  if (typeof value !== 'string') throw wrongType(where, value, 'a string');
  if (known.includes(value)) return;
  const near = nearest(value, known);
  throw new RangeError(`${where}: ${quote(value)} is not known${near === undefined ? `: it has to be one of ${known.join(', ')}` : `: did you mean ${near}?`}`);
}

function each(where: string, value: unknown, check: (where: string, one: unknown) => void): void {
  if (!isGiven(value)) return;
  for (const [i, one] of list(where, value).entries()) check(`${where}[${i}]`, one);
}

function list(where: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw wrongType(where, value, 'a list');
  return value;
}

function object(where: string, value: unknown): Unchecked {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(where, value, 'an object');
  return value as Unchecked;
}

/** Go programs write null for what is not set. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function wrongType(where: string, value: unknown, wanted: string): TypeError {
  const given = value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : quote(value);
  return new TypeError(`${where}: ${value === undefined ? 'it is missing' : given}: it has to be ${wanted}`);
}
