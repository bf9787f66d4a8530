// What a compiled plan holds, read back by the description of its format alone: elf.ts, layout.ts and records.ts in words.
export interface Operand {
  /** 0: the value itself; 8, 4, 1: so many bytes at an address. */
  readonly bytes: 0 | 8 | 4 | 1;
  readonly value: number;
}

export interface Decoded {
  readonly records: readonly {
    readonly number: number;
    readonly args: readonly Operand[];
    readonly than: Operand;
    readonly store: number;
    readonly target: number;
    readonly onFailure: number;
    readonly tolerated: readonly number[];
    readonly condition: number;
  }[];
  /** Addresses of the first byte behind the records, of the first one that is zero by definition, and of the one behind the last. */
  readonly dataFrom: number;
  readonly zeroFrom: number;
  readonly end: number;
  /** Bytes of the data segment at an address. */
  bytes(address: number, length: number): Buffer;
  /** A string that ends with a NUL. */
  string(address: number): string;
}

const RECORD_BYTES = 48;
const RECORDS_AT = 16;

export function decode(file: Buffer, count: number): Decoded {
  if (file.toString('latin1', 0, 4) !== '\x7fELF') throw new Error('no ELF file');
  const [header, size] = [file.readUInt32LE(32), file.readUInt16LE(54)];
  const data = Array.from({ length: file.readUInt16LE(56) }, (_, i) => header + i * size).find(
    (at) => file.readUInt32LE(at) === 1 && file.readUInt32LE(at + 4) === 6,
  );
  if (data === undefined) throw new Error('no data segment');
  const [offset, address, fileSize, memorySize] = [8, 16, 32, 40].map((field) => Number(file.readBigUInt64LE(data + field))) as [
    number,
    number,
    number,
    number,
  ];
  if (offset + fileSize !== file.length) throw new Error(`the data ends at ${offset + fileSize}, the file at ${file.length}`);
  const bytes = (at: number, length: number): Buffer => {
    if (at < address || at + length > address + memorySize) throw new RangeError(`${length} bytes at ${at} are outside of the data`);
    const from = offset + at - address;
    return Buffer.concat([file.subarray(from, from + length), Buffer.alloc(Math.max(0, length - Math.max(0, file.length - from)))]).subarray(0, length);
  };
  const records = Array.from({ length: count }, (_, i) => {
    const record = bytes(address + RECORDS_AT + i * RECORD_BYTES, RECORD_BYTES);
    const kinds = record.readUInt16LE(2);
    const operand = (k: number): Operand => ({ bytes: ([0, 8, 4, 1] as const)[((kinds >> (k * 2)) & 3) as 0], value: record.readInt32LE(4 + k * 4) });
    return {
      number: record.readUInt16LE(0),
      args: [0, 1, 2, 3, 4, 5].map(operand),
      than: operand(6),
      store: record.readUInt32LE(32),
      target: record.readUInt16LE(36),
      onFailure: record.readUInt16LE(38),
      tolerated: [...record.subarray(40, 47)].filter((errno) => errno !== 0),
      condition: record.readUInt8(47),
    };
  });
  return {
    records,
    dataFrom: address + RECORDS_AT + count * RECORD_BYTES,
    zeroFrom: address + fileSize,
    end: address + memorySize,
    bytes,
    string: (at) => {
      let length = 0;
      while (bytes(at + length, 1)[0] !== 0) length++;
      return bytes(at, length).toString('utf8');
    },
  };
}
