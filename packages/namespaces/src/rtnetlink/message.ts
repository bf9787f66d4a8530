/** linux/netlink.h: struct nlmsghdr: length, type, flags, sequence number, port */
const HEADER_BYTES = 16;
/** linux/netlink.h: struct nlattr: length and type */
const ATTRIBUTE_HEADER_BYTES = 4;
/** linux/netlink.h: NLA_TYPE_MASK: what is left of a type without NLA_F_NESTED and NLA_F_NET_BYTEORDER */
const ATTRIBUTE_TYPE_MASK = 0x3fff;

/** A message of rtnetlink(7), in the order of bytes that x64 and arm64 have. */
export interface Message {
  readonly type: number;
  readonly flags: number;
  /** The same in all answers. */
  readonly sequence: number;
  /** A struct of the family, and the attributes behind it. */
  readonly payload: Buffer;
}

export type Attributes = ReadonlyMap<number, Buffer>;

/** The bytes of a message. */
export function encode({ type, flags, sequence, payload }: Message): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(HEADER_BYTES + payload.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(flags, 6);
  header.writeUInt32LE(sequence, 8);
  return Buffer.concat([header, payload]);
}

/** The messages that stand in what the kernel has written. */
export function decode(bytes: Buffer): Message[] {
  const messages: Message[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length;) {
    const length = bytes.readUInt32LE(at);
    if (length < HEADER_BYTES || at + length > bytes.length) throw new RangeError(`a message of netlink with the length ${length}`);
    messages.push({
      type: bytes.readUInt16LE(at + 4),
      flags: bytes.readUInt16LE(at + 6),
      sequence: bytes.readUInt32LE(at + 8),
      payload: bytes.subarray(at + HEADER_BYTES, at + length),
    });
    at += aligned(length);
  }
  return messages;
}

/** The bytes of attributes. */
export function encodeAttributes(attributes: Iterable<readonly [type: number, value: Buffer]>): Buffer {
  return Buffer.concat(
    Array.from(attributes, ([type, value]) => {
      const bytes = Buffer.alloc(aligned(ATTRIBUTE_HEADER_BYTES + value.length));
      bytes.writeUInt16LE(ATTRIBUTE_HEADER_BYTES + value.length, 0);
      bytes.writeUInt16LE(type, 2);
      value.copy(bytes, ATTRIBUTE_HEADER_BYTES);
      return bytes;
    }),
  );
}

/** The attributes that stand behind the struct of a message. */
export function decodeAttributes(bytes: Buffer): Attributes {
  const attributes = new Map<number, Buffer>();
  for (let at = 0; at + ATTRIBUTE_HEADER_BYTES <= bytes.length;) {
    const length = bytes.readUInt16LE(at);
    if (length < ATTRIBUTE_HEADER_BYTES || at + length > bytes.length) throw new RangeError(`an attribute of netlink with the length ${length}`);
    attributes.set(bytes.readUInt16LE(at + 2) & ATTRIBUTE_TYPE_MASK, bytes.subarray(at + ATTRIBUTE_HEADER_BYTES, at + length));
    at += aligned(length);
  }
  return attributes;
}

/** The value of an attribute of 32 bits. */
export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** The value of an attribute that is a string: it ends with a NUL. */
export function string(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

export function stringOf(value: Buffer): string {
  const end = value.indexOf(0);
  return value.toString('utf8', 0, end < 0 ? value.length : end);
}

/** linux/netlink.h: NLMSG_ALIGN and NLA_ALIGN */
function aligned(length: number): number {
  return (length + 3) & ~3;
}
