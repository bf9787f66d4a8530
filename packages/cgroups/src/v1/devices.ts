import { openFd, openFlags, perform, resultOf, type Fd, type ResultOf, type Step } from '@ctr/syscall';
import { readFileSync } from 'node:fs';

import {
  accessOf,
  accessParts,
  effectiveRules,
  formatDeviceRule,
  parseDeviceRule,
  type AccessPart,
  type DeviceAccess,
  type DeviceRule,
} from '../device-rules.js';
import { writeAndClose } from '../directory.js';
import { CgroupError } from '../error.js';
import { openHints, type Hints } from '../hints.js';

/** What a group of version 1 has: one answer for all devices, and those for which it is the other one. */
interface DeviceList {
  readonly allow: boolean;
  readonly exceptions: readonly DeviceRule[];
}

/** A line for `devices.allow` or `devices.deny`. */
interface Line {
  readonly file: 'devices.allow' | 'devices.deny';
  readonly value: string;
}

const hints: Hints = {
  EPERM: 'the group above does not allow that itself, and none below it can have more; or this process has no CAP_SYS_ADMIN in the first user namespace',
  EINVAL: 'the answer for all devices cannot be changed while there are groups below',
};

/** One device or several, and one way of access. */
interface Pattern {
  readonly type: DeviceRule['type'];
  readonly major: number | undefined;
  readonly minor: number | undefined;
  readonly access: AccessPart;
}

/** The steps that give a new group its list. */
export function deviceListSteps(group: ResultOf, rules: readonly DeviceRule[]): Step[] {
  return write(group, devices(rules));
}

/** Gives a group that is there another list or, if the kernel refuses that, the one it had. Where it had none it then denies everything: what it denied before cannot be known. */
export function setDeviceList(directory: string, rules: readonly DeviceRule[]): void {
  const list = `${directory}/devices.list`;
  const before = parseList(readFileSync(list, 'latin1'));
  const changes = deviceChanges(before, rules);
  const group = openFd(directory, { directory: true });
  try {
    perform(write(group, changes));
  } catch (error) {
    if (!before.some(({ type }) => type === 'all'))
      perform(write(group, deviceChanges(parseList(readFileSync(list, 'latin1')), [{ allow: false, type: 'all' }, ...before])));
    throw error;
  } finally {
    group.close();
  }
}

/** The kernel takes one line with each write. */
function write(group: ResultOf | Fd, lines: readonly Line[]): Step[] {
  const steps: Step[] = [];
  let open: Step | undefined;
  for (const [i, { file, value }] of lines.entries()) {
    if (!open || lines[i - 1]?.file !== file) {
      const name = file.replace('.', '_');
      open = { call: 'openat', args: [group, file, openFlags.O_WRONLY | openFlags.O_CLOEXEC, 0], purpose: `open ${file}`, as: name, hints: openHints };
      steps.push(open);
    }
    const purpose = `device rules: ${file === 'devices.allow' ? 'allow' : 'deny'} ${value}`;
    const [step, close] = writeAndClose(resultOf(open), value, purpose, hints);
    steps.push(step);
    if (lines[i + 1]?.file !== file) steps.push(close);
  }
  return steps;
}

/**
 * `devices.deny` and `devices.allow`, in the order in which they are to be written to a new group: first the answer for all, then the exceptions.
 * Throws a {@link CgroupError} for rules that no such list can tell: which deny a part of what they allow by a number of which the rest is free.
 *
 * @see Documentation/admin-guide/cgroup-v1/devices.rst of the kernel
 */
export function devices(rules: readonly DeviceRule[]): Line[] {
  const { allow, exceptions } = deviceList(rules);
  return [line(allow, 'a'), ...exceptions.map((rule) => line(rule.allow, formatDeviceRule(rule)))];
}

/**
 * What to write so that a group that has a list (as `devices.list` tells it) gets another one. Meanwhile each device is treated as before or as after, with one exception:
 * where all were allowed but for some, the kernel takes a new list only after all have been denied.
 *
 * The way from one that denies by default to one that allows by default would lead through allowing all, and so would any change of exceptions to what is allowed, which the kernel does
 * not list: these throw a {@link CgroupError}, but for the list that allows everything.
 */
export function deviceChanges(before: readonly DeviceRule[], rules: readonly DeviceRule[]): Line[] {
  const { allow, exceptions } = deviceList(rules);
  const wasAllowed = before.some(({ type }) => type === 'all');
  if (allow) {
    if (exceptions.length === 0) return [line(true, 'a')];
    throw new CgroupError(
      'no-such-limit',
      `the devices of a group that is there cannot be changed to all but some (${exceptions.map(formatDeviceRule).join(', ')}) on cgroup v1 without all being allowed for a moment: deny all, and allow some, or make a new group`,
    );
  }
  if (wasAllowed) return devices(rules);
  const removed = before.flatMap((rule) => {
    const access = difference(rule.access, exceptions.find((other) => formatNumbers(other) === formatNumbers(rule))?.access);
    return access === undefined ? [] : [line(false, formatDeviceRule({ ...rule, access }))];
  });
  // What is allowed in both, by rules of different width, is allowed meanwhile, too.
  return [...exceptions.map((rule) => line(true, formatDeviceRule(rule))), ...removed];
}

/** What `devices.list` has: a rule for everything where all is allowed but for what is not told, and otherwise what is allowed. */
export function parseList(text: string): DeviceRule[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => parseDeviceRule(line));
}

function line(allow: boolean, value: string): Line {
  return { file: allow ? 'devices.allow' : 'devices.deny', value };
}

function deviceList(rules: readonly DeviceRule[]): DeviceList {
  const { allow, specific } = effectiveRules(rules);
  const ordered = specific.flatMap((rule) => accessParts(rule.access ?? 'rwm').map((access) => ({ allow: rule.allow, pattern: patternOf(rule, access) })));
  let patterns: Pattern[] = [];
  for (const [i, rule] of ordered.entries()) {
    const later = ordered.slice(i + 1);
    if (rule.allow !== allow) {
      patterns.push(rule.pattern);
      continue;
    }
    patterns = patterns.filter((pattern) => !contains(rule.pattern, pattern));
    for (const pattern of patterns) {
      const common = intersection(pattern, rule.pattern);
      // What a later rule says anew does not matter here.
      if (!common || later.some((other) => contains(other.pattern, common))) continue;
      throw inexpressible(rule.pattern, pattern, allow);
    }
  }
  return { allow, exceptions: grouped(allow ? patterns : closed(patterns)).map((rule) => ({ ...rule, allow: !allow })) };
}

function inexpressible(part: Pattern, whole: Pattern, allow: boolean): CgroupError {
  const [one, other] = [part, whole].map((pattern) => formatDeviceRule({ ...ruleOf(pattern), allow: true }));
  return new CgroupError(
    'no-such-limit',
    `cgroup v1 cannot ${allow ? 'allow' : 'deny'} ${one} and yet ${allow ? 'deny' : 'allow'} the rest of ${other}: name what is to be ${allow ? 'denied' : 'allowed'} one by one (cgroup v2 can do it)`,
  );
}

/** In a list of what is allowed the kernel looks for one line that allows all that is asked for: what several lines say of a device has to stand in one. */
function closed(patterns: readonly Pattern[]): Pattern[] {
  const common = patterns.flatMap((one) => patterns.flatMap((other) => intersection({ ...one, access: 'r' }, { ...other, access: 'r' }) ?? []));
  const places = [...patterns, ...common];
  return places.flatMap((place) =>
    patterns.flatMap(({ access, ...pattern }) => (contains({ ...pattern, access: place.access }, place) ? [{ ...place, access }] : [])),
  );
}

/** One rule for each kind of number, but for those that another one has in it. */
function grouped(patterns: readonly Pattern[]): Omit<DeviceRule, 'allow'>[] {
  const rules = new Map<string, Pattern[]>();
  for (const pattern of patterns) {
    const key = formatNumbers(pattern);
    rules.set(key, [...(rules.get(key) ?? []), pattern]);
  }
  const groups = [...rules.values()];
  const isIn = (group: readonly Pattern[], other: readonly Pattern[]): boolean => group.every((one) => other.some((pattern) => contains(pattern, one)));
  return groups
    .filter((group) => !groups.some((other) => other !== group && isIn(group, other)))
    .flatMap((group) => (group[0] ? [{ ...ruleOf(group[0]), access: accessOf(group.map(({ access }) => access)) }] : []));
}

function patternOf({ type, major, minor }: DeviceRule, access: AccessPart): Pattern {
  return { type, major, minor, access };
}

function ruleOf({ type, major, minor, access }: Pattern): Omit<DeviceRule, 'allow'> {
  return { type, access, ...(major !== undefined && { major }), ...(minor !== undefined && { minor }) };
}

function contains(whole: Pattern, part: Pattern): boolean {
  return (
    whole.type === part.type &&
    whole.access === part.access &&
    (whole.major === undefined || whole.major === part.major) &&
    (whole.minor === undefined || whole.minor === part.minor)
  );
}

function intersection(one: Pattern, other: Pattern): Pattern | undefined {
  const differ = (name: 'major' | 'minor'): boolean => one[name] !== undefined && other[name] !== undefined && one[name] !== other[name];
  if (one.type !== other.type || one.access !== other.access || differ('major') || differ('minor')) return undefined;
  return { ...one, major: one.major ?? other.major, minor: one.minor ?? other.minor };
}

interface Numbers {
  readonly type: DeviceRule['type'];
  readonly major?: number | undefined;
  readonly minor?: number | undefined;
}

function formatNumbers({ type, major, minor }: Numbers): string {
  return `${type} ${major ?? '*'}:${minor ?? '*'}`;
}

/** What of an access is not in another; `undefined` if nothing is. */
function difference(access: DeviceAccess = 'rwm', other: DeviceAccess | undefined): DeviceAccess | undefined {
  const rest = accessParts(access).filter((part) => other?.includes(part) !== true);
  return rest.length === 0 ? undefined : accessOf(rest);
}
