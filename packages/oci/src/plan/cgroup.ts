import { rmdirSync } from 'node:fs';
import { posix } from 'node:path';

import {
  CgroupError,
  checkThawed,
  limitsOfResources,
  planGroup,
  type CgroupLayout,
  type Limits,
  type LinuxResources,
  type Place,
  type PlannedGroup,
} from '@ctr/cgroups';
import { defaultDeviceRules, isInUserNamespace } from '@ctr/runtime/assembly';
import { isSyscallError, type Plan } from '@ctr/syscall';

import type { Config } from '../config/config.js';
import type { GroupPlace } from './cgroup-mount.js';

/** What a configuration that says nothing of devices means: those that every container has, and no other. */
const noDevices: NonNullable<LinuxResources['devices']> = [{ allow: false, access: 'rwm' }];

/**
 * The control group of a container, in every hierarchy there is, with the limits of its configuration: what joins it is limited.
 * An absolute path is below where the hierarchies are mounted; any other is below the group of the caller, under the container's id if there is none.
 *
 * `undefined` where none can be made, to an ordinary user, and nothing is limited. Throws a {@link CgroupError} otherwise, before anything is made.
 */
export function cgroupOf(config: Config, id: string, layout: CgroupLayout, { rootless }: { readonly rootless: boolean }): PlannedGroup | undefined {
  const given = config.linux?.cgroupsPath;
  const path = given === undefined || given === '' ? id : given.startsWith('/') ? posix.normalize(given) : posix.normalize(given).replace(/^(\.\.\/)+/, '');
  const name = posix.basename(path);
  const parent = posix.dirname(path);
  const limits = limitsOfContainer(config.linux?.resources, { rootless });
  try {
    return planGroup(name, limits, { layout, parent, everywhere: true, notifyOnRelease: false });
  } catch (error) {
    if (!(error instanceof CgroupError) || !rootless || !['not-delegated', 'read-only', 'not-mounted', 'no-controller'].includes(error.kind)) throw error;
    if (Object.keys(limits).some((key) => key !== 'devices')) throw error;
    return undefined;
  }
}

/** Whether this process is no root of the host: it has groups only where they are delegated, and no rules about devices. */
export function isRootless(): boolean {
  return process.geteuid?.() !== 0 || isInUserNamespace();
}

/** The groups that a container stays in, where none is made for it: those of the caller. */
export function callersGroups({ hierarchies }: CgroupLayout): GroupPlace[] {
  return hierarchies.flatMap(({ version, controllers, ownDirectory: directory }) => (directory === undefined ? [] : [{ version, controllers, directory }]));
}

/** The limits of a container: without rules about devices it may use those that every container has, and no other. An ordinary user cannot have such rules. */
export function limitsOfContainer(resources: LinuxResources | undefined, { rootless }: { readonly rootless: boolean }): Limits {
  return limitsOf(rootless ? resources : { ...resources, devices: resources?.devices?.length ? resources.devices : noDevices });
}

/** The limits that resources are. Devices that every container has may be used, whatever is denied. */
export function limitsOf(resources: LinuxResources | undefined): Limits {
  if (!resources) return {};
  const limits = limitsOfResources(plain(resources));
  return limits.devices ? { ...limits, devices: [...limits.devices, ...defaultDeviceRules.filter(({ allow }) => allow)] } : limits;
}

/** A rule without a type is about all devices, as one of type `a` is; what is larger than any machine is no limit. */
function plain({ devices, ...rest }: LinuxResources): Parameters<typeof limitsOfResources>[0] {
  return {
    ...(smaller(rest) as Parameters<typeof limitsOfResources>[0]),
    ...(devices && { devices: devices.map(({ type, ...rule }) => ({ ...rule, type: type || 'a' })) }),
  };
}

function smaller(value: unknown): unknown {
  if (typeof value === 'bigint') return value > 0n ? -1 : Number(value);
  if (Array.isArray(value)) return value.map(smaller);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, smaller(each)]));
}

/**
 * The directories of a group that a plan has made before one of its steps failed: another container may have the same `cgroupsPath`, and has made the others then.
 * An error that is none of a step (a signal, the end of the time) comes when all of them are made.
 */
export function madeBefore(error: unknown, plan: Plan, { directories }: Pick<PlannedGroup, 'directories'>): string[] {
  if (!isSyscallError(error)) return [...directories];
  const { step = Infinity } = error;
  return directories.filter((directory) => plan.findIndex(({ call, args }) => call === 'mkdirat' && args[1] === directory) < step);
}

/** Throws where the container would not run: its group, or one above, is frozen. The words are runc's, with the name of the group after them. */
export function requireThawed(places: readonly Place[]): void {
  try {
    checkThawed({ places });
  } catch (error) {
    if (!(error instanceof CgroupError) || error.kind !== 'frozen') throw error;
    throw new CgroupError('frozen', `container's cgroup unexpectedly frozen: ${error.message}`, { cause: error });
  }
}

/** Removes empty groups of the same name, which are of a container that has ended without being deleted. Throws for one that is in use. */
export function removeLeftovers({ directories }: PlannedGroup): void {
  for (const directory of directories) removeLeftover(directory);
}

function removeLeftover(directory: string): void {
  try {
    rmdirSync(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw new Error(`the cgroup ${directory} is there already, and in use: give another linux.cgroupsPath`, { cause: error });
  }
}
