import { describe, expect, it } from 'vitest';

import { decode, decodeAttributes, encode, encodeAttributes, string, stringOf, u32 } from '../../src/rtnetlink/message.js';

describe('messages', () => {
  it('have the length, the type, the flags and the number before what they say', () => {
    expect(encode({ type: 16, flags: 5, sequence: 258, payload: Buffer.from([9, 8]) }).toString('hex')).toBe('120000001000050002010000000000000908');
  });

  it('are read one behind the other, each at a multiple of 4 bytes', () => {
    const [first, second] = [
      { type: 16, flags: 0, sequence: 1, payload: Buffer.from([1, 2, 3]) },
      { type: 3, flags: 2, sequence: 2, payload: Buffer.from([0, 0, 0, 0]) },
    ];
    expect(decode(Buffer.concat([encode(first), Buffer.alloc(1), encode(second)]))).toEqual([first, second]);
    expect(decode(Buffer.alloc(0))).toEqual([]);
  });

  it('that say a length which they cannot have are refused', () => {
    for (const length of [0, 15, 17, 0xffffffff]) {
      const bytes = encode({ type: 16, flags: 0, sequence: 1, payload: Buffer.alloc(0) });
      bytes.writeUInt32LE(length, 0);
      expect(() => decode(bytes)).toThrow(`a message of netlink with the length ${length}`);
    }
  });
});

describe('attributes', () => {
  it('have their length and type before the value, and are filled up to a multiple of 4 bytes', () => {
    expect(
      encodeAttributes([
        [3, string('eth0')],
        [28, u32(7)],
      ] as const).toString('hex'),
    ).toBe('09000300657468300000000008001c0007000000');
  });

  it('are read by their type, whatever flags it has', () => {
    const bytes = encodeAttributes([
      [3, string('eth0')],
      [0x8000 | 18, u32(1)],
    ]);
    const attributes = decodeAttributes(bytes);
    expect([...attributes.keys()]).toEqual([3, 18]);
    expect(stringOf(attributes.get(3) ?? Buffer.alloc(0))).toBe('eth0');
    expect(stringOf(Buffer.from('no NUL'))).toBe('no NUL');
  });

  it('that say a length which they cannot have are refused', () => {
    for (const length of [0, 3, 9]) {
      const bytes = encodeAttributes([[1, u32(1)]]);
      bytes.writeUInt16LE(length, 0);
      expect(() => decodeAttributes(bytes)).toThrow(`an attribute of netlink with the length ${length}`);
    }
  });
});
