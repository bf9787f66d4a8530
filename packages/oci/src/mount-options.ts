import { MOUNT_ATTR__ATIME, mountAttrs, mountFlags } from '@ctr/syscall';

/** What the options of a mount ask for. Of two that contradict each other the later counts; `bind` contradicts no `rbind`, wherever it stands. */
export interface MountOptions {
  /** It is a bind mount; `recursive`: of all that is mounted below, too. */
  readonly bind?: { readonly recursive: boolean };
  /** It changes a mount that is there. */
  readonly remount: boolean;
  /** Flags of mount(2) to set, `MS_…`, but for `MS_BIND`, `MS_REC`, `MS_REMOUNT` and those of propagation. */
  readonly flags: number;
  /** Flags that are asked not to be set: a bind mount and a remount would have them from what was there. */
  readonly clear: number;
  /** The part of both that belongs to the mount, and not to the file system, as mount_setattr(2) takes it. */
  readonly attributes: MountAttributeMasks;
  /** What to change of this mount and all below it, as mount_setattr(2) takes it with `AT_RECURSIVE`. */
  readonly recursive: MountAttributeMasks;
  /** In this order: a mount can be a slave and then shared. */
  readonly propagation: readonly { readonly kind: 'private' | 'shared' | 'slave' | 'unbindable'; readonly recursive: boolean }[];
  /** Options of the file system, as they were written: `size=64m`, `newinstance`. */
  readonly data: readonly string[];
  /** A tmpfs begins with what the image has at its place. */
  readonly tmpcopyup: boolean;
  /** Its owners are mapped; `recursive`: also those of all that is mounted below. */
  readonly idmap?: { readonly recursive: boolean };
}

/** Attributes of mounts, `MOUNT_ATTR_…`, to set and to clear. */
export interface MountAttributeMasks {
  readonly set: number;
  readonly clear: number;
}

type AccessTime = 'relatime' | 'noatime' | 'strictatime';

/** What a word does to a mount: flags of mount(2), and the same as attributes; of the access time only one value is set at a time. */
interface Word {
  readonly flag: number;
  readonly clear?: true;
  readonly attribute?: number;
  readonly atime?: AccessTime;
}

/** linux/mount.h. What is no attribute belongs to the file system. `norelatime` says what the kernel does anyway. */
const words: Readonly<Record<string, Word>> = {
  async: { flag: mountFlags.MS_SYNCHRONOUS, clear: true },
  atime: { flag: mountFlags.MS_NOATIME, clear: true, atime: 'relatime' },
  defaults: { flag: 0 },
  dev: { flag: mountFlags.MS_NODEV, clear: true, attribute: mountAttrs.MOUNT_ATTR_NODEV },
  diratime: { flag: mountFlags.MS_NODIRATIME, clear: true, attribute: mountAttrs.MOUNT_ATTR_NODIRATIME },
  dirsync: { flag: mountFlags.MS_DIRSYNC },
  exec: { flag: mountFlags.MS_NOEXEC, clear: true, attribute: mountAttrs.MOUNT_ATTR_NOEXEC },
  iversion: { flag: mountFlags.MS_I_VERSION },
  lazytime: { flag: mountFlags.MS_LAZYTIME },
  loud: { flag: mountFlags.MS_SILENT, clear: true },
  mand: { flag: mountFlags.MS_MANDLOCK },
  noatime: { flag: mountFlags.MS_NOATIME, atime: 'noatime' },
  nodev: { flag: mountFlags.MS_NODEV, attribute: mountAttrs.MOUNT_ATTR_NODEV },
  nodiratime: { flag: mountFlags.MS_NODIRATIME, attribute: mountAttrs.MOUNT_ATTR_NODIRATIME },
  noexec: { flag: mountFlags.MS_NOEXEC, attribute: mountAttrs.MOUNT_ATTR_NOEXEC },
  noiversion: { flag: mountFlags.MS_I_VERSION, clear: true },
  nolazytime: { flag: mountFlags.MS_LAZYTIME, clear: true },
  nomand: { flag: mountFlags.MS_MANDLOCK, clear: true },
  norelatime: { flag: mountFlags.MS_RELATIME, clear: true },
  nostrictatime: { flag: mountFlags.MS_STRICTATIME, clear: true, atime: 'relatime' },
  nosuid: { flag: mountFlags.MS_NOSUID, attribute: mountAttrs.MOUNT_ATTR_NOSUID },
  nosymfollow: { flag: mountFlags.MS_NOSYMFOLLOW, attribute: mountAttrs.MOUNT_ATTR_NOSYMFOLLOW },
  relatime: { flag: mountFlags.MS_RELATIME, atime: 'relatime' },
  ro: { flag: mountFlags.MS_RDONLY, attribute: mountAttrs.MOUNT_ATTR_RDONLY },
  rw: { flag: mountFlags.MS_RDONLY, clear: true, attribute: mountAttrs.MOUNT_ATTR_RDONLY },
  silent: { flag: mountFlags.MS_SILENT },
  strictatime: { flag: mountFlags.MS_STRICTATIME, atime: 'strictatime' },
  suid: { flag: mountFlags.MS_NOSUID, clear: true, attribute: mountAttrs.MOUNT_ATTR_NOSUID },
  symfollow: { flag: mountFlags.MS_NOSYMFOLLOW, clear: true, attribute: mountAttrs.MOUNT_ATTR_NOSYMFOLLOW },
  sync: { flag: mountFlags.MS_SYNCHRONOUS },
};
/** Of these there is a form for all mounts below, with an r before it. */
const recursiveWords = new Set(
  'atime dev diratime exec noatime nodev nodiratime noexec norelatime nostrictatime nosuid nosymfollow relatime ro rw strictatime suid symfollow'
    .split(' ')
    .map((word) => `r${word}`),
);
const kinds = ['private', 'shared', 'slave', 'unbindable'] as const;
const others = ['bind', 'rbind', 'remount', 'tmpcopyup', 'idmap', 'ridmap'];

const atimeFlags = mountFlags.MS_NOATIME | mountFlags.MS_RELATIME | mountFlags.MS_STRICTATIME;
/** linux/mount.h: MOUNT_ATTR_RELATIME is 0, the default of the three. */
const atimeAttributes = { relatime: 0, noatime: mountAttrs.MOUNT_ATTR_NOATIME, strictatime: mountAttrs.MOUNT_ATTR_STRICTATIME } as const;

/** The words that are not options of a file system, in alphabetical order. */
export const mountOptionNames: readonly string[] = Object.freeze(
  [...Object.keys(words), ...recursiveWords, ...kinds, ...kinds.map((kind) => `r${kind}`), ...others].toSorted(),
);

/**
 * Reads the options of a mount in `config.json`. Any word is accepted: one that is not known is an option of the file system, as the runtime-spec has it.
 *
 * @see mount(8), mount_setattr(2)
 * @example
 * ```ts
 * import { parseMountOptions } from '@ctr/oci';
 * const { bind, recursive, propagation } = parseMountOptions(['rbind', 'rro', 'rslave']);
 * console.log(bind, recursive, propagation); // { recursive: true } { set: 1, clear: 0 } [ { kind: 'slave', recursive: true } ]
 * console.log(parseMountOptions(['nosuid', 'mode=755', 'size=64m']).data); // [ 'mode=755', 'size=64m' ]
 * ```
 */
export function parseMountOptions(options: readonly string[]): MountOptions {
  let flags = 0;
  let clear = 0;
  const own = new Attributes();
  const recursive = new Attributes();
  const found: { -readonly [K in 'bind' | 'idmap']?: { readonly recursive: boolean } } = {};
  let remount = false;
  let tmpcopyup = false;
  const propagation: MountOptions['propagation'][number][] = [];
  const data: string[] = [];

  for (const option of options) {
    const kind = kinds.find((name) => option === name || option === `r${name}`);
    const word = Object.hasOwn(words, option) ? words[option] : undefined;
    const below = recursiveWords.has(option) ? words[option.slice(1)] : undefined;
    if (kind !== undefined) propagation.push({ kind, recursive: option !== kind });
    else if (word !== undefined) {
      // A value of the access time takes the place of another.
      const replaced = word.atime !== undefined && word.clear === undefined ? atimeFlags : word.flag;
      flags = word.clear ? flags & ~replaced : (flags & ~replaced) | word.flag;
      clear = word.clear ? clear | word.flag : clear & ~word.flag;
      own.apply(word);
    } else if (below !== undefined) recursive.apply(below);
    else if (option === 'bind' || option === 'rbind') found.bind = { recursive: option === 'rbind' || found.bind?.recursive === true };
    else if (option === 'idmap' || option === 'ridmap') found.idmap = { recursive: option === 'ridmap' };
    else if (option === 'remount') remount = true;
    else if (option === 'tmpcopyup') tmpcopyup = true;
    else if (option !== '') data.push(option);
  }
  return { ...found, remount, flags, clear, attributes: own.masks(), recursive: recursive.masks(), propagation, data, tmpcopyup };
}

/** Attributes as they are asked for one after the other. */
class Attributes {
  #set = 0;
  #clear = 0;
  #atime: AccessTime | undefined;

  apply({ attribute = 0, clear, atime }: Word): void {
    if (clear) {
      this.#set &= ~attribute;
      this.#clear |= attribute;
    } else {
      this.#set |= attribute;
      this.#clear &= ~attribute;
    }
    this.#atime = atime ?? this.#atime;
  }

  /** The access time is one value of several bits, which the kernel wants to be cleared as a whole before one is set. */
  masks(): MountAttributeMasks {
    if (this.#atime === undefined) return { set: this.#set, clear: this.#clear };
    return { set: this.#set | atimeAttributes[this.#atime], clear: this.#clear | MOUNT_ATTR__ATIME };
  }
}
