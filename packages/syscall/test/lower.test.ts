import { Fd, Memory, mountAttr, openHow, perform, pollfd, resultOf, struct, type Arg, type Plan, type Step } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { OPERANDS, operand, RECORD_WORDS, recordWord } from '../src/compile/records.js';
import { lower, type Program } from '../src/lower.js';

const step = (...args: Arg[]): Step => ({ call: 'read', args, purpose: 'a step' });

/** The operands of a record: kind, and value or offset. */
function operands({ words, offsets }: Program, record = 0): [kind: number, value: number, isOffset: boolean][] {
  const kinds = (words[record * RECORD_WORDS + recordWord.call] ?? 0) >>> 16;
  return Array.from({ length: OPERANDS }, (_, k) => {
    const at = record * RECORD_WORDS + recordWord.operands + k;
    return [(kinds >> (k * 2)) & 3, words[at] ?? 0, offsets.includes(at)];
  });
}

describe('an argument', () => {
  it('of 32 bits stands in the record', () => {
    expect(operands(lower([step(0, -1, 2 ** 31 - 1, -(2 ** 31), 7, null)])).slice(0, 6)).toEqual(
      [0, -1, 2 ** 31 - 1, -(2 ** 31), 7, 0].map((value) => [operand.value, value, false]),
    );
  });

  it('that is wider is loaded from the data', () => {
    const program = lower([step(2 ** 31, 2n ** 64n - 1n, -(2 ** 31) - 1, 5n)]);
    const found = operands(program).slice(0, 4);
    expect(found.map(([kind]) => kind)).toEqual(Array(4).fill(operand.load64));
    expect(found.map(([, offset]) => program.data.readBigInt64LE(offset))).toEqual([2n ** 31n, -1n, -(2n ** 31n) - 1n, 5n]);
  });

  it('that is a text or bytes is the address of them; the same text has one address', () => {
    const program = lower([step('text', Buffer.from([1, 2]), 'text', Buffer.from([1, 2]), 'é')]);
    const [text, bytes, again, others, utf8] = operands(program);
    expect(text).toEqual(again);
    expect(bytes).not.toEqual(others);
    expect(program.data.toString('latin1', text?.[1], (text?.[1] ?? 0) + 5)).toBe('text\0');
    expect(program.data.toString('utf8', utf8?.[1], (utf8?.[1] ?? 0) + 3)).toBe('é\0');
  });

  it('that is a vector is the address of pointers, the last one null', () => {
    const program = lower([step(['a', 'b'], [])]);
    const [vector, empty] = operands(program);
    const at = vector?.[1] ?? 0;
    expect(program.pointers.filter((_, i) => i % 2 === 0)).toEqual([at, at + 8]);
    expect(program.data.readBigUInt64LE(at + 16)).toBe(0n);
    expect(program.data.readBigUInt64LE(empty?.[1] ?? 0)).toBe(0n);
  });

  it('that is memory is one place for all steps; zeros come last and take no room in the data', () => {
    const zeros = new Memory(1000, 'zeros');
    const content = new Memory(Buffer.from('content!'), 'content');
    const program = lower([step(zeros, content, zeros.at(16), zeros.u64(8), content.i32(4), content.u8(7))]);
    const [a, b, c, d, e, f] = operands(program);
    expect(a?.[1]).toBe(program.data.length);
    expect(c?.[1]).toBe(program.data.length + 16);
    expect([d, e, f].map((found) => found?.[0])).toEqual([operand.load64, operand.load32, operand.load8]);
    expect([d?.[1], e?.[1], f?.[1]]).toEqual([program.data.length + 8, (b?.[1] ?? 0) + 4, (b?.[1] ?? 0) + 7]);
    expect(program.size).toBe(program.data.length + 1008);
  });

  it('that is a struct has its values in the order and size of its fields', () => {
    const program = lower([step(openHow({ flags: 0o2000000, resolve: 2n ** 63n }), pollfd({ fd: -1, events: 0xffff }))]);
    const [how, poll] = operands(program);
    const at = how?.[1] ?? 0;
    expect([program.data.readBigUInt64LE(at), program.data.readBigUInt64LE(at + 8), program.data.readBigUInt64LE(at + 16)]).toEqual([
      0o2000000n,
      0n,
      2n ** 63n,
    ]);
    expect(program.data.subarray(poll?.[1], (poll?.[1] ?? 0) + 8).toString('hex')).toBe('ffffffffffff0000');
  });

  it('that is the result of a step is loaded from where that step stores it', () => {
    const first = step();
    const { words, data, size } = lower([first, step(resultOf(first)), step()]);
    expect(words[recordWord.store]).toBe(data.length);
    expect(words[RECORD_WORDS + recordWord.operands]).toBe(data.length);
    expect(size).toBe(data.length + 16);
    const kept = new Memory(8, 'kept');
    const into: Step = { ...step(), into: kept.at(0) };
    const program = lower([into, step(resultOf(into), kept)]);
    expect(operands(program, 1)[0]?.[1]).toBe(operands(program, 1)[1]?.[1]);
  });

  it('that is a file is its number where the plan runs', () => {
    const file = new Fd(1_000_000);
    expect(operands(lower([step(file)], { fdNumber: () => 4 }))[0]).toEqual([operand.value, 4, false]);
    expect(() => lower([step(file)])).toThrow(new TypeError('1000000 is open in this process only: a plan that stands alone cannot use it'));
  });
});

describe('a plan', () => {
  const at = 'step 1 (read: a step)';
  const cases: readonly [name: string, plan: Plan, error: Error][] = [
    ['with a NUL in a text', [step('a\0b')], new TypeError('"a\\u0000b" has a NUL byte in it: the kernel would see only what stands before it')],
    ['with a NUL in a vector', [step(['a', '\0'])], new TypeError('"\\u0000" has a NUL byte in it: the kernel would see only what stands before it')],
    ['with a fraction', [step(0.5)], new RangeError(`${at}: 0.5 is not an integer that a system call can take`)],
    ['with NaN', [step(Number.NaN)], new RangeError(`${at}: NaN is not an integer that a system call can take`)],
    ['with a number that is not exact', [step(2 ** 53)], new RangeError(`${at}: 9007199254740992 is not an integer that a system call can take`)],
    ['with seven arguments', [step(1, 2, 3, 4, 5, 6, 7)], new TypeError(`${at} has 7 arguments: a system call takes at most six`)],
    [
      'with eight errnos',
      [{ ...step(), tolerates: ['EPERM', 'ENOENT', 'ESRCH', 'EINTR', 'EIO', 'ENXIO', 'E2BIG', 'ENOEXEC'] }],
      new RangeError(`${at} tolerates 8 errors by name: at most 7, or 'any'`),
    ],
    ['with a result of a step elsewhere', [step(resultOf(step()))], new TypeError(`${at} refers to a step that is not in the plan: read: a step`)],
    [
      'with a jump to a step elsewhere',
      [{ ...step(), jump: { when: '==', to: step() } }],
      new TypeError(`${at} refers to a step that is not in the plan: read: a step`),
    ],
    ['with a way out to a step elsewhere', [{ ...step(), onFailure: step() }], new TypeError(`${at} refers to a step that is not in the plan: read: a step`)],
    ['with a call that there is not', [{ ...step(), call: 'nothing' as 'read' }], new RangeError('no system call named "nothing" on x64')],
    ['with the name of a property for a call', [{ ...step(), call: 'toString' as 'read' }], new RangeError('no system call named "toString" on x64')],
    ['with a load beyond its memory', [step(new Memory(8, 'm').i32(5))], new RangeError('m has 8 bytes: there are no 4 at 5')],
    ['with a load before its memory', [step(new Memory(8, 'm').u8(-1))], new RangeError('m has 8 bytes: there are no 1 at -1')],
    ['with a pointer beyond its memory', [step(new Memory(8, 'm').at(9))], new RangeError('m has 8 bytes: there are no 0 at 9')],
    ['with a result that goes beyond its memory', [{ ...step(), into: new Memory(8, 'm').at(4) }], new RangeError('m has 8 bytes: there are no 8 at 4')],
    [
      'with a result that would overwrite the next field',
      [{ ...step(), into: pollfd({}).field('fd') }],
      new RangeError(`${at}: its result of 64 bits does not fit a field of struct pollfd at 0`),
    ],
    ['with a value that does not fit its field', [step(pollfd({ events: 65536 }))], new RangeError('65536 does not fit 16 bits')],
    [
      'with bytes that do not fit their field',
      [step(struct('s', { b: { type: { bytes: 2 } } })({ b: Buffer.alloc(3) }))],
      new RangeError('struct s: 3 bytes do not fit b, which has 2'),
    ],
    [
      'with more memory than addresses reach',
      [step(new Memory(2 ** 40, 'm'))],
      new RangeError('the memory of a plan is at most 268435456 bytes, not 1099511627776'),
    ],
    [
      'with much memory in many pieces',
      [step(...Array.from({ length: 5 }, (_, i) => new Memory(2 ** 26, `m${i}`)))],
      new RangeError('the memory of a plan is at most 268435456 bytes, not 335544320'),
    ],
  ];
  for (const [name, plan, error] of cases) {
    it(`is refused ${name}`, () => {
      expect(() => lower(plan, { arch: 'x64' })).toThrow(error);
    });
  }

  it('is refused with the same step twice', () => {
    const one = step(1);
    const two = step(2);
    expect(() => lower([one, two, one])).toThrow(new TypeError('step 3 (read: a step) stands in the plan twice: make it anew for each place'));
  });

  it('may store a result in a field of 64 bits, and point to the end of a memory', () => {
    expect(() => lower([{ ...step(new Memory(8, 'm').at(8)), into: mountAttr({}).field('userns_fd') }])).not.toThrow();
  });

  it('is refused before any of its calls is made', () => {
    const before = process.umask();
    const plan: Plan = [{ call: 'umask', args: [0o777], purpose: 'not made' }, step('a\0b')];
    expect(() => perform(plan)).toThrow(TypeError);
    expect(process.umask()).toBe(before);
  });
});
