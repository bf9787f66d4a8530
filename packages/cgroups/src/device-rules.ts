import { checkOptions } from '@ctr/syscall';

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
  for (const rule of rules as readonly DeviceRule[]) checkRule(rule);
}

function checkRule(rule: DeviceRule): void {
  if (typeof rule !== 'object' || (rule as unknown) === null) throw new TypeError(`a device rule is ${JSON.stringify(rule)}: give { allow, type }`);
  checkOptions('a device rule', rule, ['allow', 'type', 'major', 'minor', 'access']);
  const { allow, type, access } = rule;
  if (typeof (allow as unknown) !== 'boolean') throw new TypeError(`a device rule: allow is ${JSON.stringify(allow)}: true or false`);
  if (!['all', 'char', 'block'].includes(type)) throw new TypeError(`a device rule: type is ${JSON.stringify(type)}: 'all', 'char' or 'block'`);
  for (const name of ['major', 'minor'] as const) {
    const value: unknown = rule[name];
    if (value === undefined) continue;
    if (typeof value !== 'number') throw new TypeError(`a device rule: ${name} is ${JSON.stringify(value)}: a number, or nothing for every one`);
    if (!(Number.isInteger(value) && value >= 0 && value <= ranges[name]))
      throw new RangeError(`a device rule: ${name} is ${value}: a whole number from 0 to ${ranges[name]}, or nothing for every one`);
  }
  if (access !== undefined && !isAccess(access))
    throw new TypeError(`a device rule: access is ${JSON.stringify(access)}: 'rwm' or a part of it, in this order`);
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
  const access = accessOf(accessParts(given));
  if (type === undefined || !isWhole || access.length !== given.length) {
    const why =
      letter === 'p'
        ? 'a pipe is no device, and always allowed'
        : 'TYPE MAJOR:MINOR ACCESS, such as "c 1:3 rwm", where a number may be *, or "a" for all devices';
    throw new TypeError(`${JSON.stringify(text.slice(0, 80))} is no device rule: ${why}`);
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
  return accessParts(access).every((one) => {
    const last = specific.findLast(
      (rule) => rule.type === type && (rule.major ?? major) === major && (rule.minor ?? minor) === minor && (rule.access ?? 'rwm').includes(one),
    );
    return last?.allow ?? allow;
  });
}

/** One way of access to a device. */
export type AccessPart = 'r' | 'w' | 'm';
const parts: readonly AccessPart[] = ['r', 'w', 'm'];

/** The ways of access that a text names. */
export function accessParts(access: string): AccessPart[] {
  return parts.filter((part) => access.includes(part));
}

/** Several ways of access, one at least, as one text. */
export function accessOf(given: readonly AccessPart[]): DeviceAccess {
  return parts.filter((part) => given.includes(part)).join('') as DeviceAccess;
}

/** The rules that count: those behind the last one about all devices, and what that says. */
export function effectiveRules(rules: readonly DeviceRule[]): { readonly allow: boolean; readonly specific: readonly DeviceRule[] } {
  const reset = rules.findLastIndex(({ type }) => type === 'all');
  return { allow: rules[reset]?.allow ?? true, specific: rules.slice(reset + 1) };
}
