import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { defaultConfig } from '../../default-config.js';
import type { Context } from '../context.js';
import { noWords } from '../words.js';

export function specCommand({ args }: Context): number {
  noWords(args);
  const file = join(args.text('bundle') ?? '.', 'config.json');
  try {
    writeFileSync(file, `${JSON.stringify(defaultConfig({ rootless: args.flag('rootless') }), null, '\t')}\n`, { flag: 'wx', mode: 0o666 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new Error('File config.json exists. Remove it first', { cause: error });
    throw error;
  }
  return 0;
}
