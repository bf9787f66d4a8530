import { capabilityNames } from '@ctr/security';

import { list, object, openWord, type Schema } from '../schema/schema.js';

/** The sets of capabilities of the program, by the kernel's names: `CAP_CHOWN`. One that is not known, or cannot be had, is passed over. @see capabilities(7) */
export interface LinuxCapabilities {
  readonly bounding?: readonly string[];
  readonly effective?: readonly string[];
  readonly inheritable?: readonly string[];
  readonly permitted?: readonly string[];
  readonly ambient?: readonly string[];
}

const set = list(openWord(capabilityNames, 'there is no such capability, and it is passed over'));

export const capabilities: Schema<LinuxCapabilities> = object<LinuxCapabilities>(
  { bounding: set, effective: set, inheritable: set, permitted: set, ambient: set },
  (value, report) => {
    const tell = (name: 'effective' | 'ambient', without: 'permitted' | 'inheritable'): void => {
      const has = new Set(value[without]);
      const missing = (value[name] ?? []).filter((capability) => !has.has(capability));
      if (missing.length > 0) report.warning(name, missing[0], `a capability that is ${without}, too: otherwise it cannot be had`);
    };
    tell('effective', 'permitted');
    tell('ambient', 'permitted');
    tell('ambient', 'inheritable');
  },
);
