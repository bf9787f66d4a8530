import { hostname as hostnameSteps } from '@ctr/namespaces';
import { lookupUser, type ContainerOptions, type User } from '@ctr/runtime';

import { hardeningOptions } from './hardening-options.js';
import { limitsOf } from './limits-of.js';
import type { Settings } from './settings.js';
import { UsageError } from './usage-error.js';

/** What the settings mean to the runtime. Throws a {@link UsageError} for what the kernel would not take, and an `Error` for a user that does not exist. */
export function containerOptions(settings: Settings): ContainerOptions {
  const limits = limitsOf(settings);
  if (settings.hostname !== undefined) check('--hostname', () => hostnameSteps(settings.hostname ?? ''));
  const { rootfs, rootSizeBytes, hostname, name, workdir, user, init, readonly, mounts, cgroupParent, cgroupManager, namespaces, ids } = settings;
  const env = { ...settings.fileEnv, ...settings.env };
  return {
    ...(rootfs !== undefined && { rootfs }),
    ...(rootSizeBytes !== undefined && { rootSizeBytes }),
    ...(hostname !== undefined && { hostname }),
    ...(name !== undefined && { name }),
    ...(workdir !== undefined && { cwd: workdir }),
    ...((user !== undefined || settings.groups.length > 0) && { user: withGroups(lookupUser(user ?? '0', rootfs), settings.groups, rootfs) }),
    ...(init && { init }),
    ...(readonly && { readonly }),
    ...(mounts.length > 0 && { mounts }),
    ...(Object.keys(env).length > 0 && { env }),
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(cgroupParent !== undefined && { cgroupParent }),
    ...(cgroupManager !== undefined && { cgroupManager }),
    ...(Object.keys(namespaces).length > 0 && { namespaces }),
    ...(ids !== undefined && { ids }),
    ...hardeningOptions(settings),
  };
}

/** The user with further groups, by their ids or names. */
function withGroups(user: Required<User>, groups: readonly string[], rootfs: string | undefined): Required<User> {
  return { ...user, groups: [...user.groups, ...groups.map((group) => lookupUser(`0:${group}`, rootfs).gid)] };
}

/** The command behind the options. Throws a {@link UsageError} if there is none. */
export function commandOf(name: string, rest: readonly string[]): readonly [string, ...string[]] {
  const [program, ...args] = rest;
  if (program === undefined) throw new UsageError(name, undefined, `a command is missing: ctr ${name} [OPTIONS] COMMAND [ARGUMENTS]`);
  if (program === '') throw new UsageError(name, program, 'the name of a program');
  return [program, ...args];
}

/** Takes the message of what knows better than the parser. */
function check(where: string, act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
    throw new UsageError(where, undefined, error.message);
  }
}
