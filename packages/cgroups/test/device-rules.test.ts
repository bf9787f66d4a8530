import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  CgroupError,
  checkDeviceRules,
  formatDeviceRule,
  isDeviceAllowed,
  parseDeviceRule,
  type DeviceAccess,
  type DeviceRequest,
  type DeviceRule,
} from '@ctr/cgroups';

import { deviceChanges, devices, parseList } from '../src/v1/devices.js';
import { deviceProgram } from '../src/v2/device-program.js';
import { interpret } from './bpf-interpreter.js';
import { DeviceList } from './device-list.js';

const accesses: DeviceAccess[] = ['r', 'w', 'm', 'rw', 'rm', 'wm', 'rwm'];
/** What the kernel asks about: open(2) and mknod(2). */
const asked: DeviceAccess[] = ['r', 'w', 'rw', 'm'];
const few = [0, 1, 2];

/** Few numbers, so that rules meet. */
const rule: fc.Arbitrary<DeviceRule> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ allow: fc.boolean(), type: fc.constant('all' as const) }) },
  {
    weight: 9,
    arbitrary: fc.record(
      {
        allow: fc.boolean(),
        type: fc.constantFrom('char' as const, 'block' as const),
        major: fc.constantFrom(...few),
        minor: fc.constantFrom(...few),
        access: fc.constantFrom(...accesses),
      },
      { requiredKeys: ['allow', 'type'] },
    ),
  },
);
const rules = fc.array(rule, { maxLength: 12 });

const requests: DeviceRequest[] = (['char', 'block'] as const).flatMap((type) =>
  few.flatMap((major) => few.flatMap((minor) => asked.map((access) => ({ type, major, minor, access })))),
);
const shown = (given: readonly DeviceRule[]): string => given.map((one) => `${one.allow ? 'allow' : 'deny'} ${formatDeviceRule(one)}`).join('; ');
const verdicts = (answer: (request: DeviceRequest) => boolean): string[] =>
  requests.filter(answer).map(({ type, major, minor, access }) => `${type} ${major}:${minor} ${access}`);

/** As struct bpf_cgroup_dev_ctx has it. */
function byProgram(program: Uint8Array, { type, major, minor, access }: DeviceRequest): boolean {
  const bits = (access.includes('m') ? 1 : 0) | (access.includes('r') ? 2 : 0) | (access.includes('w') ? 4 : 0);
  return interpret(program, [(bits << 16) | (type === 'block' ? 1 : 2), major, minor]) === 1n;
}

/** A list of version 1 after what is written to it; `undefined` where the rules cannot be told to it. */
function listOf(given: readonly DeviceRule[]): DeviceList | undefined {
  try {
    const list = new DeviceList();
    for (const { file, value } of devices(given)) list.write(file, value);
    return list;
  } catch (error) {
    if (error instanceof CgroupError && error.kind === 'no-such-limit') return undefined;
    throw error;
  }
}

const deny: DeviceRule = { allow: false, type: 'all' };
const text = (...lines: string[]): DeviceRule[] => lines.map((line) => parseDeviceRule(line.replace(/^!/, ''), !line.startsWith('!')));

describe('a device rule', () => {
  it('is read as docker and the kernel write it, and written so', () => {
    expect(parseDeviceRule('c 42:* rmw')).toEqual({ allow: true, type: 'char', major: 42, access: 'rwm' });
    expect(parseDeviceRule('b *:0 m', false)).toEqual({ allow: false, type: 'block', minor: 0, access: 'm' });
    expect(parseDeviceRule('u 1:3')).toEqual({ allow: true, type: 'char', major: 1, minor: 3, access: 'rwm' });
    expect(parseDeviceRule('a')).toEqual({ allow: true, type: 'all' });
    expect(parseDeviceRule('a *:* rwm', false)).toEqual(deny);
    fc.assert(
      fc.property(rule, (one) => {
        expect(formatDeviceRule(parseDeviceRule(formatDeviceRule(one), one.allow))).toBe(formatDeviceRule(one));
      }),
    );
  });

  it('is refused as text with what is allowed', () => {
    for (const wrong of [
      '',
      'c',
      'b',
      'x 1:3 r',
      'c 1 r',
      'c 1:3 rx',
      'c 1:3 rr',
      'c 1:3 ',
      'c -1:3 r',
      'c 1:3 rwm\n',
      ' c 1:3 r',
      'c 1.5:3 r',
      'c 1:3  r',
      'A',
      'c 123456789:1 r',
    ])
      expect(() => parseDeviceRule(wrong), wrong).toThrow(TypeError);
    expect(() => parseDeviceRule('c 4096:0 r')).toThrow(/major is 4096: a whole number from 0 to 4095/);
    expect(() => parseDeviceRule('c 0:1048576 r')).toThrow(/minor is 1048576: a whole number from 0 to 1048575/);
    expect(() => parseDeviceRule('p 1:3 r')).toThrow(/a pipe is no device/);
    expect(() => parseDeviceRule('a 1:3 rwm')).toThrow(/is about all of them/);
    expect(() => parseDeviceRule('a *:* r')).toThrow(/is about all of them/);
  });

  it('is checked', () => {
    const wrong =
      (given: unknown): (() => void) =>
      () =>
        checkDeviceRules(given as DeviceRule[]);
    expect(wrong('a')).toThrow(TypeError);
    expect(wrong([null])).toThrow(TypeError);
    expect(wrong([{ type: 'all' }])).toThrow(/allow is undefined/);
    expect(wrong([{ allow: true, type: 'c' }])).toThrow(/'all', 'char' or 'block'/);
    expect(wrong([{ allow: true, type: 'char', major: '1' }])).toThrow(TypeError);
    expect(wrong([{ allow: true, type: 'char', major: 1.5 }])).toThrow(RangeError);
    expect(wrong([{ allow: true, type: 'char', minor: -1 }])).toThrow(RangeError);
    expect(wrong([{ allow: true, type: 'char', access: 'mrw' }])).toThrow(/in this order/);
    expect(wrong([{ allow: true, type: 'char', access: '' }])).toThrow(TypeError);
    expect(wrong([{ allow: true, type: 'char', mayor: 1 }])).toThrow(/did you mean major\?/);
  });
});

describe('what rules say', () => {
  it('is what the last one says that matches, for each access by itself', () => {
    const given = text('!a', 'c 1:* rw', '!c 1:2 w', 'b *:* m');
    const verdict = (line: string): boolean => {
      const { type, major = 0, minor = 0, access = 'rwm' } = parseDeviceRule(line);
      return isDeviceAllowed(given, { type: type as 'char', major, minor, access });
    };
    expect(['c 1:1 rw', 'c 1:2 r', 'b 8:0 m'].map(verdict)).toEqual([true, true, true]);
    expect(['c 1:2 w', 'c 1:2 rw', 'c 1:1 m', 'c 2:1 r', 'b 8:0 r', 'b 8:0 rwm'].map(verdict)).toEqual([false, false, false, false, false, false]);
  });

  it('is that all is allowed where there are none', () => {
    expect(verdicts((request) => isDeviceAllowed([], request))).toHaveLength(requests.length);
  });

  it('is what the program of version 2 says', () => {
    fc.assert(
      fc.property(rules, (given) => {
        const program = deviceProgram(given);
        expect(
          verdicts((request) => byProgram(program, request)),
          shown(given),
        ).toEqual(verdicts((request) => isDeviceAllowed(given, request)));
      }),
      { numRuns: 2000 },
    );
  });

  it('is what the list of version 1 says, if it can be told to that', () => {
    let told = 0;
    fc.assert(
      fc.property(rules, (given) => {
        const list = listOf(given);
        if (!list) return;
        told++;
        expect(
          verdicts((request) => list.isAllowed(request)),
          shown(given),
        ).toEqual(verdicts((request) => isDeviceAllowed(given, request)));
      }),
      { numRuns: 3000 },
    );
    expect(told).toBeGreaterThan(300);
  });

  it('can be told to version 1 wherever it comes to a list of what is allowed, or of what is denied', () => {
    fc.assert(
      fc.property(fc.boolean(), rules, (allow, given) => {
        const same = given.filter((one) => one.type !== 'all' && one.allow !== allow);
        expect(listOf([{ allow, type: 'all' }, ...same])).toBeDefined();
      }),
    );
  });
});

describe('the list of version 1', () => {
  it('is written with the answer for all first, and without what says nothing', () => {
    const given = text('c 5:5 rwm', '!a', 'c 1:3 rwm', 'c 1:3 r', 'c 136:* rw', 'c 136:1 r', 'c *:* m', '!c 1:7 rw');
    expect(devices(given).map(({ file, value }) => `${file} ${value}`)).toEqual([
      'devices.deny a',
      'devices.allow c 1:3 rwm',
      'devices.allow c 136:* rwm',
      'devices.allow c *:* m',
    ]);
    expect(devices(text('!c 1:7 r', '!c 1:7 w')).map(({ file, value }) => `${file} ${value}`)).toEqual(['devices.allow a', 'devices.deny c 1:7 rw']);
    expect(devices([]).map(({ file, value }) => `${file} ${value}`)).toEqual(['devices.allow a']);
  });

  it('cannot tell a hole in what it allows', () => {
    expect(() => devices(text('!a', 'c 1:* rwm', '!c 1:3 w'))).toThrow(
      'cgroup v1 cannot deny c 1:3 w and yet allow the rest of c 1:* w: name what is to be allowed one by one (cgroup v2 can do it)',
    );
    expect(() => devices(text('!b *:0 r', 'b 8:* rwm'))).toThrow(/cannot allow b 8:\* r and yet deny the rest of b \*:0 r/);
    // What is said anew later does not matter.
    expect(devices(text('!a', 'c 1:* rwm', '!c 1:3 w', 'c 1:3 rw'))).toHaveLength(2);
  });

  it('is changed without a moment in which anything is allowed that is denied before and after, or the other way round', () => {
    const allowing = rules.map((given) => [deny, ...given.filter((one) => one.type !== 'all' && one.allow)]);
    fc.assert(
      fc.property(allowing, allowing, (before, after) => {
        const list = listOf(before);
        if (!list) throw new Error('it cannot be told');
        const [was, will] = [before, after].map((given) => requests.map((request) => isDeviceAllowed(given, request)));
        for (const { file, value } of deviceChanges(parseList(String(list)), after)) {
          list.write(file, value);
          const now = requests.map((request) => list.isAllowed(request));
          // Reading alone before, and writing alone after: for both at once there is no before or after.
          expect(now.every((verdict, i) => requests[i]?.access === 'rw' || verdict === was?.[i] || verdict === will?.[i])).toBe(true);
        }
        expect(requests.map((request) => list.isAllowed(request))).toEqual(will);
      }),
      { numRuns: 1000 },
    );
  });

  it('is changed from and to one that allows all, and not where that would allow all for a moment', () => {
    const lines = (now: string, given: readonly DeviceRule[]): string[] => deviceChanges(parseList(now), given).map(({ file, value }) => `${file} ${value}`);
    expect(lines('a *:* rwm\n', text('!a', 'c 1:3 r'))).toEqual(['devices.deny a', 'devices.allow c 1:3 r']);
    expect(lines('c 1:3 r\n', [])).toEqual(['devices.allow a']);
    expect(lines('', text('!a', 'c 1:3 r'))).toEqual(['devices.allow c 1:3 r']);
    for (const now of ['a *:* rwm\n', 'c 1:3 rwm\n']) expect(() => lines(now, text('!c 1:3 r'))).toThrow(/without all being allowed for a moment/);
  });
});

describe('the program of version 2', () => {
  const instructions = (given: readonly DeviceRule[]): string[] =>
    Array.from({ length: deviceProgram(given).byteLength / 8 }, (_, i) => Buffer.from(deviceProgram(given).subarray(i * 8, i * 8 + 8)).toString('hex'));

  it('does not look at the device where all are treated alike', () => {
    expect(instructions([deny])).toEqual(['b700000000000000', '9500000000000000']);
    expect(instructions([])).toEqual(['b700000001000000', '9500000000000000']);
  });

  it('goes through the rules from the last one on', () => {
    expect(instructions(text('!a', 'c 1:3 rw'))).toEqual([
      '6112000000000000', // r2 = *(u32 *)(r1 + 0)
      '6113040000000000', // r3 = *(u32 *)(r1 + 4)
      '6114080000000000', // r4 = *(u32 *)(r1 + 8)
      'bf25000000000000', // r5 = r2
      '7705000010000000', // r5 >>= 16
      '57020000ffff0000', // r2 &= 0xffff
      '5502060002000000', // if r2 != 2 goto +6
      '5503050001000000', // if r3 != 1 goto +5
      '5504040003000000', // if r4 != 3 goto +4
      '5705000001000000', // r5 &= 1
      '5505020000000000', // if r5 != 0 goto +2
      'b700000001000000', // r0 = 1
      '9500000000000000', // exit
      'b700000000000000', // r0 = 0
      '9500000000000000', // exit
    ]);
  });
});
