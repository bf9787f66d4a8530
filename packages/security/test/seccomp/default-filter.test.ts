import { join } from 'node:path';

import { compileFilter, defaultCapabilities, defaultProfile, type SeccompFilter } from '@ctr/security';
import { describe, expect, it } from 'vitest';

const arches = ['x64', 'arm64'] as const;
/** Compiled, whatever has been made ahead: that is for the profile itself only. */
const compiled = (arch: (typeof arches)[number]): SeccompFilter => compileFilter({ ...defaultProfile }, { capabilities: defaultCapabilities, arch });

const json = (arch: (typeof arches)[number]): string => {
  const { instructions, ...rest } = compiled(arch);
  return JSON.stringify({ instructions: Buffer.from(instructions).toString('base64'), ...rest });
};
const lines = (text: string): string => (text.match(/.{1,140}/g) ?? []).map((line) => `    '${line}',\n`).join('');
const source = `// What compileFilter makes of the default profile, as JSON. test/seccomp/default-filter.test.ts compares it, and with -u writes it anew.
import type { Arch } from '@ctr/syscall';

export const defaultFilters: Readonly<Record<Arch, readonly string[]>> = {
${arches.map((arch) => `  ${arch}: [\n${lines(json(arch))}  ],\n`).join('')}};
`;

describe('the filter of the default profile', () => {
  it('is made ahead, as it would be compiled', async () => {
    await expect(source).toMatchFileSnapshot(join(import.meta.dirname, '../../src/seccomp/default-filters.ts'));
  });

  it.each(arches)('is the same for programs of %s, and cannot be changed', (arch) => {
    const filter = compileFilter(defaultProfile, { capabilities: defaultCapabilities, arch });
    expect(filter).toEqual(compiled(arch));
    expect([filter, filter.abis, filter.flags, filter.unknownSyscalls].every(Object.isFrozen)).toBe(true);
    expect(compileFilter(defaultProfile, { capabilities: defaultCapabilities.toReversed(), arch })).toBe(filter);
  });

  it('is compiled for other capabilities, another kernel, or another answer to newer calls', () => {
    const { instructions } = compileFilter(defaultProfile, { capabilities: defaultCapabilities });
    for (const other of [
      { capabilities: [] },
      { capabilities: defaultCapabilities, kernel: '4.7' },
      { capabilities: defaultCapabilities, newerCalls: 'default' as const },
    ])
      expect(compileFilter(defaultProfile, other).instructions).not.toEqual(instructions);
  });
});
