import { AT_FDCWD, fsconfigCommands, fsopenFlags, openFlags, resultOf, type ResultOf, type Step } from '@ctr/syscall';

import { attributeKeys, attributesOf, finish, fsconfig, MAX_OPTION_BYTES, mountAt, type Detached, type MountAttributes, type Naming } from './mount.js';
import { checkOptions } from './options.js';
import { checkPath, placeName, shortName, type Place } from './place.js';

/** How layers are put together. All are directories of the caller, who vouches for their paths. */
export interface OverlayOptions extends MountAttributes {
  /** Layers that are only read, the topmost first. */
  readonly lower: readonly string[];
  /** Where changes go. Without one the overlay is read-only, and needs two lower layers. */
  readonly upper?: string;
  /** An empty directory on the file system of `upper`, of which the kernel makes use. Needed with `upper`. */
  readonly work?: string;
  /** Keep the overlay's own marks in `user.` attributes, which a user namespace may set, rather than in `trusted.` ones. @default false */
  readonly userXattr?: boolean;
  /** Never write through to the disk: quicker, and worthless after a crash of the machine. @default false */
  readonly volatile?: boolean;
  /** Copy up only the metadata of a file when only that is changed. @default the kernel's choice */
  readonly metacopy?: boolean;
  /** Keep the identity of hard links over a copy-up. @default the kernel's choice */
  readonly index?: boolean;
  /** What the mount table names as its source. @default 'overlay' */
  readonly source?: string;
}

/**
 * Mounts directories on top of each other, so that they look like one, and changes go to the upper one alone.
 *
 * The steps fail with EINVAL if the directories do not fit together (`work` not on the file system of `upper`), ENOENT, ESTALE for an upper layer that was used with others before,
 * EBUSY if `upper` or `work` is in use.
 *
 * Paths of any bytes are taken. Where the names of the lower layers have more than 255 bytes together, Linux 6.8 is needed;
 * for a single path of more than 255 bytes Linux 6.13, and for a comma in a path 6.5.
 *
 * Throws a `TypeError` for layers that make no overlay: no lower one, `upper` without `work`.
 *
 * @see linux/Documentation/filesystems/overlayfs.rst
 * @example
 * ```ts
 * import { overlay } from '@ctr/fs';
 * const plan = overlay('/mnt', { lower: ['/srv/app', '/srv/base'], upper: '/srv/changes', work: '/srv/work' });
 * ```
 */
export function overlay(at: Place, options: OverlayOptions): Step[] {
  return mountAt(at, newOverlay(options, { purpose: `an overlay for ${placeName(at)}`, as: shortName(at) }));
}

/**
 * An overlay that is attached to nothing.
 *
 * @example
 * ```ts
 * import { attach, newOverlay, openPlace, pivotRoot } from '@ctr/fs';
 * const { steps, mount } = newOverlay({ lower: ['/srv/app', '/srv/base'] });
 * const root = openPlace('/');
 * const plan = [...steps, ...root.steps, ...attach(mount, root.fd), ...pivotRoot(mount)];
 * ```
 */
export function newOverlay(options: OverlayOptions, { purpose = 'an overlay', as = 'overlay' }: Naming = {}): Detached {
  checkOptions('overlay', options, ['lower', 'upper', 'work', 'userXattr', 'volatile', 'metacopy', 'index', 'source', ...attributeKeys]);
  const { lower, upper, work, userXattr = false, volatile = false, metacopy, index, source = 'overlay' } = options;
  if (lower.length === 0) throw new TypeError('an overlay needs a lower layer');
  if ((upper === undefined) !== (work === undefined)) throw new TypeError('an overlay needs both upper and work, or neither');
  if (upper === undefined && lower.length === 1) throw new TypeError('an overlay without an upper layer needs two lower ones: bind shows a single one');
  for (const path of [...lower, ...(upper === undefined ? [] : [upper]), ...(work === undefined ? [] : [work])]) checkPath(path);
  const open: Step = { call: 'fsopen', args: ['overlay', fsopenFlags.FSOPEN_CLOEXEC], purpose, as: `new-${as}`, hints: { ENODEV: 'this kernel has no overlay file system' } };
  const context = resultOf(open);
  const set = (key: string, value: string): Step => fsconfig('overlay', context, [fsconfigCommands.FSCONFIG_SET_STRING, key, value]);
  const settings = [
    set('source', source),
    ...lowerLayers(context, lower),
    ...(upper === undefined ? [] : layer(context, 'upperdir', escape(upper), upper)),
    ...(work === undefined ? [] : layer(context, 'workdir', escape(work), work)),
    ...(userXattr ? [fsconfig('overlay', context, [fsconfigCommands.FSCONFIG_SET_FLAG, 'userxattr', null])] : []),
    ...(volatile ? [fsconfig('overlay', context, [fsconfigCommands.FSCONFIG_SET_FLAG, 'volatile', null])] : []),
    ...(metacopy === undefined ? [] : [set('metacopy', metacopy ? 'on' : 'off')]),
    ...(index === undefined ? [] : [set('index', index ? 'on' : 'off')]),
  ];
  return finish('overlay', open, settings, attributesOf(options), { purpose, as });
}

/** All lower layers as one value, which every kernel takes, if there is room for it in fsconfig(2); else one by one. */
function lowerLayers(context: ResultOf, lower: readonly string[]): Step[] {
  const together = lower.map(escape).join(':');
  if (Buffer.byteLength(together) <= MAX_OPTION_BYTES) return layer(context, 'lowerdir', together, together);
  return lower.flatMap((path) => layer(context, 'lowerdir+', path, path));
}

/** A layer by its path, or, if that is too long for fsconfig(2), by an open directory. */
function layer(context: ResultOf, key: string, value: string, path: string): Step[] {
  const hints = {
    EINVAL: `overlay refuses ${key}: the directory may not serve as a layer, or, before Linux 6.5, its path has a comma in it${key === 'lowerdir+' ? '; before Linux 6.8 all lower paths together may have 255 bytes' : ''}`,
    ENOENT: `a directory of ${key} does not exist: ${path}`,
  };
  if (Buffer.byteLength(value) <= MAX_OPTION_BYTES) return [{ ...fsconfig('overlay', context, [fsconfigCommands.FSCONFIG_SET_STRING, key, value]), hints }];
  const open: Step = { call: 'openat', args: [AT_FDCWD, path, openFlags.O_PATH | openFlags.O_DIRECTORY | openFlags.O_CLOEXEC, 0], purpose: `find ${path}`, as: 'layer' };
  return [
    open,
    {
      call: 'fsconfig',
      args: [context, fsconfigCommands.FSCONFIG_SET_FD, key, null, resultOf(open)],
      purpose: `set ${key}`,
      hints: { ...hints, EINVAL: `overlay refuses ${key}: a path of more than ${MAX_OPTION_BYTES} bytes needs Linux 6.13; shorten it` },
    },
  ];
}

/** The kernel takes a backslash off the byte behind it, and splits lower layers at colons. */
function escape(path: string): string {
  return path.replaceAll(/[\\:]/g, '\\$&');
}
