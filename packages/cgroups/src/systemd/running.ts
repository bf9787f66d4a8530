import { existsSync } from 'node:fs';

import { CgroupError } from '../error.js';
import type { CgroupLayout, Hierarchy } from '../layout.js';

/** Which systemd: that of the system, as root, or the one that each user has. */
export type Manager = 'system' | 'user';

/** Where a manager is reached: by the bus, or where there is none by its own socket, which speaks the same. */
export interface Socket {
  readonly path: string;
  readonly isBus: boolean;
}

/** The one of this process's user. */
export function ownManager(): Manager {
  return process.geteuid?.() === 0 ? 'system' : 'user';
}

/**
 * Finds out, before anything is made, whether systemd can be asked for a scope here.
 *
 * Throws a {@link CgroupError} of kind `no-systemd`, with what to do, where it is not running, cannot be reached, or has control groups of version 1.
 *
 * @see sd_booted(3)
 * @example
 * ```ts
 * import { CgroupError, readLayout } from '@ctr/cgroups';
 * import { requireSystemd } from '@ctr/cgroups/systemd';
 * try {
 *   requireSystemd(readLayout());
 * } catch (error) {
 *   if (!(error instanceof CgroupError)) throw error;
 *   console.log(error.message);
 * }
 * ```
 */
export function requireSystemd(layout: CgroupLayout, manager: Manager = ownManager()): void {
  if (!existsSync('/run/systemd/system'))
    throw new CgroupError(
      'no-systemd',
      'systemd is not running here: /run/systemd/system is missing. Let ctr make the control groups itself (--cgroup-manager cgroupfs), or run where systemd is the first process',
    );
  unifiedOf(layout);
  socketsOf(manager);
}

/** The hierarchy in which systemd has all its groups. */
export function unifiedOf({ mode, hierarchies }: CgroupLayout): Hierarchy {
  const unified = hierarchies.find(({ version }) => version === 2);
  if (mode === 'v2' && unified) return unified;
  throw new CgroupError(
    'no-systemd',
    `a scope of systemd needs cgroup v2 alone, and here is ${mode === 'none' ? 'none' : mode}: boot with systemd.unified_cgroup_hierarchy=1, or let ctr make the control groups itself (--cgroup-manager cgroupfs)`,
  );
}

/** Where a manager listens, the bus first. Throws a {@link CgroupError} of kind `no-systemd` where it does not. */
export function socketsOf(manager: Manager): Socket[] {
  const runtime = process.env['XDG_RUNTIME_DIR'] ?? `/run/user/${process.geteuid?.()}`;
  const [bus, own] = manager === 'system' ? ['/run/dbus/system_bus_socket', '/run/systemd/private'] : [`${runtime}/bus`, `${runtime}/systemd/private`];
  const sockets = [
    { path: bus, isBus: true },
    { path: own, isBus: false },
  ].filter(({ path }) => existsSync(path));
  if (sockets.length > 0) return sockets;
  throw new CgroupError(
    'no-systemd',
    manager === 'system'
      ? `systemd cannot be reached: there is neither ${bus} nor ${own}. In a container, bind the first of them from the host`
      : `the systemd of uid ${process.geteuid?.()} cannot be reached: there is neither ${bus} nor ${own}. Log in, rather than by su or sudo, or have it started at boot: loginctl enable-linger`,
  );
}
