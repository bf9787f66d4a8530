import { list, object, required, text, word, type Schema } from '../schema/schema.js';

/** Which machine uname(2) tells the program of. @see personality(2) */
export interface LinuxPersonality {
  readonly domain: 'LINUX' | 'LINUX32';
  /** None are defined. */
  readonly flags?: readonly string[];
}

export const personality: Schema<LinuxPersonality> = object<LinuxPersonality>(
  { domain: required(word(['LINUX', 'LINUX32'])), flags: list(text()) },
  ({ flags = [] }, report) => {
    if (flags.length > 0) report.error('flags', flags, 'an empty array: the runtime-spec defines no flags');
  },
);
