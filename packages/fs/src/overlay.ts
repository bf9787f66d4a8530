import { AT_FDCWD, checkOptions, fsconfigCommands, fsopenFlags, openFlags, resultOf, type ResultOf, type Step } from '@ctr/syscall';

import { mountAt } from './attach.js';
import { attributesOf } from './attributes.js';
import { checkPath } from './check.js';
import { finish, fsconfig, MAX_OPTION_BYTES, mountKeys, type Detached, type MountOptions } from './mount.js';
import { placeName, shortName, type Place } from './place.js';

/** How layers are put together. All are directories of the caller, who vouches for their paths. */
export interface OverlayOptions extends MountOptions {
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
  return mountAt(at, overlayMount({ purpose: `an overlay for ${placeName(at)}`, as: shortName(at), ...options }));
}

/**
 * An overlay that is attached to nothing.
 *
 * @example
 * ```ts
 * import { attach, overlayMount, openPlace, pivotRoot } from '@ctr/fs';
 * const { steps, mount } = overlayMount({ lower: ['/srv/app', '/srv/base'] });
 * const root = openPlace('/');
 * const plan = [...steps, ...root.steps, ...attach(mount, root.fd), ...pivotRoot(mount)];
 * ```
 */
export function overlayMount(options: OverlayOptions): Detached {
  checkOptions('overlay', options, ['lower', 'upper', 'work', 'userXattr', 'volatile', 'metacopy', 'index', ...mountKeys]);
  const {
    lower,
    upper,
    work,
    userXattr = false,
    volatile = false,
    metacopy,
    index,
    source = 'overlay',
    purpose = 'an overlay',
    as = 'overlay',
    onFailure,
  } = options;
  if (lower.length === 0) throw new TypeError('an overlay needs a lower layer');
  if ((upper === undefined) !== (work === undefined)) throw new TypeError('an overlay needs both upper and work, or neither');
  if (upper === undefined && lower.length === 1) throw new TypeError('an overlay without an upper layer needs two lower ones: bind shows a single one');
  for (const path of [...lower, ...(upper === undefined ? [] : [upper]), ...(work === undefined ? [] : [work])]) checkPath(path);
  const otherwise = onFailure && { onFailure };
  const open: Step = {
    call: 'fsopen',
    args: ['overlay', fsopenFlags.FSOPEN_CLOEXEC],
    purpose,
    as: `new-${as}`,
    hints: { ENODEV: 'this kernel has no overlay file system' },
    ...otherwise,
  };
  const context = resultOf(open);
  const settings: Setting[] = [
    { key: 'source', value: source },
    ...lowerLayers(lower),
    ...(upper === undefined ? [] : [{ key: 'upperdir', value: escape(upper), path: upper }]),
    ...(work === undefined ? [] : [{ key: 'workdir', value: escape(work), path: work }]),
    ...(userXattr ? [{ key: 'userxattr', value: true as const }] : []),
    ...(volatile ? [{ key: 'volatile', value: true as const }] : []),
    ...(metacopy === undefined ? [] : [{ key: 'metacopy', value: metacopy ? 'on' : 'off' }]),
    ...(index === undefined ? [] : [{ key: 'index', value: index ? 'on' : 'off' }]),
  ];
  const steps = settings.flatMap((setting) => setLayer(context, setting, otherwise));
  return finish('overlay', open, steps, attributesOf(options), { as, ...otherwise, hints: { EINVAL: createHint(settings) } });
}

/** Before Linux 6.5 options are looked at only when all are there. */
function createHint(settings: readonly Setting[]): string {
  const oneByOne = settings.some(({ key }) => key === 'lowerdir+') ? `; before Linux 6.8 all lower paths together may have ${MAX_OPTION_BYTES} bytes` : '';
  return `overlay does not accept its options, or not all of them together: upper and work have to be different directories of one file system${oneByOne}`;
}

/** An option; with `path`, a layer or several. */
interface Setting {
  readonly key: string;
  readonly value: string | true;
  readonly path?: string;
}

/** All lower layers as one value, which every kernel takes, if there is room for it in fsconfig(2); else one by one. */
function lowerLayers(lower: readonly string[]): Setting[] {
  const together = lower.map(escape).join(':');
  if (Buffer.byteLength(together) <= MAX_OPTION_BYTES) return [{ key: 'lowerdir', value: together, path: lower.join(', ') }];
  return lower.map((path) => ({ key: 'lowerdir+', value: path, path }));
}

/** A layer is set by its path, or, if that is too long for fsconfig(2), as an open directory. */
function setLayer(context: ResultOf, { key, value, path }: Setting, otherwise: { readonly onFailure: Step } | undefined): Step[] {
  const set = fsconfig('overlay', context, key, value);
  if (path === undefined) return [{ ...set, ...otherwise }];
  const hints = {
    EINVAL: `overlay refuses ${key}: a directory may not serve as a layer, or, before Linux 6.5, a path has a comma in it${key === 'lowerdir+' ? '; before Linux 6.8 all lower paths together may have 255 bytes' : ''}`,
    ENOENT: `a directory does not exist: ${path}`,
  };
  if (value === true || Buffer.byteLength(value) <= MAX_OPTION_BYTES) return [{ ...set, hints, ...otherwise }];
  const open: Step = {
    call: 'openat',
    args: [AT_FDCWD, path, openFlags.O_PATH | openFlags.O_DIRECTORY | openFlags.O_CLOEXEC],
    purpose: `find ${path}`,
    as: 'layer',
    ...otherwise,
  };
  return [
    open,
    {
      call: 'fsconfig',
      args: [context, fsconfigCommands.FSCONFIG_SET_FD, key, null, resultOf(open)],
      purpose: `set ${key}`,
      hints: { ...hints, EINVAL: `overlay refuses ${key}: a path of more than ${MAX_OPTION_BYTES} bytes needs Linux 6.13; shorten it` },
      ...otherwise,
    },
  ];
}

/** The kernel takes a backslash off the byte behind it, and splits lower layers at colons. */
function escape(path: string): string {
  return path.replaceAll(/[\\:]/g, '\\$&');
}
