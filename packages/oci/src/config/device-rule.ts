import { boolean, integer, object, required, text, word, type Schema } from '../schema/schema.js';

/** Whether some devices may be used. */
export interface LinuxDeviceRule {
  readonly allow: boolean;
  /** `a` is all, `c` of characters, `b` of blocks. @default 'a' */
  readonly type?: 'a' | 'b' | 'c' | '';
  /** -1 is any. @default any */
  readonly major?: number;
  readonly minor?: number;
  /** Of `r` (read), `w` (write) and `m` (mknod). @default all of them */
  readonly access?: string;
}

export const deviceRule: Schema<LinuxDeviceRule> = object<LinuxDeviceRule>({
  allow: required(boolean()),
  type: word(['a', 'b', 'c', '']),
  major: integer(-1, 2 ** 32 - 1),
  minor: integer(-1, 2 ** 32 - 1),
  access: text('a string of r, w and m', (access) => (/^[rwm]{0,3}$/.test(access) ? undefined : 'a string of r, w and m')),
});
