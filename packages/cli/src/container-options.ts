import { lookupUser, type ContainerOptions } from '@ctr/runtime';

import type { Settings } from './settings.js';
import { UsageError } from './usage-error.js';

/** What the settings mean to the runtime. Throws for a user that does not exist. */
export function containerOptions(settings: Settings): ContainerOptions {
  const { rootfs, hostname, name, workdir, user, init, readonly, mounts, limits, namespaces } = settings;
  const env = { ...settings.fileEnv, ...settings.env };
  return {
    ...(rootfs !== undefined && { rootfs }),
    ...(hostname !== undefined && { hostname }),
    ...(name !== undefined && { name }),
    ...(workdir !== undefined && { cwd: workdir }),
    ...(user !== undefined && { user: lookupUser(user, rootfs) }),
    ...(init && { init }),
    ...(readonly && { readonly }),
    ...(mounts.length > 0 && { mounts }),
    ...(Object.keys(env).length > 0 && { env }),
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(Object.keys(namespaces).length > 0 && { namespaces }),
  };
}

/** The command behind the options. Throws a {@link UsageError} if there is none. */
export function commandOf(name: string, rest: readonly string[]): readonly [string, ...string[]] {
  const [program, ...args] = rest;
  if (program === undefined) throw new UsageError(name, undefined, `a command is missing: ctr ${name} [OPTIONS] COMMAND [ARGUMENTS]`);
  if (program === '') throw new UsageError(name, program, 'the name of a program');
  return [program, ...args];
}
