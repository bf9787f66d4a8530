import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { readLayout } from '@ctr/cgroups';

import type { Config } from '../../config/config.js';
import { defaultConfig } from '../../default-config.js';
import type { Context } from '../context.js';
import { noWords } from '../words.js';

export function specCommand({ args }: Context): number {
  noWords(args);
  const file = join(args.text('bundle') ?? '.', 'config.json');
  try {
    writeFileSync(file, `${JSON.stringify(withNamespacesOf(defaultConfig({ rootless: args.flag('rootless') })), null, '\t')}\n`, { flag: 'wx', mode: 0o666 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new Error('File config.json exists. Remove it first', { cause: error });
    throw error;
  }
  return 0;
}

/** As runc has it: a namespace of cgroups only where all of these are of v2. */
function withNamespacesOf(config: Config): Config {
  if (readLayout().mode === 'v2') return config;
  return { ...config, linux: { ...config.linux, namespaces: (config.linux?.namespaces ?? []).filter(({ type }) => type !== 'cgroup') } };
}
