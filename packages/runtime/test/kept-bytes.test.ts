import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { KeptBytes } from '../src/kept-bytes.js';

describe('bytes that are kept', () => {
  it('are those that came, whatever the sizes of their chunks, and when they are asked for', () => {
    const chunk = fc.integer({ min: 0, max: 6000 }).map((length) => Buffer.alloc(length, length));
    fc.assert(
      fc.property(fc.array(fc.tuple(chunk, fc.boolean())), (chunks) => {
        const kept = new KeptBytes();
        const all: Buffer[] = [];
        for (const [bytes, isAskedFor] of chunks) {
          kept.add(bytes);
          all.push(bytes);
          if (isAskedFor) expect(Buffer.concat(kept.parts()).equals(Buffer.concat(all))).toBe(true);
        }
        expect(Buffer.concat(kept.parts()).equals(Buffer.concat(all))).toBe(true);
      }),
    );
  });

  it('one by one are few parts, without more memory than twice theirs', () => {
    const kept = new KeptBytes();
    for (let i = 0; i < 100_000; i++) kept.add(Buffer.of(i & 0xff));
    expect(kept.parts().length).toBeLessThan(20);
    const memory = new Set(kept.parts().map(({ buffer }) => buffer));
    expect([...memory].reduce((sum, { byteLength }) => sum + byteLength, 0)).toBeLessThan(200_000);
  });

  it('in large chunks are not copied', () => {
    const kept = new KeptBytes();
    const chunk = Buffer.alloc(65_536);
    kept.add(chunk);
    expect(kept.parts()).toEqual([chunk]);
    expect(kept.parts()[0]).toBe(chunk);
  });
});
