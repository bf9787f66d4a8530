import { checkOptions, fsconfigCommands, fsmountFlags, fsopenFlags, MOUNT_ATTR__ATIME, mountAttr, mountAttrs, moveMountFlags, atFlags, umountFlags, resultOf, type ResultOf, type Step } from '@ctr/syscall';

import { checkOneOf } from './options.js';
import { checkPath, openPlace, placeName, type Handle, type Place } from './place.js';

/** Attributes of one mount, as opposed to options of the file system on it. What is not given is left as it is. */
export interface MountAttributes {
  readonly readonly?: boolean;
  /** Set-user-id bits and file capabilities have no effect. */
  readonly noSuid?: boolean;
  /** Device files cannot be opened. */
  readonly noDev?: boolean;
  readonly noExec?: boolean;
  /** Symbolic links are not followed. */
  readonly noSymfollow?: boolean;
  /** When the time of last access is updated. */
  readonly atime?: 'relatime' | 'noatime' | 'strictatime';
}

/** Steps that make a mount, and the mount as an open file. */
export interface Mounted {
  readonly steps: Step[];
  readonly mount: ResultOf;
}

/** Steps that make a mount which is attached to no place yet, and the mount: invisible until {@link attach}, gone if the plan ends before. */
export type Detached = Mounted;

/** What the steps that make a mount say of themselves, and where they lead. */
export interface StepOptions {
  /** What the mount is for, in a few words: `a fresh proc for /proc`. */
  readonly purpose?: string;
  /** A name for the mount in what `explain` prints: `proc` is printed as `$proc`. */
  readonly as?: string;
  /** Go on with this step if the kernel refuses to make the mount, rather than fail: the start of what is done instead. */
  readonly onFailure?: Step;
}

/** What every new file system takes. */
export interface MountOptions extends MountAttributes, StepOptions {
  /** What the mount table names as its source. @default the type of the file system */
  readonly source?: string;
}

/** What a new mount is made of. */
export interface NewMount extends StepOptions {
  /** What the mount table names as its source. @default the type */
  readonly source?: string;
  /** Options of the file system; each is handed over on its own, so that a comma in a value is just a comma. */
  readonly options?: Readonly<Record<string, string | true>>;
  readonly attributes?: MountAttributes;
}

const attributeBits = {
  readonly: mountAttrs.MOUNT_ATTR_RDONLY,
  noSuid: mountAttrs.MOUNT_ATTR_NOSUID,
  noDev: mountAttrs.MOUNT_ATTR_NODEV,
  noExec: mountAttrs.MOUNT_ATTR_NOEXEC,
  noSymfollow: mountAttrs.MOUNT_ATTR_NOSYMFOLLOW,
} as const;
const atimeBits = { relatime: 0, noatime: mountAttrs.MOUNT_ATTR_NOATIME, strictatime: mountAttrs.MOUNT_ATTR_STRICTATIME } as const;

const attributeKeys = ['readonly', 'noSuid', 'noDev', 'noExec', 'noSymfollow', 'atime'] as const;
const stepKeys = ['purpose', 'as', 'onFailure'] as const;
/** The keys of {@link MountOptions}, for functions that have more of their own. */
export const mountKeys: readonly string[] = ['source', ...attributeKeys, ...stepKeys];
/** The keys that a bind has of these: it has no source but the files. */
export const bindKeys: readonly string[] = [...attributeKeys, ...stepKeys];

/** fsconfig(2) copies a value into 256 bytes, the NUL included. */
export const MAX_OPTION_BYTES = 255;

/**
 * Makes a file system of a type and a mount of it, attached to nothing.
 *
 * The steps fail with ENODEV for a type that the kernel does not know, EINVAL for an option that the type does not, EPERM without CAP_SYS_ADMIN.
 * Throws a `RangeError` for a value of more than 255 bytes, which fsconfig(2) does not take.
 *
 * @see fsopen(2), fsconfig(2), fsmount(2)
 * @example
 * ```ts
 * import { attach, newMount, openPlace } from '@ctr/fs';
 * const { steps, mount } = newMount('tmpfs', { options: { size: '1048576' }, attributes: { noSuid: true } });
 * const place = openPlace('/mnt');
 * const plan = [...steps, ...place.steps, ...attach(mount, place.fd)];
 * ```
 */
export function newMount(type: string, options: NewMount = {}): Detached {
  checkOptions('newMount', options, ['source', 'options', 'attributes', ...stepKeys]);
  const { purpose = `a new ${type}`, as = type, onFailure } = options;
  const open: Step = {
    call: 'fsopen',
    args: [type, fsopenFlags.FSOPEN_CLOEXEC],
    purpose,
    as: `new-${as}`,
    ...(onFailure && { onFailure }),
    hints: { ENODEV: `this kernel has no file system ${type}: it is not built in and its module is not loaded` },
  };
  const context = resultOf(open);
  const values: Readonly<Record<string, string | true>> = { source: options.source ?? type, ...options.options };
  const settings = Object.entries(values).map(([key, value]): Step => {
    if (value !== true && Buffer.byteLength(value) > MAX_OPTION_BYTES) throw new RangeError(`the option ${key} of ${type} has more than ${MAX_OPTION_BYTES} bytes: ${JSON.stringify(value)}`);
    return { ...fsconfig(type, context, key, value), ...(onFailure && { onFailure }) };
  });
  return finish(type, open, settings, options.attributes ?? {}, { as, ...(onFailure && { onFailure }) });
}

/** The rest of a new mount after its context is open and its options are set. */
export function finish(type: string, open: Step, settings: readonly Step[], attributes: MountAttributes, { as = type, onFailure }: StepOptions): Detached {
  const context = resultOf(open);
  const { set } = attributeMasks(attributes);
  const otherwise = onFailure && { onFailure };
  const mount: Step = { call: 'fsmount', args: [context, fsmountFlags.FSMOUNT_CLOEXEC, set], purpose: 'a mount of it', as, ...otherwise };
  return {
    steps: [
      open,
      ...settings,
      {
        call: 'fsconfig',
        args: [context, fsconfigCommands.FSCONFIG_CMD_CREATE, null, null, 0],
        purpose: 'make it',
        ...otherwise,
        hints: { EINVAL: `${type} does not accept its options together`, EBUSY: `${type} is in use with other options, or one of its directories is in use by another mount` },
      },
      mount,
    ],
    mount: resultOf(mount),
  };
}

/** One option of a file system: a flag, or a value. */
export function fsconfig(type: string, context: ResultOf, key: string, value: string | true): Step {
  return {
    call: 'fsconfig',
    args: value === true ? [context, fsconfigCommands.FSCONFIG_SET_FLAG, key, null, 0] : [context, fsconfigCommands.FSCONFIG_SET_STRING, key, value, 0],
    purpose: `set ${key}`,
    hints: { EINVAL: `${type} of this kernel does not know the option ${key}, or not this value of it` },
  };
}

/**
 * Sets attributes of a mount (`true`) and clears them (`false`); with `recursive`, those of all mounts below too. No steps for no attributes.
 *
 * The steps fail with EPERM for an attribute that is locked: a user namespace cannot lift what came from its parent.
 *
 * @see mount_setattr(2)
 * @example A tree of mounts, made read-only as a whole
 * ```ts
 * import { bindMount, setAttributes } from '@ctr/fs';
 * const { steps, mount } = bindMount('/usr', { recursive: true });
 * const plan = [...steps, ...setAttributes(mount, { readonly: true }, { recursive: true })];
 * ```
 */
export function setAttributes(mount: Handle, attributes: MountAttributes, options: { readonly recursive?: boolean } = {}): Step[] {
  checkOptions('setAttributes', options, ['recursive']);
  const { set, clear, names } = attributeMasks(attributes);
  if (names.length === 0) return [];
  const attr = mountAttr({ attr_set: set, attr_clr: clear });
  const flags = atFlags.AT_EMPTY_PATH | (options.recursive ? atFlags.AT_RECURSIVE : 0);
  return [
    {
      call: 'mount_setattr',
      args: [mount, '', flags, attr, attr.byteLength],
      purpose: `make it ${names.join(', ')}`,
      hints: { EPERM: 'the attribute is locked: a mount that came from a more privileged namespace keeps its restrictions' },
    },
  ];
}

/**
 * Attaches a mount to a place: from here on it is seen there, on top of what was.
 * Both are open files, so that no path is looked up.
 *
 * The step fails with EINVAL where the place is in another mount namespace or on a mount that is itself not attached,
 * ENOTDIR where one of the two is a directory and the other is not, and ENOENT where the place has been removed.
 *
 * @see move_mount(2)
 * @example
 * ```ts
 * import { attach, newMount, openPlace } from '@ctr/fs';
 * const { steps, mount } = newMount('tmpfs');
 * const place = openPlace('/mnt');
 * const plan = [...steps, ...place.steps, ...attach(mount, place.fd)];
 * ```
 */
export function attach(mount: Handle, place: Handle, purpose = 'attach it'): Step[] {
  return [
    {
      call: 'move_mount',
      args: [mount, '', place, '', moveMountFlags.MOVE_MOUNT_F_EMPTY_PATH | moveMountFlags.MOVE_MOUNT_T_EMPTY_PATH],
      purpose,
      hints: moveHints,
    },
  ];
}

/** Attaches a mount to a name in a directory of which nobody else has hold yet; the name is not followed if it is a link. */
export function attachName(mount: Handle, directory: Handle, name: string, purpose: string): Step {
  return { call: 'move_mount', args: [mount, '', directory, name, moveMountFlags.MOVE_MOUNT_F_EMPTY_PATH], purpose, hints: moveHints };
}

/** Makes a detached mount and attaches it to a place. */
export function mountAt(place: Place, { steps, mount }: Detached, directory = true): Step[] {
  const opened = openPlace(place, { directory });
  return [...opened.steps, ...steps, ...attach(mount, opened.fd, `attach it to ${placeName(place)}`)];
}

/**
 * Unmounts what is on top at a path that the caller vouches for; a link at its end is not followed.
 *
 * The step fails with EBUSY while files on it are in use (unless `detach` is set), EINVAL where nothing is mounted, or what is there is locked.
 *
 * @param options.detach take it out of sight now, and end it when nobody uses it any more
 * @see umount2(2)
 * @example
 * ```ts
 * import { unmount } from '@ctr/fs';
 * const plan = unmount('/mnt', { detach: true });
 * ```
 */
export function unmount(at: string, options: { readonly detach?: boolean } = {}): Step[] {
  checkOptions('unmount', options, ['detach']);
  checkPath(at);
  return [
    {
      call: 'umount2',
      args: [at, umountFlags.UMOUNT_NOFOLLOW | (options.detach ? umountFlags.MNT_DETACH : 0)],
      purpose: `unmount ${at}`,
      hints: { EBUSY: 'a process works in it, has a file on it open, or something is mounted below it: detach does not wait for that', EINVAL: `${at} is not a mount point, or is locked` },
    },
  ];
}

/** The attributes among the options of a function that takes them directly. */
export function attributesOf({ readonly, noSuid, noDev, noExec, noSymfollow, atime }: MountAttributes): MountAttributes {
  return {
    ...(readonly !== undefined && { readonly }),
    ...(noSuid !== undefined && { noSuid }),
    ...(noDev !== undefined && { noDev }),
    ...(noExec !== undefined && { noExec }),
    ...(noSymfollow !== undefined && { noSymfollow }),
    ...(atime !== undefined && { atime }),
  };
}

/** What a new mount of a certain type is made of, by the options of the function that makes it. */
export function newMountOf(options: MountOptions, defaults: MountAttributes, fileSystem: Readonly<Record<string, string | true>> = {}): NewMount {
  const { source, purpose, as, onFailure } = options;
  return {
    options: fileSystem,
    attributes: { ...defaults, ...attributesOf(options) },
    ...(source !== undefined && { source }),
    ...(purpose !== undefined && { purpose }),
    ...(as !== undefined && { as }),
    ...(onFailure !== undefined && { onFailure }),
  };
}

const moveHints = {
  EINVAL: 'the place is in another mount namespace, or the mount is attached already below a shared one, or the place is on a mount that is not attached yet',
  ENOTDIR: 'one of the two is a directory and the other is a file: a file can only be mounted on a file',
  ENOENT: 'the place has been removed meanwhile',
  ELOOP: 'a mount cannot be moved to a place below itself',
} as const;

/** What mount_setattr(2) takes: access time is one value of several bits, which are cleared as a whole before one is set. */
function attributeMasks(attributes: MountAttributes): { set: number; clear: number; names: string[] } {
  checkOptions('mount attributes', attributes, attributeKeys);
  let set = 0;
  let clear = 0;
  const names: string[] = [];
  for (const key of Object.keys(attributeBits) as (keyof typeof attributeBits)[]) {
    const value = attributes[key];
    if (value === undefined) continue;
    names.push(value ? key : `not ${key}`);
    if (value) set |= attributeBits[key];
    else clear |= attributeBits[key];
  }
  if (attributes.atime !== undefined) {
    checkOneOf('atime', attributes.atime, Object.keys(atimeBits));
    set |= atimeBits[attributes.atime];
    clear |= MOUNT_ATTR__ATIME;
    names.push(attributes.atime);
  }
  return { set, clear, names };
}
