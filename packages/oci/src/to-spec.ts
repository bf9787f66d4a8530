import { resolve } from 'node:path';

import { readLayout } from '@ctr/cgroups';
import * as systemd from '@ctr/cgroups/systemd';
import { checkOptions, Fd, type Plan } from '@ctr/syscall';

import { cgroupManagerOf } from './cgroup-manager.js';
import { checkBundle, hasHooksBeforeRoot } from './check-bundle.js';
import type { Config } from './config/config.js';
import { environmentOf } from './environment.js';
import { ConfigError } from './parse-config.js';
import { callersGroups, cgroupOf, isRootless } from './plan/cgroup.js';
import { planContainer } from './plan/container.js';
import { isMapped } from './plan/mounts.js';
import { planScope } from './plan/scope.js';
import { namespacesOf } from './plan/namespaces.js';
import { streamsOf } from './plan/streams.js';
import { checkConfig } from './validate.js';

/** What a container of a configuration is made of, worked out. */
export interface Spec {
  /** Every system call, from the caller's process to the program: to be read, and not to be launched, since the files in it are not open. */
  readonly plan: Plan;
  /** So many of the steps are those of `create`; behind them the container waits for `start`. */
  readonly createSteps: number;
}

/** What a configuration does not say of a container itself. */
export interface SpecOptions {
  /** The directory of the bundle, from which relative paths begin. @default the current one */
  readonly bundle?: string;
  /** Who makes the control group. @default by {@link cgroupManagerOf} */
  readonly cgroupManager?: 'cgroupfs' | 'systemd';
  /** The container's id, which its control group has where the configuration names none. @default 'container' */
  readonly id?: string;
  /** Is told what has no effect. */
  readonly onWarning?: (message: string) => void;
}

/** Behind the standard streams and the line to the host. */
const FIRST_FILE = 4;

/**
 * What a container of a configuration would be made of, without making any of it: every step that `create` and `start` would take, for `explain` of @ctr/syscall, or to be searched.
 * What the host does beside it, such as hooks, id maps, and having systemd make a scope, shows as the steps that wait for it.
 *
 * Throws a {@link ConfigError} with all that is wrong with the configuration; an `Error` for a root file system or the source of a bind mount that is not there; a `CgroupError` of @ctr/cgroups
 * for limits that cannot be had here.
 *
 * @example
 * ```ts no-run
 * import { readFileSync } from 'node:fs';
 * import { parseConfig, toSpec } from '@ctr/oci';
 * import { explain } from '@ctr/syscall';
 * console.log(explain(toSpec(parseConfig(readFileSync('/srv/bundle/config.json')), { bundle: '/srv/bundle' }).plan));
 * ```
 */
export function toSpec(config: Config, options: SpecOptions = {}): Spec {
  checkOptions('toSpec', options, ['bundle', 'cgroupManager', 'id', 'onWarning']);
  const { problems } = checkConfig(config);
  if (problems.some(({ severity }) => severity === 'error')) throw new ConfigError(problems);
  const bundle = resolve(options.bundle ?? '.');
  const { process, rootfs } = checkBundle(config, bundle);
  let number = FIRST_FILE;
  const file = (path: string): Fd => new Fd(number++, path);
  const gate = { go: file('the gate'), report: file('reports to start') };
  const lock = file('the lock of the state');
  const layout = readLayout();
  const { id = 'container', cgroupManager = cgroupManagerOf(config) } = options;
  const scope = cgroupManager === 'systemd' ? planScope(config, id, layout, systemd) : undefined;
  const group = scope ? undefined : cgroupOf(config, id, layout, { rootless: isRootless() });
  const mapped = (config.mounts ?? []).filter(isMapped);
  const { plan } = planContainer({
    config,
    process,
    bundle,
    rootfs,
    namespaces: namespacesOf(config, file),
    layout,
    group,
    scope,
    groupPlaces: (scope ?? group)?.places ?? callersGroups(layout),
    gate,
    lock,
    passed: [],
    mapped: new Map(mapped.map((mount) => [mount, file(`a user namespace with the maps of ${mount.destination}`)])),
    hasHooks: hasHooksBeforeRoot(config),
    streams: streamsOf(process.terminal, undefined),
    environment: environmentOf(process, rootfs),
    newKeyring: true,
    pivot: true,
    plainLineFeeds: false,
    warn: options.onWarning ?? (() => undefined),
  });
  return { plan: plan.flat(), createSteps: plan[0].length };
}
