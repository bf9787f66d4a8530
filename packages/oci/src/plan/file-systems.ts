import { existsSync } from 'node:fs';
import { posix } from 'node:path';

import { inRoot, knownMounts, mask, openPlace, pivotRoot, procMount, propagation, readonlyPath, setAttributes, type Handle, type KnownMounts } from '@ctr/fs';
import { isInUserNamespace, rootfs, sysctlSteps, type Section } from '@ctr/runtime/assembly';
import { AT_FDCWD, openFlags, resultOf, waitForHost, type ResultOf, type Step } from '@ctr/syscall';

import type { Mount } from '../config/mount.js';
import { parseMountOptions } from '../mount-options.js';
import { consoleOf, type Console } from './console.js';
import type { ContainerParts } from './container.js';
import { deviceSteps } from './devices.js';
import { mountPointOf } from './mount-point.js';
import { moveRoot } from './move-root.js';
import { destinationOf, mountSteps, type PlannedMount } from './mounts.js';

/** The file systems of a container, and what later steps need of them. */
export interface FileSystems {
  readonly sections: readonly Section[];
  readonly console: Console | undefined;
  /** A proc of the container's processes, if one is there or had to be made. */
  readonly proc: ResultOf | undefined;
  /** Where the program starts; the root where there is none. */
  readonly cwd: Handle | undefined;
}

/** From the caller's mounts to the new root. Everything in it is reached from its open mount. */
export function fileSystems(parts: ContainerParts, opened: ReadonlyMap<Mount, ResultOf>): FileSystems {
  const { config, process, namespaces, layout, bundle } = parts;
  const linux = config.linux ?? {};
  const inUserNamespace = namespaces.has('user') || isInUserNamespace();
  const root = rootfs(parts.rootfs, { devices: true });
  const context = {
    root: root.mount,
    rootfs: parts.rootfs,
    bundle,
    isElsewhere: namespaces.joined.has('mount'),
    layout,
    places: parts.groupPlaces,
    ownGroups: namespaces.isNew('cgroup'),
    mountLabel: linux.mountLabel,
    opened,
    lookedUp: withParents([...(linux.maskedPaths ?? []), ...(linux.readonlyPaths ?? [])]),
  };
  const destinations = (config.mounts ?? []).map(destinationOf);
  const mounts = (config.mounts ?? []).map((mount, i) => ({ mount, planned: mountSteps(mount, { ...context, before: destinations.slice(0, i) }) }));
  const known = openMounts(mounts);
  const sysctls = linux.sysctl ?? {};
  const needsProc = Object.keys(sysctls).length > 0 || Boolean(process.apparmorProfile) || Boolean(process.selinuxLabel);
  const mountedProc = mounts.findLast(({ planned }) => planned.at === '/proc');
  const knownProc = mountedProc?.mount.type === 'proc' ? mountedProc.planned.mount : undefined;
  const ownProc = needsProc && !knownProc ? procMount({ purpose: 'a proc to write settings to' }) : undefined;
  const proc = knownProc ?? ownProc?.mount;
  const hasOwnDev = !(config.mounts ?? []).some((mount) => destinationOf(mount) === '/dev' && parseMountOptions(mount.options ?? []).bind);
  const console = process.terminal ? consoleOf(root.mount, process.consoleSize, { mount: true, plainLineFeeds: parts.plainLineFeeds }) : undefined;
  const cwd = process.cwd === '/' ? undefined : openPlace(inRoot(root.mount, process.cwd, { create: 'directory' }));
  const nodes = inUserNamespace ? 'bind' : 'make';
  return {
    sections: [
      ['the mounts of the caller', ofCaller(parts)],
      ['the root file system', [...root.steps, ...propagation(root.mount, 'private', { recursive: true })]],
      ['the mounts', mounts.flatMap(({ planned }) => planned.steps)],
      ['the devices', hasOwnDev ? deviceSteps(linux.devices ?? [], root.mount, { nodes, hasCore: existsSync('/proc/kcore') }) : []],
      ['the terminal', console?.steps ?? []],
      ['the directory to start in', cwd?.steps ?? []],
      ['the hooks of the host', parts.hasHooks ? waitForHost('do what comes before the root changes') : []],
      ['the settings of the kernel', proc ? [...(ownProc?.steps ?? []), ...sysctlSteps(proc, sysctls)] : []],
      ['what is not shown', mask(root.mount, linux.maskedPaths ?? [], { mounts: known })],
      ['what cannot be written', [...readonlyPath(root.mount, linux.readonlyPaths ?? [], { mounts: known }), ...mounts.flatMap(({ planned }) => planned.late)]],
      ['the new root', [...(config.root.readonly ? setAttributes(root.mount, { readonly: true }) : []), ...newRoot(root.mount, parts)]],
    ],
    console,
    proc,
    cwd: cwd?.fd,
  };
}

/** Each path, and all above it but the root: there may be thousands of mounts for each of which is asked whether one of the paths lies in it. */
function withParents(paths: readonly string[]): ReadonlySet<string> {
  const all = new Set<string>();
  for (const path of paths) for (let at = posix.normalize(`/${path}`); at !== '' && !all.has(at); at = at.slice(0, at.lastIndexOf('/'))) all.add(at);
  return all;
}

/** What is below a mount of the configuration is looked up from the open mount, whatever is renamed in the image meanwhile. */
function openMounts(mounts: readonly { readonly mount: Mount; readonly planned: PlannedMount }[]): KnownMounts {
  return knownMounts(
    mounts
      .filter(({ mount: { options = [] } }) => !parseMountOptions(options).remount)
      .map(({ mount: { type }, planned: { at, mount } }) => {
        const isOfKernel = type === 'proc' || type === 'sysfs';
        return [at, mount && !isOfKernel ? { mount, links: 'may-lead-out' } : mount];
      }),
  );
}

/** Nothing that is mounted here is to show up in the caller's namespace. Where the root is to be shared, mounts of the caller's that are shared have to stay so until they are bound. */
function ofCaller({ config, rootfs: directory }: ContainerParts): Step[] {
  const kind = config.linux?.rootfsPropagation?.replace(/^r(?=[psu])/, '');
  if (kind === 'shared') return propagation(mountPointOf(directory), 'private');
  return propagation('/', kind === 'private' ? 'private' : 'slave', { recursive: true });
}

/** The old root goes out of sight, and nothing of the caller's is unmounted with it. */
function newRoot(root: ResultOf, { config, pivot: isPivoted }: ContainerParts): Step[] {
  const [go, pivot, ...drop] = pivotRoot(root);
  if (!go || !pivot) return [];
  const old: Step = {
    call: 'openat',
    args: [AT_FDCWD, '/', openFlags.O_PATH | openFlags.O_DIRECTORY | openFlags.O_CLOEXEC, 0],
    purpose: 'the old root',
    as: 'old',
  };
  const given = config.linux?.rootfsPropagation;
  const kind = given?.replace(/^r(?=[psu])/, '') as 'private' | 'shared' | 'slave' | 'unbindable' | undefined;
  if (!isPivoted) return [old, go, ...moveRoot(root, resultOf(old))];
  return [
    old,
    go,
    pivot,
    // By its handle: the path of it is that of the new one.
    ...propagation(resultOf(old), 'slave', { recursive: true }),
    ...drop,
    ...(kind === undefined ? [] : propagation(root, kind, { recursive: given !== kind })),
  ];
}
