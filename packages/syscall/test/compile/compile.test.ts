import { compile, continueInChild, Fd, Memory, openHow, waitForHost, type Plan } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { failedStep } from '../../src/compile/compile.js';
import { RECORD_BYTES, RECORDS } from '../../src/compile/layout.js';

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

  it('refuses an architecture that it has no walker for', () => {
    expect(() => compile([{ call: 'getpid', args: [], purpose: 'x' }], { arch: 'riscv64' as 'x64' })).toThrow(
      new RangeError('plans are compiled for x64 and arm64, not for riscv64'),
    );
  });
});

describe('failedStep', () => {
  it('is the index of the step whose record a report names, and none for other reports', () => {
    expect([0, 1, 41].map((index) => failedStep(RECORDS + index * RECORD_BYTES))).toEqual([0, 1, 41]);
    for (const other of [0, 1, 2, 3, 4, RECORDS - RECORD_BYTES, RECORDS + 1]) expect(failedStep(other)).toBeUndefined();
  });
});
