import { Memory, struct } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

describe('Memory', () => {
  it('has zeros or a content, and a name', () => {
    expect(new Memory(16, 'zeros')).toMatchObject({ byteLength: 16, initial: undefined, name: 'zeros' });
    const bytes = Buffer.from('abc');
    expect(new Memory(bytes, 'text')).toMatchObject({ byteLength: 3, initial: bytes });
  });

  it('is named by address and by value, in three sizes', () => {
    const memory = new Memory(16, 'm');
    expect(memory.at(8)).toEqual({ kind: 'pointer', of: memory, offset: 8 });
    expect([memory.u64(8), memory.i32(4), memory.u8(3), memory.u64()].map((load) => [load.kind, load.offset, load.size])).toEqual([
      ['load', 8, 8],
      ['load', 4, 4],
      ['load', 3, 1],
      ['load', 0, 8],
    ]);
  });

  it('refuses a size that is none', () => {
    for (const size of [-1, 0.5, Number.NaN, 2 ** 53]) expect(() => new Memory(size, 'm')).toThrow(new RangeError(`Memory m: ${size} is not a size in bytes`));
  });
});

describe('struct', () => {
  it('lays fields out as C does: each at a multiple of its size, the whole at one of the largest', () => {
    const mixed = struct('mixed', {
      a: { type: 'u8' },
      b: { type: 'u16' },
      c: { type: 'u8' },
      d: { type: 'i32' },
      e: { type: 'pointer' },
      f: { type: { bytes: 3 } },
      g: { type: 'i64' },
      h: { type: 'u32' },
    });
    expect(mixed.fields.map(({ name, offset, size }) => [name, offset, size])).toEqual([
      ['a', 0, 1],
      ['b', 2, 2],
      ['c', 4, 1],
      ['d', 8, 4],
      ['e', 16, 8],
      ['f', 24, 3],
      ['g', 32, 8],
      ['h', 40, 4],
    ]);
    expect(mixed.byteLength).toBe(48);
    expect(mixed.offsetOf('g')).toBe(32);
    expect(struct('bytes', { a: { type: { bytes: 5 } }, b: { type: 'u8' } }).byteLength).toBe(6);
    expect(struct('empty', {}).byteLength).toBe(0);
  });

  it('makes values whose fields have addresses', () => {
    const pair = struct('pair', { first: { type: 'u64' }, second: { type: 'u64' } });
    const value = pair({ second: 2 });
    expect(value).toMatchObject({ kind: 'struct', byteLength: 16, values: { second: 2 } });
    expect(value.field('second')).toEqual({ kind: 'pointer', of: value, offset: 8 });
  });

  it('has no other fields', () => {
    const pair = struct('pair', { first: { type: 'u64' } });
    expect(() => pair({ third: 1 } as never)).toThrow(new TypeError('struct pair has no field third'));
    expect(() => pair({}).field('third')).toThrow('struct pair has no field third');
  });
});
