import { spawnSync } from 'node:child_process';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { pack } from '../../src/compile/pack.js';
import { noise } from './noise.js';
import { unpack } from './unpack.js';

/** More than a few hundred with CTR_FUZZ_RUNS in the environment. */
const runs = Number(process.env['CTR_FUZZ_RUNS'] ?? 300);

const bytes = (maxLength: number): fc.Arbitrary<Buffer> => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
/** Pieces that come again, nearby or far away, between ones that do not. */
const repetitive = fc
  .tuple(fc.array(bytes(40), { minLength: 1, maxLength: 5 }), fc.array(fc.oneof(fc.nat(4), bytes(20)), { maxLength: 60 }), fc.integer({ min: 1, max: 400 }))
  .map(([pieces, order, times]) =>
    Buffer.concat(
      order.flatMap((one, i) => (typeof one !== 'number' ? [one] : Array<Buffer>(i % 7 === 0 ? times : 1).fill(pieces[one % pieces.length] as Buffer))),
    ),
  );
/** Few different bytes: many short repetitions. */
const narrow = fc.array(fc.nat(2), { maxLength: 600 }).map((array) => Buffer.from(array));

const piece = noise(100, 1);
const far = (distance: number): Buffer => Buffer.concat([piece, noise(distance - piece.length, 2), piece, noise(20, 3)]);

/** What has its own place in the format, or in the way of packing. */
const corners: Readonly<Record<string, Buffer>> = {
  nothing: Buffer.alloc(0),
  ...Object.fromEntries([1, 4, 5, 11, 12, 13, 14, 16, 17, 18, 19, 31, 32, 33].map((length) => [`${length} zeros`, Buffer.alloc(length)])),
  ...Object.fromEntries([14, 15, 16, 269, 270, 271, 524, 525, 526].map((length) => [`${length} literals`, noise(length, 4)])),
  ...Object.fromEntries([18, 19, 20, 272, 273, 274, 275].map((length) => [`${length} bytes again`, Buffer.concat([Buffer.alloc(length, 'abc'), noise(6, 5)])])),
  'a megabyte of zeros': Buffer.alloc(2 ** 20),
  'what cannot be made smaller': noise(200_000, 6),
  ...Object.fromEntries([65_534, 65_535, 65_536, 65_537].map((distance) => [`the same ${distance} bytes before`, far(distance)])),
};

describe('pack', () => {
  it.each(Object.entries(corners))('makes a block of %s', (_, content) => {
    expect(unpack(pack(content)).equals(content)).toBe(true);
  });

  it('makes a block of whatever there is', { timeout: 30_000 + runs * 100 }, () => {
    fc.assert(
      fc.property(fc.oneof(bytes(400), repetitive, narrow), (content) => {
        expect(unpack(pack(content)).equals(content)).toBe(true);
      }),
      { numRuns: runs },
    );
  });

  it('reaches back as far as the format does, and no farther', () => {
    const size = (distance: number): number => pack(far(distance)).length - distance;
    expect(size(65_535)).toBe(size(1000) + Math.floor((65_535 - 15) / 255) - Math.floor((1000 - 15) / 255));
    expect(size(65_536)).toBeGreaterThan(size(65_535) + 90);
  });

  it('adds no more to what cannot be made smaller than the numbers need', () => {
    const content = corners['what cannot be made smaller'] as Buffer;
    expect(pack(content).length).toBeLessThanOrEqual(content.length + Math.ceil(content.length / 255) + 2);
  });

  it('is the same block each time, and leaves the content alone', () => {
    const content = Buffer.concat([piece, piece, Buffer.alloc(1000), piece]);
    const before = Buffer.from(content);
    expect(pack(content).equals(pack(content))).toBe(true);
    expect(content.equals(before)).toBe(true);
  });

  it('is what lz4 unpacks', ({ skip }) => {
    skip(spawnSync('lz4', ['-V']).status !== 0, 'lz4 is not installed');
    for (const [name, content] of Object.entries(corners)) {
      if (content.length === 0) continue; // lz4 takes no block of nothing.
      const block = pack(content);
      // The legacy frame: a magic number, the size of a block, the block.
      const head = Buffer.from(Uint32Array.of(0x184c2102, block.length).buffer);
      const { stdout } = spawnSync('lz4', ['-dc'], { input: Buffer.concat([head, block]), maxBuffer: 2 ** 22 });
      expect(stdout.equals(content), name).toBe(true);
    }
  });
});
