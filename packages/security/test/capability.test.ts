import { describe, expect, it } from 'vitest';

import { capabilityNames, defaultCapabilities, parseCapability } from '@ctr/security';

describe('parseCapability', () => {
  it('reads a name with and without CAP_, in any case', () => {
    for (const text of ['CAP_SYS_ADMIN', 'sys_admin', 'Cap_Sys_Admin', 'SYS_ADMIN']) expect(parseCapability(text)).toBe('CAP_SYS_ADMIN');
    for (const name of capabilityNames) expect(parseCapability(name.slice(4).toLowerCase())).toBe(name);
  });

  it('names the nearest one', () => {
    expect(() => parseCapability('SYS_ADMN')).toThrow(new RangeError('there is no capability "SYS_ADMN": did you mean CAP_SYS_ADMIN?'));
    expect(() => parseCapability('everything')).toThrow(new RangeError('there is no capability "everything": see capabilities(7)'));
    expect(() => parseCapability('ALL')).toThrow(new RangeError('"ALL" is not a capability, but all of them'));
  });

  it('quotes what it was given without harm to a terminal', () => {
    expect(() => parseCapability('\u001b[2Jchown')).toThrow(String.raw`"\u001b[2Jchown"`);
    for (const text of ['', 'CAP_', ' chown', 'chown ', '__proto__', 'CAP_CAP_CHOWN']) expect(() => parseCapability(text)).toThrow(RangeError);
  });
});

it('the default ones are those of root that stay harmless in a container', () => {
  expect(defaultCapabilities).toHaveLength(11);
  expect(defaultCapabilities).not.toContain('CAP_SYS_ADMIN');
  expect(capabilityNames.filter((name) => defaultCapabilities.includes(name))).toEqual(defaultCapabilities);
});
