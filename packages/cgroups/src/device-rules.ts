import { bpfDeviceAccess, checkOptions, quote } from '@ctr/syscall';

/** What is done with a device: read from it, write to it, make a device file for it (`m`, mknod(2)); any of these, in this order. */
export type DeviceAccess = 'r' | 'w' | 'm' | 'rw' | 'rm' | 'wm' | 'rwm';

/** One rule about devices. Of several the last one that matches counts, for each way of access by itself. */
export interface DeviceRule {
  readonly allow: boolean;
  /** `all`: every device and every access, which makes the rules before it void. */
  readonly type: 'all' | 'char' | 'block';
  /** Which driver: 0 to 4095. @default every one */
  readonly major?: number;
  /** Which of its devices: 0 to 1048575. @default every one */
  readonly minor?: number;
  /** @default 'rwm' */
  readonly access?: DeviceAccess;
}

/** A device, and what is to be done with it. */
export interface DeviceRequest {
  readonly type: 'char' | 'block';
  readonly major: number;
  readonly minor: number;
  readonly access: DeviceAccess;
}

// linux/kdev_t.h: MINORBITS is 20, which leaves 12 of a dev_t.
const ranges = { major: 0xfff, minor: 0xfffff } as const;
const letters: Readonly<Record<string, DeviceRule['type']>> = { a: 'all', b: 'block', c: 'char', u: 'char' };

/**
 * Checks rules about devices: throws a `TypeError` or `RangeError` that says what was given and what is allowed.
 *
 * @example
 * ```ts
 * import { checkDeviceRules } from '@ctr/cgroups';
 * checkDeviceRules([{ allow: false, type: 'all' }, { allow: true, type: 'char', major: 1, minor: 3, access: 'rw' }]);
 * ```
 */
export function checkDeviceRules(rules: readonly DeviceRule[]): void {
  if (!Array.isArray(rules)) throw new TypeError(`devices is a value of type ${typeof rules}: give an array of rules`);
  checkEach(rules);
}

const checkEach = oncePerList((rules) => {
  for (const rule of rules) checkRule(rule);
});

function checkRule(rule: DeviceRule): void {
  if (typeof rule !== 'object' || (rule as unknown) === null) throw new TypeError(`a device rule is ${quote(rule)}: give { allow, type }`);
  checkOptions('a device rule', rule, ['allow', 'type', 'major', 'minor', 'access']);
  const { allow, type, access } = rule;
  if (typeof (allow as unknown) !== 'boolean') throw new TypeError(`a device rule: allow is ${quote(allow)}: true or false`);
  if (!['all', 'char', 'block'].includes(type)) throw new TypeError(`a device rule: type is ${quote(type)}: 'all', 'char' or 'block'`);
  for (const name of ['major', 'minor'] as const) {
    const value: unknown = rule[name];
    if (value === undefined) continue;
    if (typeof value !== 'number') throw new TypeError(`a device rule: ${name} is ${quote(value)}: a number, or nothing for every one`);
    if (!(Number.isInteger(value) && value >= 0 && value <= ranges[name]))
      throw new RangeError(`a device rule: ${name} is ${value}: a whole number from 0 to ${ranges[name]}, or nothing for every one`);
  }
  if (access !== undefined && !isAccess(access)) throw new TypeError(`a device rule: access is ${quote(access)}: 'rwm' or a part of it, in this order`);
  if (type === 'all' && (rule.major !== undefined || rule.minor !== undefined || (access !== undefined && access !== 'rwm')))
    throw new TypeError("a device rule of type 'all' is about all of them: it has no numbers, and no part of the access");
}

function isAccess(text: unknown): text is DeviceAccess {
  return typeof text === 'string' && /^(?=.)r?w?m?$/.test(text);
}

/**
 * Reads a rule as docker and the kernel write it: `c 1:3 rwm`, `b *:* m`, `a`. The letters of the access may be in any order.
 * Throws a `TypeError` or `RangeError` for anything else.
 *
 * @see Documentation/admin-guide/cgroup-v1/devices.rst of the kernel
 * @example
 * ```ts
 * import { parseDeviceRule } from '@ctr/cgroups';
 * parseDeviceRule('c 42:* rmw'); // { allow: true, type: 'char', major: 42, access: 'rwm' }
 * ```
 */
export function parseDeviceRule(text: string, allow = true): DeviceRule {
  const [, letter = '', major = '*', minor = '*', given = 'rwm'] = /^([a-z])(?: (\d{1,8}|\*):(\d{1,8}|\*)(?: ([rwm]{1,3}))?)?$/.exec(text) ?? [];
  const type = letters[letter];
  const isWhole = type === 'all' || text.length > 1;
  const access = accessOf(accessBits(given));
  if (type === undefined || !isWhole || access.length !== given.length) {
    const why =
      letter === 'p'
        ? 'a pipe is no device, and always allowed'
        : 'TYPE MAJOR:MINOR ACCESS, such as "c 1:3 rwm", where a number may be *, or "a" for all devices';
    throw new TypeError(`${quote(text)} is no device rule: ${why}`);
  }
  const numbers = { ...(major !== '*' && { major: Number(major) }), ...(minor !== '*' && { minor: Number(minor) }) };
  const rule: DeviceRule = { allow, type, ...numbers, ...(type !== 'all' || access !== 'rwm' ? { access } : {}) };
  checkRule(rule);
  return rule;
}

/**
 * A rule as the kernel writes it, without whether it allows or denies: `c 1:3 rwm`, `b *:* m`, `a`.
 *
 * @example
 * ```ts
 * import { formatDeviceRule } from '@ctr/cgroups';
 * formatDeviceRule({ allow: true, type: 'char', major: 136 }); // 'c 136:* rwm'
 * ```
 */
export function formatDeviceRule({ type, major, minor, access }: DeviceRule): string {
  return type === 'all' ? 'a' : `${type === 'char' ? 'c' : 'b'} ${major ?? '*'}:${minor ?? '*'} ${access ?? 'rwm'}`;
}

/**
 * Whether rules allow something to be done with a device. What no rule is about is allowed, as it is in a group without rules.
 * What a group above denies is denied all the same; a device 0:0, as overlay file systems have them for what was removed, is never denied.
 *
 * @example
 * ```ts
 * import { isDeviceAllowed } from '@ctr/cgroups';
 * const rules = [{ allow: false, type: 'all' }, { allow: true, type: 'char', major: 1, access: 'r' }] as const;
 * isDeviceAllowed(rules, { type: 'char', major: 1, minor: 8, access: 'r' }); // true
 * isDeviceAllowed(rules, { type: 'char', major: 1, minor: 8, access: 'rw' }); // false
 * ```
 */
export function isDeviceAllowed(rules: readonly DeviceRule[], { type, major, minor, access }: DeviceRequest): boolean {
  const { allow, specific } = effectiveRules(rules);
  const matching = specific.filter((rule) => rule.type === type && (rule.major ?? major) === major && (rule.minor ?? minor) === minor);
  return parts.filter((part) => access.includes(part)).every((part) => matching.findLast((rule) => (rule.access ?? 'rwm').includes(part))?.allow ?? allow);
}

const bits = { r: bpfDeviceAccess.BPF_DEVCG_ACC_READ, w: bpfDeviceAccess.BPF_DEVCG_ACC_WRITE, m: bpfDeviceAccess.BPF_DEVCG_ACC_MKNOD } as const;
const parts = ['r', 'w', 'm'] as const;

/** Ways of access as the bits that a program of version 2 gets. */
export function accessBits(access = 'rwm'): number {
  let sum = 0;
  for (const part of parts) if (access.includes(part)) sum |= bits[part];
  return sum;
}

/** Bits, of which there is one at least, as ways of access. */
export function accessOf(access: number): DeviceAccess {
  return parts.filter((part) => (access & bits[part]) !== 0).join('') as DeviceAccess;
}

/** Computes something of a list of rules once, if that cannot change. */
export function oncePerList<T>(compute: (rules: readonly DeviceRule[]) => T): (rules: readonly DeviceRule[]) => T {
  const known = new WeakMap<readonly DeviceRule[], { readonly value: T }>();
  return (rules) => {
    const before = known.get(rules);
    if (before) return before.value;
    const value = compute(rules);
    if (Object.isFrozen(rules) && rules.every((rule) => Object.isFrozen(rule))) known.set(rules, { value });
    return value;
  };
}

/** The rules that count: those behind the last one about all devices, and what that says. */
export function effectiveRules(rules: readonly DeviceRule[]): { readonly allow: boolean; readonly specific: readonly DeviceRule[] } {
  const reset = rules.findLastIndex(({ type }) => type === 'all');
  return { allow: rules[reset]?.allow ?? true, specific: rules.slice(reset + 1) };
}
