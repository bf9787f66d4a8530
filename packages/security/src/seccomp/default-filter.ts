import type { Arch } from '@ctr/syscall';

import type { SeccompFilter } from './compile-filter.js';
import { defaultFilters } from './default-filters.js';

/** The filter of the default profile with the default capabilities, made ahead: to compile it takes a new process as long as to start a container. */
export function defaultFilter(arch: Arch): SeccompFilter {
  const { instructions, abis, flags, unknownSyscalls, ...rest } = JSON.parse(defaultFilters[arch].join('')) as Omit<SeccompFilter, 'instructions'> & {
    instructions: string;
  };
  return Object.freeze({
    instructions: Uint8Array.from(Buffer.from(instructions, 'base64')),
    ...rest,
    abis: Object.freeze(abis),
    flags: Object.freeze(flags),
    unknownSyscalls: Object.freeze(unknownSyscalls),
  });
}
