import { AT_FDCWD, atFlags, openFlags, openTreeFlags, resultOf, type ResultOf, type Step } from '@ctr/syscall';
import { attach, setAttributes } from '@ctr/fs';

/** The steps that make a root file system, and what they leave for later steps. */
export interface Root {
  readonly steps: readonly Step[];
  /** The mount that becomes the root. */
  readonly mount: ResultOf;
  /** Made by these steps alone: nobody else can have put a link into it. */
  readonly fresh: boolean;
}

/**
 * A directory of the host as the root: a copy of its mounts, attached over it in the container's own mount namespace, so that the caller's directory stays as it is.
 * Device files in it are no devices, unless the container could make some itself: an image may well have one that is the host's disk.
 *
 * @see open_tree(2), and pivot_root(2) on why the new root has to be a mount point
 */
export function rootfs(directory: string, { devices }: { readonly devices: boolean }): Root {
  const place: Step = {
    call: 'openat',
    args: [AT_FDCWD, directory, openFlags.O_PATH | openFlags.O_DIRECTORY | openFlags.O_CLOEXEC, 0],
    purpose: 'the directory of the root file system',
    as: 'directory',
  };
  const tree: Step = {
    call: 'open_tree',
    args: [resultOf(place), '', openTreeFlags.OPEN_TREE_CLONE | openTreeFlags.OPEN_TREE_CLOEXEC | atFlags.AT_EMPTY_PATH | atFlags.AT_RECURSIVE],
    purpose: 'a mount of it',
    as: 'root',
  };
  const withoutDevices = devices ? [] : setAttributes(resultOf(tree), { noDev: true }, { recursive: true });
  return { steps: [place, tree, ...withoutDevices, ...attach(resultOf(tree), resultOf(place))], mount: resultOf(tree), fresh: false };
}
