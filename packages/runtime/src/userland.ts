import { lstatSync, readlinkSync } from 'node:fs';

import { AT_FDCWD, moveMountFlags, openFlags, openTreeFlags, resultOf, type ResultOf, type Step } from '@ctr/syscall';
import { attach, bindMount, directory, propagation, symlink, tmpfsMount } from '@ctr/fs';

import { layer, type Layers } from './host-layer.js';
import { etc } from './host-etc.js';
import type { Root } from './rootfs.js';

/** Directories that hold a distribution's programs and libraries. */
const programs = ['usr', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];

/** Empty directories, and who may write to them. */
const emptyDirectories: readonly (readonly [path: string, mode: number])[] = [
  ['dev', 0o755],
  ['etc', 0o755],
  ['home', 0o755],
  ['proc', 0o755],
  ['root', 0o700],
  ['run', 0o755],
  ['sys', 0o755],
  ['tmp', 0o1777],
  ['var', 0o755],
  ['var/tmp', 0o1777],
];

/** How the host's userland is taken over. */
export interface UserlandOptions {
  readonly hostname: string;
  /** Nothing of it can be written. */
  readonly readonly: boolean;
  /** It is mounted in a user namespace, where overlayfs keeps its notes in other attributes. */
  readonly inUserNamespace: boolean;
  /** The network is the host's, and so is its resolver. */
  readonly hostNetwork: boolean;
  /** The container can make device files, so they can be opened there. */
  readonly devices: boolean;
  /** Bytes of memory for all that is written: the upper layers and the directories that start empty. */
  readonly sizeBytes: number;
}

/**
 * The host's own programs as a root file system that is the container's to write: each directory is the lower layer of an overlay whose upper one is in memory
 * (a read-only bind where overlayfs is refused), /etc is made of an allow list, and everything else starts empty.
 *
 * The scratch tmpfs of the upper layers has to be attached, since a mount that is attached to nothing cannot be cloned before Linux 6.15. No bind of the host shows it:
 * it is attached to the host's /proc, a copy of that proc covers it, so that no path leads to it, and a recursive bind passes over it, because it is unbindable.
 *
 * @see The kernel's Documentation/filesystems/overlayfs.rst
 */
export function userland(options: UserlandOptions): Root {
  const { sizeBytes, devices, readonly, inUserNamespace } = options;
  const scratch = tmpfsMount({ sizeBytes, mode: 0o755, noSuid: false, noDev: !devices, purpose: 'memory for the root and the upper layers', as: 'tmpfs' });
  const hostProc = bindMount('/proc', { recursive: true, purpose: "the host's proc, to cover the scratch with", as: 'host-proc' });
  const hide: Step = {
    call: 'move_mount',
    args: [scratch.mount, '', AT_FDCWD, '/proc', moveMountFlags.MOVE_MOUNT_F_EMPTY_PATH],
    purpose: 'a place for the scratch that goes with the old root',
  };
  const tree: Step = {
    call: 'open_tree',
    args: [scratch.mount, 'root', openTreeFlags.OPEN_TREE_CLONE | openTreeFlags.OPEN_TREE_CLOEXEC],
    purpose: 'the root is a mount of its own',
    as: 'root',
  };
  const over: Step = {
    call: 'openat',
    args: [scratch.mount, 'root', openFlags.O_PATH | openFlags.O_CLOEXEC, 0],
    purpose: 'the directory below it',
    as: 'over',
  };
  const root = resultOf(tree);
  const layers: Layers = { scratch: scratch.mount, devices, userXattr: inUserNamespace };
  return {
    steps: [
      ...scratch.steps,
      ...hostProc.steps,
      hide,
      directory(scratch.mount, 'root', 0o755),
      directory(scratch.mount, 'nothing', 0o755),
      tree,
      over,
      ...attach(root, resultOf(over)),
      { call: 'fchdir', args: [scratch.mount], purpose: 'the layers are named from here' },
      ...programs.flatMap((name) => programDirectory(root, name, readonly, layers)),
      ...emptyDirectories.map(([path, mode]) => directory(root, path, mode)),
      ...etc(root, layers, options),
      // As late as this: an overlay takes no layer from an unbindable mount.
      ...propagation(scratch.mount, 'unbindable'),
      ...attach(hostProc.mount, scratch.mount, "the host's proc covers the scratch"),
    ],
    mount: root,
    fresh: true,
  };
}

function programDirectory(root: ResultOf, name: string, readonly: boolean, layers: Layers): Step[] {
  const stat = lstatSync(`/${name}`, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink()) return [symlink(readlinkSync(`/${name}`), root, name)];
  if (!stat?.isDirectory()) return [];
  return [directory(root, name), ...layer(`/${name}`, root, name, { ...layers, readonly })];
}
