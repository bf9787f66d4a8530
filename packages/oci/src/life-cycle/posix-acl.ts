/** linux/posix_acl_xattr.h: a header of a version, then entries of a tag, permissions and an id. */
const VERSION = 2;
const HEADER_BYTES = 4;
const ENTRY_BYTES = 8;
/** linux/posix_acl.h */
const ACL_USER = 0x02;
const ACL_GROUP_OBJ = 0x04;
const ACL_GROUP = 0x08;
const ACL_MASK = 0x10;
const ACL_OTHER = 0x20;
const ALL = 0o7;

/** The ids of a user namespace; `undefined` for an id that is not mapped. */
export interface MappedIds {
  readonly uid: (id: number) => number | undefined;
  readonly gid: (id: number) => number | undefined;
}

/** An access control list as a user namespace has it. */
export interface MappedAcl {
  readonly value: Uint8Array;
  /** The permissions of the owning group: the mode has those of the mask in their place. */
  readonly group: number;
  readonly other: number;
}

/**
 * Maps the ids of a POSIX access control list, as getxattr(2) gives it. An entry of an id that is not mapped is left out, and everybody else gets no permission that it withheld.
 * `undefined` for a value that is no list of the known version.
 *
 * @see acl(5)
 */
export function mapAcl(value: Uint8Array, { uid, gid }: MappedIds): MappedAcl | undefined {
  const list = Buffer.from(value);
  if (list.length < HEADER_BYTES || (list.length - HEADER_BYTES) % ENTRY_BYTES !== 0 || list.readUInt32LE(0) !== VERSION) return undefined;
  const kept: Buffer[] = [list.subarray(0, HEADER_BYTES)];
  let [group, mask, other, withheld] = [0, ALL, 0, 0];
  for (let at = HEADER_BYTES; at < list.length; at += ENTRY_BYTES) {
    const entry = list.subarray(at, at + ENTRY_BYTES);
    const [tag, permissions, id] = [entry.readUInt16LE(0), entry.readUInt16LE(2), entry.readUInt32LE(4)];
    if (tag === ACL_GROUP_OBJ) group = permissions;
    if (tag === ACL_MASK) mask = permissions;
    if (tag === ACL_USER || tag === ACL_GROUP) {
      const inside = tag === ACL_USER ? uid(id) : gid(id);
      if (inside === undefined) {
        withheld |= ALL & ~permissions;
        continue;
      }
      entry.writeUInt32LE(inside, 4);
    }
    // The last entry: those that may be left out stand before it.
    if (tag === ACL_OTHER) {
      other = permissions & ~withheld;
      entry.writeUInt16LE(other, 2);
    }
    kept.push(entry);
  }
  return { value: Buffer.concat(kept), group: group & mask, other };
}
