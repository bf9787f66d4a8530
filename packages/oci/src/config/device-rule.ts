import type { LinuxDeviceCgroup } from '@ctr/cgroups';

import { boolean, integer, object, required, text, word, type Schema } from '../schema/schema.js';

export const deviceRule: Schema<LinuxDeviceCgroup> = object<LinuxDeviceCgroup>({
  allow: required(boolean()),
  type: word(['a', 'b', 'c', '']),
  major: integer(-1, 2 ** 32 - 1),
  minor: integer(-1, 2 ** 32 - 1),
  access: text('a string of r, w and m', (access) => (/^[rwm]{0,3}$/.test(access) ? undefined : 'a string of r, w and m')),
});
