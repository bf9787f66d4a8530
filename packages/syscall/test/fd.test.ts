import { closeSync, fstatSync, openSync } from 'node:fs';

import { Fd } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

const open = (): number => openSync('/dev/null', 'r');
const isOpen = (number: number): boolean => {
  try {
    fstatSync(number);
    return true;
  } catch {
    return false;
  }
};

describe('Fd', () => {
  it('closes its file once: a second time does nothing, though the number may be of another file by then', () => {
    const number = open();
    const fd = new Fd(number, '/dev/null');
    expect([fd.number, fd.closed, isOpen(number)]).toEqual([number, false, true]);
    fd.close();
    expect([fd.closed, isOpen(number)]).toEqual([true, false]);
    const other = open();
    expect(other).toBe(number);
    fd.close();
    fd[Symbol.dispose]();
    expect(isOpen(other)).toBe(true);
    closeSync(other);
  });

  it('has no number once it is closed', () => {
    const fd = new Fd(open(), '/dev/null');
    fd.close();
    expect(() => fd.number).toThrow(new TypeError('the file /dev/null is closed already'));
    expect(() => fd.release()).toThrow(TypeError);
  });

  it('closes at the end of its block', () => {
    const number = open();
    {
      using fd = new Fd(number);
      expect(isOpen(fd.number)).toBe(true);
    }
    expect(isOpen(number)).toBe(false);
  });

  it('gives its number away', () => {
    const fd = new Fd(open());
    const number = fd.release();
    fd.close();
    expect(isOpen(number)).toBe(true);
    closeSync(number);
  });

  it('is named for messages', () => {
    expect(String(new Fd(1_000_000))).toBe('1000000');
    expect(String(new Fd(1_000_000, '/srv'))).toBe('1000000</srv>');
  });

  it('refuses what is no number of a file', () => {
    for (const number of [-1, 0.5, Number.NaN]) expect(() => new Fd(number)).toThrow(new RangeError(`${number} is not the number of an open file`));
  });
});
