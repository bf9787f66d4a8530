import { operand, OPERANDS, TOLERATED, type Program } from '../lower.js';
import { RECORD_BYTES } from './layout.js';

/*
 * A record, little-endian:
 *
 *  0 u16     number of the system call, or 0xffff for a sum
 *  2 u16     kinds of the seven operands, two bits each: 0 a value, 1 to 3 an address to load 64 bits, 32 bits (signed) or a byte from
 *  4 i32[6]  arguments
 * 28 i32     what the jump compares the result with
 * 32 u32     address to store the result at (64 bits), or 0
 * 36 u16     index of the record to jump to
 * 38 u16     index of the record to go on with after a failure
 * 40 u8[7]   errnos that are no failure; 0xff: none is
 * 47 u8      when to jump: 0 never, 1 equal, 2 not equal, 3 less (signed)
 */

/** Encodes operations as records at the start of `target`; `base` is the address of their data. */
export function encodeRecords(program: Program, target: Buffer, base: number): void {
  for (let i = 0; i < program.count; i++) {
    const at = i * RECORD_BYTES;
    let kinds = 0;
    for (let k = 0; k < OPERANDS; k++) {
      const value = program.values[i * OPERANDS + k] as number;
      const kind = program.kinds[i * OPERANDS + k] as number;
      if (kind !== operand.address) kinds |= kind << (k * 2);
      target.writeInt32LE(kind === operand.value ? value : base + value, at + 4 + k * 4);
    }
    target.writeUInt16LE(program.numbers[i] as number, at);
    target.writeUInt16LE(kinds, at + 2);
    const store = program.stores[i] as number;
    target.writeUInt32LE(store < 0 ? 0 : base + store, at + 32);
    target.writeUInt16LE(program.targets[i] as number, at + 36);
    target.writeUInt16LE(program.failures[i] as number, at + 38);
    for (let k = 0; k < TOLERATED; k++) target[at + 40 + k] = program.tolerated[i * TOLERATED + k] as number;
    target[at + 47] = program.conditions[i] as number;
  }
}
