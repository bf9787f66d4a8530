import { auditArches, Fd, seccompData, seccompNotif, type ErrnoName } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { Notification } from '../../src/notify/notification.js';

/** As the kernel writes it. */
function notification(nr: number, arch: number, args: readonly bigint[] = [], pid = 1): Notification {
  const bytes = Buffer.alloc(seccompNotif.byteLength);
  bytes.writeBigUInt64LE(2n ** 63n + 1n, seccompNotif.offsetOf('id'));
  bytes.writeUInt32LE(pid, seccompNotif.offsetOf('pid'));
  const data = bytes.subarray(seccompNotif.offsetOf('data'));
  data.writeInt32LE(nr, seccompData.offsetOf('nr'));
  data.writeUInt32LE(arch, seccompData.offsetOf('arch'));
  for (const [i, arg] of args.entries()) data.writeBigUInt64LE(arg, seccompData.offsetOf('args') + i * 8);
  return new Notification(new Fd(1_000_000, 'listener'), bytes);
}

describe('Notification', () => {
  it('names calls by the architecture of the program', () => {
    const { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM } = auditArches;
    const named = (nr: number, arch: number): unknown[] => [notification(nr, arch).arch, notification(nr, arch).name];
    expect(named(83, AUDIT_ARCH_X86_64)).toEqual(['x64', 'mkdir']);
    expect(named(83 | 0x40000000, AUDIT_ARCH_X86_64)).toEqual(['x32', 'mkdir']);
    expect(named(39, AUDIT_ARCH_I386)).toEqual(['i386', 'mkdir']);
    expect(named(34, AUDIT_ARCH_AARCH64)).toEqual(['arm64', 'mkdirat']);
    expect(named(39, AUDIT_ARCH_ARM)).toEqual(['arm', 'mkdir']);
    expect(named(9999, AUDIT_ARCH_X86_64)).toEqual(['x64', undefined]);
    expect(named(39, 0x15)).toEqual([undefined, undefined]);
  });

  it('has what the kernel says without sign', () => {
    const { id, pid, args } = notification(0, auditArches.AUDIT_ARCH_X86_64, [2n ** 64n - 100n, 7n], 12);
    expect([id, pid, args]).toEqual([2n ** 63n + 1n, 12, [2n ** 64n - 100n, 7n, 0n, 0n, 0n, 0n]]);
  });

  it('refuses what is no answer, before any call', () => {
    const one = notification(83, auditArches.AUDIT_ARCH_X86_64);
    expect(() => one.fail('ENOWAY' as ErrnoName)).toThrow(RangeError);
    expect(() => one.return(-1)).toThrow(new RangeError('return: a program takes -1 for an errno: use fail'));
    expect(() => one.return(2n ** 63n)).toThrow('does not fit 64 bits');
    expect(() => one.return(0.5)).toThrow(RangeError);
    expect(() => one.readBytes(0n, 0)).toThrow(RangeError);
    expect(() => one.readString(0n, 2 ** 30)).toThrow(RangeError);
    expect(() => one.addFd(new Fd(1_000_001), { at: -1 })).toThrow(RangeError);
    expect(() => one.addFd(new Fd(1_000_001), { clo: true } as object)).toThrow(TypeError);
    // Nobody listens at that number: it is known to be wrong only now.
    expect(() => one.return(0)).toThrow('EBADF');
    expect(() => one.return(0)).toThrow('answered already');
  });

  it('has no memory of a caller that cannot be seen', () => {
    expect(() => notification(0, 0, [], 0).readBytes(8n, 1)).toThrow('a pid namespace that this process does not see');
  });
});
