import { parseDeviceRule, type DeviceRule } from '@ctr/cgroups';

import type { Spec } from './spec.js';

/**
 * What a program may do with devices unless it is said otherwise: make any device file, which is of no use by itself, and use those that a `/dev` of ctr has.
 *
 * @see linux/Documentation/admin-guide/devices.txt for the numbers; docker and runc have the same list
 */
export const defaultDeviceRules: readonly DeviceRule[] = Object.freeze(
  [
    '!a',
    'c *:* m',
    'b *:* m',
    'c 1:3 rwm', // null
    'c 1:5 rwm', // zero
    'c 1:7 rwm', // full
    'c 1:8 rwm', // random
    'c 1:9 rwm', // urandom
    'c 5:0 rwm', // tty
    'c 5:2 rwm', // ptmx
    'c 136:* rwm', // the terminals of a devpts, and with them the console
  ].map((text) => Object.freeze(parseDeviceRule(text.replace('!', ''), !text.startsWith('!')))),
);

/** The rules about devices of a container: `undefined` where there are none. */
export function deviceRulesOf({ limits, devices, hardening: { deviceRules } }: Spec): readonly DeviceRule[] | undefined {
  if (limits.devices) return limits.devices;
  if (deviceRules === 'unconfined') return undefined;
  if (devices.length === 0 && deviceRules.length === 0) return defaultDeviceRules;
  const bound = devices.map(({ type, major, minor, access }): DeviceRule => ({ allow: true, type, major, minor, access }));
  return [...defaultDeviceRules, ...bound, ...deviceRules];
}

/** Whether something about devices was asked for, so that it is there, or the container is not. */
export function asksForDeviceRules({ limits, devices, hardening: { deviceRules } }: Spec): boolean {
  if (limits.devices) return true;
  return deviceRules !== 'unconfined' && (deviceRules.length > 0 || devices.some(({ access }) => access !== 'rwm'));
}
