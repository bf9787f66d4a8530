import { errnoName, errnos, errnoText, isSyscallError, SyscallError } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

describe('SyscallError', () => {
  it('says what was tried, what came of it, at which step, what for, and what may help', () => {
    const error = new SyscallError({ call: 'mount', line: 'mount("proc", "/proc")', errno: 1, step: 6, of: 12, purpose: 'a fresh proc', hint: 'run as root' });
    expect(error.message).toBe('mount("proc", "/proc") = EPERM (operation not permitted), step 7 of 12: a fresh proc\nhint: run as root');
    expect(error).toMatchObject({ name: 'SyscallError', call: 'mount', errno: 1, code: 'EPERM', step: 6, purpose: 'a fresh proc', hint: 'run as root' });
    expect(error).toBeInstanceOf(Error);
  });

  it('leaves out what it does not know', () => {
    const error = new SyscallError({ call: 'close', line: 'close(3)', errno: 9 });
    expect(error.message).toBe('close(3) = EBADF (bad file descriptor)');
    expect(error.plan).toBeUndefined();
    expect(new SyscallError({ call: 'close', line: 'close(3)', errno: 9, step: 0 }).message).toBe('close(3) = EBADF (bad file descriptor), step 1');
  });

  it('has the plan when it is asked for it', () => {
    let asked = 0;
    const error = new SyscallError({ call: 'close', line: 'close(3)', errno: 9, plan: () => `plan ${++asked}` });
    expect(asked).toBe(0);
    expect(error.plan).toBe('plan 1');
    expect(new SyscallError({ call: 'close', line: 'close(3)', errno: 9, plan: 'a text' }).plan).toBe('a text');
  });

  it('is known by its brand, also if it is of another copy of this package', () => {
    const error = new SyscallError({ call: 'close', line: 'close(3)', errno: 9 });
    expect(isSyscallError(error)).toBe(true);
    expect(isSyscallError(Object.assign(new Error('other copy'), { [Symbol.for('ctr.SyscallError')]: true }))).toBe(true);
    for (const other of [new Error('none'), undefined, null, 'text', { [Symbol.for('ctr.SyscallError')]: true }]) expect(isSyscallError(other)).toBe(false);
    expect(Object.keys(error)).not.toContain('plan');
  });
});

describe('errnos', () => {
  it('have names and texts', () => {
    expect(errnoName(errnos.ENOENT)).toBe('ENOENT');
    expect(errnoText(errnos.ENOENT)).toBe('no such file or directory');
    // Node has no words for these.
    expect(errnoText(errnos.ENOEXEC)).toBe('exec format error');
    expect(errnoText(errnos.EDQUOT)).toBe('disk quota exceeded');
    // Names of the same number: the one that man pages use.
    expect(errnoName(11)).toBe('EAGAIN');
    expect(errnoName(95)).toMatch(/^EOPNOTSUPP$|^ENOTSUP$/);
  });

  it('of a number that has no name are numbers', () => {
    expect(errnoName(4000)).toContain('4000');
  });
});
