import { compile, continueInChild, Fd, Memory, openHow, waitForHost, type Plan } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { failedStep } from '../../src/compile/compile.js';
import { RECORD_BYTES, RECORDS, UNPACKER_OFFSET } from '../../src/compile/layout.js';
import { assemble } from '../../src/compile/listing.js';
import { unpacker as arm64 } from '../../src/compile/unpacker-arm64.js';
import { unpacker as x64 } from '../../src/compile/unpacker-x64.js';
import { noise } from './noise.js';
import { unpack } from './unpack.js';

const plan = (): Plan => [
  ...continueInChild(),
  ...waitForHost('a test'),
  { call: 'openat2', args: [-100, '/etc', openHow({ flags: 0o2000000 }), 24], purpose: 'open' },
  { call: 'execve', args: ['/bin/true', ['true', 'é'], ['A=1']], purpose: 'the program' },
];

describe('compile', () => {
  it('makes the same bytes of the same plan, and of one made anew', () => {
    const one = plan();
    for (const arch of ['x64', 'arm64'] as const) {
      expect(Buffer.from(compile(one, { arch })).equals(compile(one, { arch }))).toBe(true);
      expect(Buffer.from(compile(one, { arch })).equals(compile(plan(), { arch }))).toBe(true);
    }
    expect(Buffer.from(compile(one)).equals(compile(one, { arch: process.arch === 'arm64' ? 'arm64' : 'x64' }))).toBe(true);
  });

  it('makes an ELF executable for either architecture: code that cannot be written, data that cannot be executed, a stack that is neither', () => {
    for (const [arch, machine] of [
      ['x64', 62],
      ['arm64', 183],
    ] as const) {
      const file = Buffer.from(compile(plan(), { arch }));
      expect(file.toString('latin1', 0, 4)).toBe('\x7fELF');
      expect([file.readUInt8(4), file.readUInt8(5), file.readUInt16LE(16), file.readUInt16LE(18)]).toEqual([2, 1, 2, machine]);
      const segments = Array.from({ length: file.readUInt16LE(56) }, (_, i) => 64 + i * 56).map((at) => [
        file.readUInt32LE(at).toString(16),
        file.readUInt32LE(at + 4),
      ]);
      expect(segments).toEqual([
        ['1', 5],
        ['1', 6],
        ['6474e551', 6],
      ]);
      expect(file.length).toBeLessThan(2048);
    }
  });

  it('puts memory that is zero into no byte of the file', () => {
    const small = compile([{ call: 'read', args: [0, new Memory(1, 'm'), 1], purpose: 'read' }]).length;
    expect(compile([{ call: 'read', args: [0, new Memory(2 ** 20, 'm'), 1], purpose: 'read' }])).toHaveLength(small);
  });

  it("refuses the host's open files", () => {
    expect(() => compile([{ call: 'fchdir', args: [new Fd(1_000_000, '/srv')], purpose: 'go' }])).toThrow(
      new TypeError('1000000</srv> is open in this process only: a plan that stands alone cannot use it'),
    );
  });

  it('refuses an option that there is not', () => {
    expect(() => compile([], { pakced: true } as object)).toThrow(new TypeError('compile: there is no option "pakced": did you mean packed?'));
  });

  it('refuses an architecture that it has no walker for', () => {
    expect(() => compile([{ call: 'getpid', args: [], purpose: 'x' }], { arch: 'riscv64' as 'x64' })).toThrow(
      new RangeError('plans are compiled for x64 and arm64, not for riscv64'),
    );
  });
});

describe('compile, packed', () => {
  const long = (): Plan => Array.from({ length: 100 }, (_, i) => ({ call: 'write', args: [1, `line ${i}`, 7], purpose: 'many' }));
  /** The fields of the program headers: type, flags, offset, address, size in the file, size in memory. */
  const segments = (file: Buffer): number[][] =>
    [64, 120, 176].map((at) => [file.readUInt32LE(at), file.readUInt32LE(at + 4), ...[8, 16, 32, 40].map((field) => Number(file.readBigUInt64LE(at + field)))]);

  for (const [arch, unpacker] of [
    ['x64', assemble(x64)],
    ['arm64', assemble(arm64)],
  ] as const) {
    it(`for ${arch} has the same walker, and the same records and data in an LZ4 block behind the unpacker`, () => {
      const plain = Buffer.from(compile(long(), { arch }));
      const packed = Buffer.from(compile(long(), { arch, packed: true }));
      expect(packed.length).toBeLessThan(plain.length / 3);
      expect(packed.subarray(0xe8, UNPACKER_OFFSET).equals(plain.subarray(0xe8, UNPACKER_OFFSET))).toBe(true);
      const block = UNPACKER_OFFSET + unpacker.length;
      expect(packed.subarray(UNPACKER_OFFSET, block).equals(unpacker)).toBe(true);
      expect(unpack(packed.subarray(block, -1)).equals(plain.subarray(UNPACKER_OFFSET))).toBe(true);
      expect(packed.at(-1)).toBe(0xff);
      expect(packed.equals(compile(long(), { arch, packed: true }))).toBe(true);
    });

    it(`for ${arch} starts with the unpacker, in a segment that cannot be written, with memory for all that is unpacked in one that cannot be executed`, () => {
      const plan = [...long(), { call: 'read', args: [0, new Memory(5000, 'm'), 1], purpose: 'read' }] satisfies Plan;
      const plain = Buffer.from(compile(plan, { arch }));
      const packed = Buffer.from(compile(plan, { arch, packed: true }));
      expect(packed.readUInt32LE(24)).toBe(0x400310);
      const [code, data, stack] = segments(plain);
      expect(segments(packed)).toEqual([
        [...(code as number[]).slice(0, 4), packed.length, packed.length],
        [...(data as number[]).slice(0, 4), 16, data?.[5]],
        stack,
      ]);
    });
  }

  it('leaves as it is what would be no smaller, or would reach into the addresses of the data', () => {
    const content = noise(70_000, 1);
    for (const plan of [[], [...long(), { call: 'write', args: [1, content, content.length], purpose: 'too large' }]] satisfies Plan[])
      expect(Buffer.from(compile(plan, { packed: true })).equals(compile(plan))).toBe(true);
  });

  it('is no smaller unless it is asked for', () => {
    expect(Buffer.from(compile(long(), { packed: false })).equals(compile(long()))).toBe(true);
  });
});

describe('failedStep', () => {
  it('is the index of the step whose record a report names, and none for other reports', () => {
    expect([0, 1, 41].map((index) => failedStep(RECORDS + index * RECORD_BYTES))).toEqual([0, 1, 41]);
    for (const other of [0, 1, 2, 3, 4, RECORDS - RECORD_BYTES, RECORDS + 1]) expect(failedStep(other)).toBeUndefined();
  });
});
