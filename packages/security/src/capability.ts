import { capabilityNumbers, nearest, quote } from '@ctr/syscall';

import { checkWord } from './check.js';

/** One of the rights that the power of root is divided into, by the kernel's name: `CAP_CHOWN`. */
export type Capability = keyof typeof capabilityNumbers;

/**
 * Every capability, in the order of their numbers.
 *
 * @see capabilities(7)
 * @example All but one
 * ```ts
 * import { capabilityNames, capabilities } from '@ctr/security';
 * const steps = capabilities(capabilityNames.filter((capability) => capability !== 'CAP_SYS_MODULE'));
 * ```
 */
export const capabilityNames: readonly Capability[] = Object.freeze(Object.keys(capabilityNumbers) as Capability[]);

/**
 * What root of a container usually needs, and no more: enough to install packages, serve on port 80 and become another user.
 * It is the list of most container engines without making devices, raw sockets and audit records.
 *
 * @example
 * ```ts
 * import { capabilities, defaultCapabilities } from '@ctr/security';
 * const steps = capabilities([...defaultCapabilities, 'CAP_NET_RAW']);
 * ```
 */
export const defaultCapabilities: readonly Capability[] = Object.freeze<Capability[]>([
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_SETFCAP',
]);

/**
 * Reads the name of a capability as people write it: `chown`, `CAP_CHOWN`, in any case.
 * Throws a `RangeError` that quotes what was given and names the nearest capability. `ALL` is not one: see {@link capabilityNames}.
 *
 * @example
 * ```ts
 * import { parseCapability } from '@ctr/security';
 * console.log(parseCapability('net_raw')); // CAP_NET_RAW
 * ```
 */
export function parseCapability(text: string): Capability {
  const upper = text.toUpperCase();
  const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  if (isCapability(name)) return name;
  if (name === 'CAP_ALL') throw new RangeError(`${quote(text)} is not a capability, but all of them`);
  const near = nearest(name, capabilityNames);
  throw new RangeError(`there is no capability ${quote(text)}${near === undefined ? ': see capabilities(7)' : `: did you mean ${near}?`}`);
}

function isCapability(name: string): name is Capability {
  return Object.hasOwn(capabilityNumbers, name);
}

/** Refuses what is not a list of names of capabilities. Throws a `RangeError`. */
export function checkCapabilities(what: string, names: readonly Capability[]): void {
  for (const name of names) checkWord(`${what}: there is no capability`, name, capabilityNumbers);
}
