import { explain } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { domainname, hostname } from '@ctr/namespaces';

describe('hostname and domainname', () => {
  it('are one call each, with the length in bytes', () => {
    expect(explain([...hostname('bücher'), ...domainname('example.org')])).toMatchInlineSnapshot(`
      "1  sethostname("b\\303\\274cher", 7)  # the host name
      2  setdomainname("example.org", 11)  # the NIS domain name"
    `);
  });

  for (const [name, set] of [
    ['host name', hostname],
    ['domain name', domainname],
  ] as const) {
    it(`take a ${name} of 1 to 64 bytes`, () => {
      expect(set('x'.repeat(64))).toHaveLength(1);
      expect(() => set('x'.repeat(65))).toThrow(new RangeError(`the ${name} "${'x'.repeat(65)}" has 65 bytes: the kernel takes 1 to 64`));
      expect(() => set('ü'.repeat(33))).toThrow('has 66 bytes');
      expect(() => set('')).toThrow('has 0 bytes');
    });

    it(`refuse control characters in a ${name}`, () => {
      for (const bad of ['a\0b', 'a\nb', 'a\tb', '\u007f', '\u001b[2J']) expect(() => set(bad)).toThrow(/has a control character in it$/);
      expect(() => set('a\nb')).toThrow('the ' + name + ' "a\\nb"');
    });
  }
});
