import { quote } from '@ctr/syscall';
import { checkDeviceRules, type DeviceAccess, type DeviceRule } from './device-rules.js';
import type { LinuxDeviceCgroup } from './linux-resources.js';

const types: Readonly<Record<string, readonly DeviceRule['type'][]>> = { a: ['char', 'block'], c: ['char'], u: ['char'], b: ['block'] };

/** Rules of a runtime's configuration as rules of ours. */
export function rulesOf(devices: readonly (readonly [path: string, rule: LinuxDeviceCgroup])[]): DeviceRule[] {
  return devices.flatMap(([path, rule]) => {
    const rules = ruleOf(path, rule);
    try {
      checkDeviceRules(rules);
    } catch (error) {
      if (error instanceof RangeError) throw new RangeError(`${path}: ${error.message}`);
      throw error instanceof TypeError ? new TypeError(`${path}: ${error.message}`) : error;
    }
    return rules;
  });
}

function ruleOf(path: string, { allow, type: given, major, minor, access: givenLetters }: LinuxDeviceCgroup): DeviceRule[] {
  const [type, letters] = [given === undefined || given === '' ? 'a' : given, givenLetters === undefined || givenLetters === '' ? 'rwm' : givenLetters];
  const kinds = Object.hasOwn(types, type) ? types[type] : undefined;
  if (!kinds) throw new TypeError(`${path}.type is ${quote(type)}: a for all, c for character or b for block devices`);
  if (typeof letters !== 'string' || !/^[rwm]+$/.test(letters)) throw new TypeError(`${path}.access is ${quote(letters)}: letters of rwm`);
  const access = (['r', 'w', 'm'] as const).filter((letter) => letters.includes(letter)).join('') as DeviceAccess;
  const numbers = { ...(isOne(major) && { major }), ...(isOne(minor) && { minor }) };
  if (type === 'a' && access === 'rwm' && Object.keys(numbers).length === 0) return [{ allow, type: 'all' }];
  return kinds.map((kind) => ({ allow, type: kind, ...numbers, access }));
}

/** -1 is all of them. */
function isOne(number: number | undefined): number is number {
  return number !== undefined && number !== -1;
}
