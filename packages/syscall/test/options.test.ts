import { checkOptions, nearest, requireKernel } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

describe('checkOptions', () => {
  it('lets known keys pass, and names the nearest one to an unknown key', () => {
    expect(() => checkOptions('tmpfs', { sizeBytes: 1, mode: 2 }, ['sizeBytes', 'mode'])).not.toThrow();
    expect(() => checkOptions('tmpfs', {}, [])).not.toThrow();
    expect(() => checkOptions('tmpfs', { sizebytes: 1 }, ['sizeBytes', 'mode'])).toThrow(
      new TypeError('tmpfs: there is no option "sizebytes": did you mean sizeBytes?'),
    );
    expect(() => checkOptions('tmpfs', { x: 1 }, ['sizeBytes', 'mode'])).toThrow(new TypeError('tmpfs: there is no option "x"; there are sizeBytes, mode'));
    expect(() => checkOptions('tmpfs', { ['__proto__']: 1, constructor: 1 }, ['mode'])).toThrow(TypeError);
  });
});

describe('nearest', () => {
  it('finds the word that was meant, and none that was not', () => {
    expect(nearest('hostnmae', ['rootfs', 'hostname'])).toBe('hostname');
    expect(nearest('HOSTNAME', ['rootfs', 'hostname'])).toBe('hostname');
    expect(nearest('root', ['rootfs', 'hostname'])).toBe('rootfs');
    expect(nearest('limits', ['rootfs', 'hostname'])).toBeUndefined();
    expect(nearest('', ['a'])).toBe('a');
    expect(nearest('x', [])).toBeUndefined();
  });
});

describe('requireKernel', () => {
  it('refuses what is older than 5.14, and names both', () => {
    for (const version of ['5.14.0', '5.14', '5.15.0-91-generic', '6.0.0', '10.1']) expect(() => requireKernel(version)).not.toThrow();
    for (const version of ['5.13.19', '4.19.0-26-amd64', '3.10.0-1160.el7'])
      expect(() => requireKernel(version)).toThrow(`ctr needs Linux 5.14 or newer; this is ${version}`);
    expect(() => requireKernel()).not.toThrow();
  });
});
