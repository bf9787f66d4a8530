import { openFd, openFlags, perform, resultOf, type Fd, type ResultOf, type Step } from '@ctr/syscall';
import { readFileSync } from 'node:fs';

import { accessBits, accessOf, effectiveRules, formatDeviceRule, oncePerList, parseDeviceRule, type DeviceRule } from '../device-rules.js';
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

/** One device or several. What is `undefined` may be any. */
interface Numbers {
  readonly type: DeviceRule['type'];
  readonly major: number | undefined;
  readonly minor: number | undefined;
}

/** What of them is not as for all: bits of {@link accessBits}. */
interface Exception extends Numbers {
  access: number;
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
export const devices = oncePerList((rules): readonly Line[] => {
  const { allow, exceptions } = deviceList(rules);
  return [line(allow, 'a'), ...exceptions.map((rule) => line(rule.allow, formatDeviceRule(rule)))];
});

/**
 * What to write so that a group that has a list (as `devices.list` tells it) gets another one. Meanwhile each device is treated as before or as after, with one exception:
 * where all were allowed but for some, the kernel takes a new list only after all have been denied.
 *
 * The way from one that denies by default to one that allows by default would lead through allowing all, and so would any change of exceptions to what is allowed, which the kernel does
 * not list: these throw a {@link CgroupError}, but for the list that allows everything.
 */
export function deviceChanges(before: readonly DeviceRule[], rules: readonly DeviceRule[]): readonly Line[] {
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
    const kept = exceptions.find((other) => other.type === rule.type && other.major === rule.major && other.minor === rule.minor);
    const access = accessBits(rule.access) & ~(kept ? accessBits(kept.access) : 0);
    return access === 0 ? [] : [line(false, formatDeviceRule({ ...rule, access: accessOf(access) }))];
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
  const exceptions = new Map<string, Exception>();
  for (const [i, rule] of specific.entries()) {
    const access = accessBits(rule.access);
    if (rule.allow !== allow) add(exceptions, numbersOf(rule), access);
    else for (const [key, exception] of exceptions) if ((exception.access &= ~taken(exception, rule, specific, i, allow)) === 0) exceptions.delete(key);
  }
  if (!allow) close(exceptions);
  const list = [...exceptions.values()];
  const isIn = (one: Exception, other: Exception): boolean => other !== one && contains(other, one) && (one.access & ~other.access) === 0;
  const least = list.filter((one) => !list.some((other) => isIn(one, other)));
  return { allow, exceptions: least.map(({ type, major, minor, access }) => ({ allow: !allow, type, ...numbers(major, minor), access: accessOf(access) })) };
}

/** What a rule, which says of some devices what holds for all, takes from an exception. Throws if that has to keep the rest of its devices. */
function taken(exception: Exception, rule: DeviceRule, all: readonly DeviceRule[], index: number, allow: boolean): number {
  const access = exception.access & accessBits(rule.access);
  const part = numbersOf(rule);
  if (access === 0 || contains(part, exception)) return access;
  const common = intersection(part, exception);
  if (!common) return 0;
  // What a later rule says anew does not matter here.
  let rest = access;
  for (const later of all.slice(index + 1)) if (contains(numbersOf(later), common)) rest &= ~accessBits(later.access);
  if (rest === 0) return 0;
  const [one, whole] = [part, exception].map(({ type, major, minor }) => formatDeviceRule({ allow, type, ...numbers(major, minor), access: accessOf(rest) }));
  throw new CgroupError(
    'no-such-limit',
    `cgroup v1 cannot ${allow ? 'allow' : 'deny'} ${one} and yet ${allow ? 'deny' : 'allow'} the rest of ${whole}: name what is to be ${allow ? 'denied' : 'allowed'} one by one (cgroup v2 can do it)`,
  );
}

/** In a list of what is allowed the kernel looks for one line that allows all that is asked for: what several lines say of a device has to stand in one. */
function close(exceptions: Map<string, Exception>): void {
  const given = [...exceptions.values()];
  for (const one of given)
    for (const other of given) {
      const common = one.major === undefined && other.minor === undefined ? intersection(one, other) : undefined;
      if (common) add(exceptions, common, 0);
    }
  for (const one of exceptions.values()) for (const other of given) if (contains(other, one)) one.access |= other.access;
}

function add(exceptions: Map<string, Exception>, { type, major, minor }: Numbers, access: number): void {
  const key = `${type} ${major}:${minor}`;
  const known = exceptions.get(key);
  if (known) known.access |= access;
  else exceptions.set(key, { type, major, minor, access });
}

function numbersOf({ type, major, minor }: DeviceRule): Numbers {
  return { type, major, minor };
}

function numbers(major: number | undefined, minor: number | undefined): Pick<DeviceRule, 'major' | 'minor'> {
  return { ...(major !== undefined && { major }), ...(minor !== undefined && { minor }) };
}

function contains(whole: Numbers, part: Numbers): boolean {
  return whole.type === part.type && (whole.major === undefined || whole.major === part.major) && (whole.minor === undefined || whole.minor === part.minor);
}

function intersection(one: Numbers, other: Numbers): Numbers | undefined {
  const differ = (name: 'major' | 'minor'): boolean => one[name] !== undefined && other[name] !== undefined && one[name] !== other[name];
  if (one.type !== other.type || differ('major') || differ('minor')) return undefined;
  return { type: one.type, major: one.major ?? other.major, minor: one.minor ?? other.minor };
}
