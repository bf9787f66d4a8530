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

/** What is to be known of a directory that becomes the root. */
export interface RootfsOptions {
  /** The container can make device files, so they can be opened there. */
  readonly devices: boolean;
  /** The mounts below the directory cannot be written; the root itself is made read-only when all is mounted in it. @default false */
  readonly readonly?: boolean;
  /** It is the host's own root file system. @default false */
  readonly isHostRoot?: boolean;
}

/** What {@link rootfs} says of the directory. */
export const rootPurposes = {
  directory: 'the directory of the root file system',
  hostRoot: "the directory of the root file system, which is the host's own",
} as const;

/**
 * A directory of the host as the root: a copy of its mounts, attached over it in the container's own mount namespace, so that the caller's directory stays as it is.
 * Device files in it are no devices, unless the container could make some itself: an image may well have one that is the host's disk.
 *
 * @see open_tree(2), and pivot_root(2) on why the new root has to be a mount point
 */
export function rootfs(directory: string, { devices, readonly = false, isHostRoot = false }: RootfsOptions): Root {
  const place: Step = {
    call: 'openat',
    args: [AT_FDCWD, directory, openFlags.O_PATH | openFlags.O_DIRECTORY | openFlags.O_CLOEXEC, 0],
    purpose: isHostRoot ? rootPurposes.hostRoot : rootPurposes.directory,
    as: 'directory',
  };
  const tree: Step = {
    call: 'open_tree',
    args: [resultOf(place), '', openTreeFlags.OPEN_TREE_CLONE | openTreeFlags.OPEN_TREE_CLOEXEC | atFlags.AT_EMPTY_PATH | atFlags.AT_RECURSIVE],
    purpose: 'a mount of it',
    as: 'root',
  };
  const mount = resultOf(tree);
  const restricted = setAttributes(mount, { ...(!devices && { noDev: true }), ...(readonly && { readonly: true }) }, { recursive: true });
  // Mount points are made in it. EPERM is for what was read-only in the user namespace above, and stays so.
  const writable = readonly ? setAttributes(mount, { readonly: false }).map((step): Step => ({ ...step, tolerates: ['EPERM'] })) : [];
  return { steps: [place, tree, ...restricted, ...writable, ...attach(mount, resultOf(place))], mount, fresh: false };
}
