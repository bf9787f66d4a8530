import { describe, expect, it } from 'vitest';

import { capabilityNames, readCapabilities } from '@ctr/security';

import { parseStatus } from '../src/read-capabilities.js';

const status = (sets: Record<string, string>, rest = 'NoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\n'): string =>
  `Name:\tCapEff:\tx\nUmask:\t0022\n${['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((set) => `${set}:\t${sets[set] ?? '0'.repeat(16)}\n`).join('')}${rest}`;

describe('readCapabilities', () => {
  it('names the bits of each set', () => {
    expect(parseStatus(status({ CapInh: '0000000000002000', CapPrm: '000001ffffffffff', CapEff: '0000010000000001', CapBnd: '8000020000000000' }))).toEqual({
      inheritable: ['CAP_NET_RAW'],
      permitted: capabilityNames,
      effective: ['CAP_CHOWN', 'CAP_CHECKPOINT_RESTORE'],
      bounding: ['CAP_41', 'CAP_63'],
      ambient: [],
      noNewPrivs: true,
      seccomp: 'filter',
    });
  });

  it('takes a kernel without seccomp as one without a filter', () => {
    expect(parseStatus(status({}, 'NoNewPrivs:\t0\n'))).toMatchObject({ noNewPrivs: false, seccomp: 'disabled' });
    expect(parseStatus(status({}, 'Seccomp:\t1\n'))).toMatchObject({ seccomp: 'strict' });
  });

  it('does not take anything else for a status', () => {
    for (const text of ['', 'Name:\tx\n', status({ CapAmb: '1ff' }), status({ CapAmb: 'x'.repeat(16) })])
      expect(() => parseStatus(text)).toThrow(/^the status of the process has no set of capabilities Cap/);
  });

  it('reads its own process, and no pid that is none', () => {
    expect(readCapabilities()).toEqual(readCapabilities(process.pid));
    for (const pid of [0, -1, 1.5, Number.NaN, 2 ** 22 + 1]) expect(() => readCapabilities(pid)).toThrow(RangeError);
    expect(() => readCapabilities('../1' as 'self')).toThrow(RangeError);
    expect(() => readCapabilities(2 ** 22)).toThrow('ENOENT');
  });
});
