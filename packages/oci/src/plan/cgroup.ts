import { posix } from 'node:path';

import {
  CgroupError,
  checkThawed,
  groupAt,
  hierarchyOf,
  limitsOfResources,
  newDirectories,
  planGroup,
  readLayout,
  removeMarked,
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

/** What holds before the rules of a configuration, as with runc: a group without rules allows what the one above allows, which is every device of the host. */
const noDevices: NonNullable<LinuxResources['devices']> = [{ allow: false, access: 'rwm' }];

/**
 * The control group of a container, in every hierarchy there is, with the limits of its configuration: what joins it is limited.
 * An absolute path is below where the hierarchies are mounted; any other is below the group of the caller, under the container's id if there is none.
 * A group that is there already is used as it is, with what is set on it. An ordinary user has those that were made for them.
 *
 * `undefined` where none can be made, to an ordinary user, and nothing is limited. Throws a {@link CgroupError} otherwise, before anything is made.
 */
export function cgroupOf(config: Config, id: string, layout: CgroupLayout, { rootless }: { readonly rootless: boolean }): PlannedGroup | undefined {
  const { name, parent } = pathOf(config, id);
  const limits = limitsOfContainer(config.linux?.resources, { rootless });
  const plan = (existing: 'use' | 'only'): PlannedGroup =>
    planGroup(name, limits, { layout, parent, everywhere: true, notifyOnRelease: false, existing, mark: { name: markName(rootless), value: id } });
  try {
    return plan('use');
  } catch (error) {
    if (!rootless || !isOutOfReach(error)) throw error;
    const given = givenTo(() => plan('only'));
    if (given && given.places.length > 0) return given;
    if (Object.keys(limits).some((key) => key !== 'devices')) throw error;
    return undefined;
  }
}

function pathOf({ linux: { cgroupsPath: given } = {} }: Config, id: string): { readonly name: string; readonly parent: string } {
  const path = given === undefined || given === '' ? id : given.startsWith('/') ? posix.normalize(given) : posix.normalize(given).replace(/^(\.\.\/)+/, '');
  return { name: posix.basename(path), parent: posix.dirname(path) };
}

/** An attribute of its own for who is root of the host: no other can set it, be the group theirs. */
function markName(rootless: boolean): string {
  return `${rootless ? 'user' : 'trusted'}.ctr-oci`;
}

function isOutOfReach(error: unknown): boolean {
  return error instanceof CgroupError && ['not-delegated', 'read-only', 'not-mounted', 'no-controller'].includes(error.kind);
}

/** The groups that were made for an ordinary user; `undefined` where what is limited takes others. */
function givenTo(plan: () => PlannedGroup): PlannedGroup | undefined {
  try {
    return plan();
  } catch (error) {
    if (!isOutOfReach(error)) throw error;
    return undefined;
  }
}

/** Removes what is left of the group of a container that has ended without being deleted, if nobody is in it. A group that this runtime has not made stays as it is. */
export function removeLeftovers(config: Config, id: string, { hierarchies }: CgroupLayout, { rootless }: { readonly rootless: boolean }): void {
  const { name, parent } = pathOf(config, id);
  const bases = hierarchies.flatMap(({ mount, ownDirectory }) => (parent.startsWith('/') ? mount : (ownDirectory ?? [])));
  removeMarked(
    bases.map((base) => posix.join(base, parent, name)),
    markName(rootless),
  );
}

/**
 * Throws for a group that somebody is in: who shares a group is limited, paused and killed with the others.
 *
 * @param pid is the container's own process, once it is there
 */
export function requireEmpty({ places }: Pick<PlannedGroup, 'places'>, pid?: number): void {
  for (const place of places) {
    const others = place.existing
      ? groupAt([place])
          .pids()
          .filter((each) => each !== pid)
      : [];
    if (others.length > 0)
      throw new CgroupError(
        'busy',
        `container's cgroup is not empty: ${others.length} process(es) found: the cgroup ${place.directory} is there already, and in use: give another linux.cgroupsPath`,
      );
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
  return limitsOf(rootless || resources?.devices?.length ? resources : { ...resources, devices: noDevices });
}

/** The limits that resources are. Devices are denied unless a rule allows them; those that every container has may be used, whatever is denied. No rules change nothing. */
export function limitsOf(resources: LinuxResources | undefined): Limits {
  if (!resources) return {};
  const { devices = [], ...others } = withoutKernelMemory(resources);
  const limits = limitsOfResources(plain(devices.length > 0 ? { ...others, devices: [...noDevices, ...devices] } : others));
  return limits.devices ? { ...limits, devices: [...limits.devices, ...defaultDeviceRules.filter(({ allow }) => allow)] } : limits;
}

/**
 * What the kernel does not limit by itself any more has no effect, as with runc: memory of the kernel nowhere, that of TCP's buffers where memory is limited by version 2.
 *
 * @see Documentation/admin-guide/cgroup-v1/memory.rst of the kernel: memory.kmem.limit_in_bytes is deprecated
 */
function withoutKernelMemory(resources: LinuxResources): LinuxResources {
  if (!resources.memory) return resources;
  const { kernel: _kernel, kernelTCP, ...memory } = resources.memory;
  const isCounted = kernelTCP !== undefined && hierarchyOf(readLayout(), 'memory')?.version === 1;
  return { ...resources, memory: { ...memory, ...(isCounted && { kernelTCP }) } };
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
export function madeBefore(error: unknown, plan: Plan, { places }: Pick<PlannedGroup, 'places'>): string[] {
  const directories = newDirectories(places);
  if (!isSyscallError(error)) return directories;
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
