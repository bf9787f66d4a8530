import { atFlags, checkOptions, MOUNT_ATTR__ATIME, mountAttr, mountAttrs, type Step } from '@ctr/syscall';

import { checkOneOf } from './check.js';
import type { Handle } from './handle.js';

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

const attributeBits = {
  readonly: mountAttrs.MOUNT_ATTR_RDONLY,
  noSuid: mountAttrs.MOUNT_ATTR_NOSUID,
  noDev: mountAttrs.MOUNT_ATTR_NODEV,
  noExec: mountAttrs.MOUNT_ATTR_NOEXEC,
  noSymfollow: mountAttrs.MOUNT_ATTR_NOSYMFOLLOW,
} as const;
const atimeBits = { relatime: 0, noatime: mountAttrs.MOUNT_ATTR_NOATIME, strictatime: mountAttrs.MOUNT_ATTR_STRICTATIME } as const;

/** The keys of {@link MountAttributes}, for functions that take them among their own options. */
export const attributeKeys = ['readonly', 'noSuid', 'noDev', 'noExec', 'noSymfollow', 'atime'] as const;

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

/** What mount_setattr(2) takes: access time is one value of several bits, which are cleared as a whole before one is set. */
export function attributeMasks(attributes: MountAttributes): { set: number; clear: number; names: string[] } {
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
