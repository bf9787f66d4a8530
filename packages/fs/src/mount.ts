import { checkOptions, fsconfigCommands, fsmountFlags, fsopenFlags, resultOf, quote, type ResultOf, type Step } from '@ctr/syscall';

import { attributeKeys, attributeMasks, attributesOf, type MountAttributes } from './attributes.js';

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
  /** Options of the file system; each is handed over on its own, so that a comma in a value is just a comma. One that is given several times, as `lowerdir+` of overlay, has a list of values. */
  readonly options?: Readonly<Record<string, string | true | readonly string[]>>;
  readonly attributes?: MountAttributes;
}

const stepKeys = ['purpose', 'as', 'onFailure'] as const;
/** The keys of {@link MountOptions}, for functions that have more of their own. */
export const mountKeys: readonly string[] = ['source', ...attributeKeys, ...stepKeys];
/** The keys that a bind has of these: it has no source but the files. */
export const bindKeys: readonly string[] = [...attributeKeys, ...stepKeys];

/**
 * What an option of a file system may have of bytes: fsconfig(2) copies it into 256, the NUL included.
 *
 * @example
 * ```ts
 * import { MAX_OPTION_BYTES } from '@ctr/fs';
 * console.log(Buffer.byteLength('size=64m') <= MAX_OPTION_BYTES); // true
 * ```
 */
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
  const values: NonNullable<NewMount['options']> = { source: options.source ?? type, ...options.options };
  const each = Object.entries(values).flatMap(([key, value]) =>
    (Array.isArray(value) ? (value as readonly string[]) : [value as string | true]).map((one) => [key, one] as const),
  );
  const settings = each.map(([key, value]): Step => {
    if (value !== true && Buffer.byteLength(value) > MAX_OPTION_BYTES)
      throw new RangeError(`the option ${key} of ${type} has more than ${MAX_OPTION_BYTES} bytes: ${quote(value)}`);
    return { ...fsconfig(type, context, key, value), ...(onFailure && { onFailure }) };
  });
  return finish(type, open, settings, options.attributes ?? {}, { as, ...(onFailure && { onFailure }) });
}

/** The rest of a new mount after its context is open and its options are set. */
export function finish(
  type: string,
  open: Step,
  settings: readonly Step[],
  attributes: MountAttributes,
  { as = type, onFailure, hints }: StepOptions & Pick<Step, 'hints'>,
): Detached {
  const context = resultOf(open);
  const { set } = attributeMasks(attributes);
  const otherwise = onFailure && { onFailure };
  const create: Step = {
    call: 'fsconfig',
    args: [context, fsconfigCommands.FSCONFIG_CMD_CREATE, null, null, 0],
    purpose: 'make it',
    ...otherwise,
    hints: {
      EINVAL: `${type} does not accept its options, or not all of them together`,
      EBUSY: `${type} is in use with other options, or one of its directories is in use by another mount`,
      ...hints,
    },
  };
  const mount: Step = { call: 'fsmount', args: [context, fsmountFlags.FSMOUNT_CLOEXEC, set], purpose: 'a mount of it', as, ...otherwise };
  const close: Step = { call: 'close', args: [context], purpose: 'it has its mount', ...otherwise };
  return { steps: [open, ...settings, create, mount, close], mount: resultOf(mount) };
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
