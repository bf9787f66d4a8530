import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { mountOptionNames, parseMountOptions, type MountOptions } from '@ctr/oci';
import { MOUNT_ATTR__ATIME, mountAttrs, mountFlags } from '@ctr/syscall';

const nothing: MountOptions = {
  remount: false,
  flags: 0,
  clear: 0,
  attributes: { set: 0, clear: 0 },
  recursive: { set: 0, clear: 0 },
  propagation: [],
  data: [],
  tmpcopyup: false,
};
type Attribute = keyof typeof mountAttrs;
type Flag = keyof typeof mountFlags;

/** A flag of the file system alone. */
const flag = (name: Flag): Partial<MountOptions> => ({ flags: mountFlags[name] });
const noFlag = (name: Flag): Partial<MountOptions> => ({ clear: mountFlags[name] });
/** One that is an attribute of the mount, too. */
const both = (name: Flag, attribute: Attribute): Partial<MountOptions> => ({ ...flag(name), attributes: { set: mountAttrs[attribute], clear: 0 } });
const neither = (name: Flag, attribute: Attribute): Partial<MountOptions> => ({ ...noFlag(name), attributes: { set: 0, clear: mountAttrs[attribute] } });
const below = (set: number, clear = 0): Partial<MountOptions> => ({ recursive: { set, clear } });
const spreads = (kind: 'private' | 'shared' | 'slave' | 'unbindable', recursive: boolean): Partial<MountOptions> => ({ propagation: [{ kind, recursive }] });

const { MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_NOSYMFOLLOW } = mountAttrs;
const { MOUNT_ATTR_NOATIME, MOUNT_ATTR_STRICTATIME } = mountAttrs;

const expected: Record<string, Partial<MountOptions>> = {
  async: noFlag('MS_SYNCHRONOUS'),
  atime: { ...noFlag('MS_NOATIME'), attributes: { set: 0, clear: MOUNT_ATTR__ATIME } },
  bind: { bind: { recursive: false } },
  defaults: {},
  dev: neither('MS_NODEV', 'MOUNT_ATTR_NODEV'),
  diratime: neither('MS_NODIRATIME', 'MOUNT_ATTR_NODIRATIME'),
  dirsync: flag('MS_DIRSYNC'),
  exec: neither('MS_NOEXEC', 'MOUNT_ATTR_NOEXEC'),
  idmap: { idmap: { recursive: false } },
  iversion: flag('MS_I_VERSION'),
  lazytime: flag('MS_LAZYTIME'),
  loud: noFlag('MS_SILENT'),
  mand: flag('MS_MANDLOCK'),
  noatime: { ...flag('MS_NOATIME'), attributes: { set: MOUNT_ATTR_NOATIME, clear: MOUNT_ATTR__ATIME } },
  nodev: both('MS_NODEV', 'MOUNT_ATTR_NODEV'),
  nodiratime: both('MS_NODIRATIME', 'MOUNT_ATTR_NODIRATIME'),
  noexec: both('MS_NOEXEC', 'MOUNT_ATTR_NOEXEC'),
  noiversion: noFlag('MS_I_VERSION'),
  nolazytime: noFlag('MS_LAZYTIME'),
  nomand: noFlag('MS_MANDLOCK'),
  norelatime: noFlag('MS_RELATIME'),
  nostrictatime: { ...noFlag('MS_STRICTATIME'), attributes: { set: 0, clear: MOUNT_ATTR__ATIME } },
  nosuid: both('MS_NOSUID', 'MOUNT_ATTR_NOSUID'),
  nosymfollow: both('MS_NOSYMFOLLOW', 'MOUNT_ATTR_NOSYMFOLLOW'),
  private: spreads('private', false),
  ratime: below(0, MOUNT_ATTR__ATIME),
  rbind: { bind: { recursive: true } },
  rdev: below(0, MOUNT_ATTR_NODEV),
  rdiratime: below(0, MOUNT_ATTR_NODIRATIME),
  relatime: { ...flag('MS_RELATIME'), attributes: { set: 0, clear: MOUNT_ATTR__ATIME } },
  remount: { remount: true },
  rexec: below(0, MOUNT_ATTR_NOEXEC),
  ridmap: { idmap: { recursive: true } },
  rnoatime: below(MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME),
  rnodev: below(MOUNT_ATTR_NODEV),
  rnodiratime: below(MOUNT_ATTR_NODIRATIME),
  rnoexec: below(MOUNT_ATTR_NOEXEC),
  rnorelatime: {},
  rnostrictatime: below(0, MOUNT_ATTR__ATIME),
  rnosuid: below(MOUNT_ATTR_NOSUID),
  rnosymfollow: below(MOUNT_ATTR_NOSYMFOLLOW),
  ro: both('MS_RDONLY', 'MOUNT_ATTR_RDONLY'),
  rprivate: spreads('private', true),
  rrelatime: below(0, MOUNT_ATTR__ATIME),
  rro: below(MOUNT_ATTR_RDONLY),
  rrw: below(0, MOUNT_ATTR_RDONLY),
  rshared: spreads('shared', true),
  rslave: spreads('slave', true),
  rstrictatime: below(MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME),
  rsuid: below(0, MOUNT_ATTR_NOSUID),
  rsymfollow: below(0, MOUNT_ATTR_NOSYMFOLLOW),
  runbindable: spreads('unbindable', true),
  rw: neither('MS_RDONLY', 'MOUNT_ATTR_RDONLY'),
  shared: spreads('shared', false),
  silent: flag('MS_SILENT'),
  slave: spreads('slave', false),
  strictatime: { ...flag('MS_STRICTATIME'), attributes: { set: MOUNT_ATTR_STRICTATIME, clear: MOUNT_ATTR__ATIME } },
  suid: neither('MS_NOSUID', 'MOUNT_ATTR_NOSUID'),
  symfollow: neither('MS_NOSYMFOLLOW', 'MOUNT_ATTR_NOSYMFOLLOW'),
  sync: flag('MS_SYNCHRONOUS'),
  tmpcopyup: { tmpcopyup: true },
  unbindable: spreads('unbindable', false),
};

describe('a mount option', () => {
  it('that is known is in the table here', () => {
    expect(Object.keys(expected)).toEqual(mountOptionNames);
  });

  it.each(Object.entries(expected))('%s', (name, result) => {
    expect(parseMountOptions([name])).toEqual({ ...nothing, ...result });
  });

  it.each(['size=64m', 'newinstance', 'lowerdir=/a:/b', 'context="a,b"', 'acl', 'RO', 'constructor', '__proto__', 'rtmpcopyup', 'rsync', 'rdefaults'])(
    'that is %s belongs to the file system',
    (option) => {
      expect(parseMountOptions([option])).toEqual({ ...nothing, data: [option] });
    },
  );

  it('that is empty is none', () => {
    expect(parseMountOptions([''])).toEqual(nothing);
  });
});

describe('several mount options', () => {
  it('count as the later of two that contradict each other', () => {
    expect(parseMountOptions(['ro', 'rw'])).toEqual(parseMountOptions(['rw']));
    expect(parseMountOptions(['rw', 'ro'])).toEqual(parseMountOptions(['ro']));
    expect(parseMountOptions(['rro', 'rrw'])).toEqual(parseMountOptions(['rrw']));
    expect(parseMountOptions(['bind', 'rbind']).bind).toEqual({ recursive: true });
    expect(parseMountOptions(['idmap', 'ridmap']).idmap).toEqual({ recursive: true });
  });

  it('have one access time, as the kernel does', () => {
    for (const [first, last] of [
      ['noatime', 'strictatime'],
      ['strictatime', 'noatime'],
      ['relatime', 'noatime'],
    ] as const) {
      const { flags, attributes } = parseMountOptions([first, last]);
      expect({ flags, attributes }).toEqual({ flags: parseMountOptions([last]).flags, attributes: parseMountOptions([last]).attributes });
    }
    expect(parseMountOptions(['noatime', 'nodiratime']).attributes).toEqual({ set: MOUNT_ATTR_NOATIME | MOUNT_ATTR_NODIRATIME, clear: MOUNT_ATTR__ATIME });
  });

  it('keep the order of what spreads, and of what belongs to the file system', () => {
    const { propagation, data } = parseMountOptions(['slave', 'b=1', 'rshared', 'a']);
    expect(propagation).toEqual([
      { kind: 'slave', recursive: false },
      { kind: 'shared', recursive: true },
    ]);
    expect(data).toEqual(['b=1', 'a']);
  });

  it('never set and clear the same, and are read whatever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...mountOptionNames), fc.string({ unit: 'binary' }))), (options) => {
        const { flags, clear, attributes, recursive, data } = parseMountOptions(options);
        expect(flags & clear).toBe(0);
        for (const { set, clear } of [attributes, recursive]) expect(set & clear & ~MOUNT_ATTR__ATIME).toBe(0);
        expect(data).toEqual(options.filter((option) => option !== '' && !mountOptionNames.includes(option)));
      }),
    );
  });
});
