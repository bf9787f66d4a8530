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

export const RECORD_WORDS = RECORD_BYTES / 4;
/** Indices of a record's words of 32 bits. */
export const recordWord = { call: 0, operands: 1, store: 8, next: 9, tolerated: 10, condition: 11 } as const;
/** The first of the bytes with the errnos. */
export const TOLERATED_BYTE = 40;
/** Six arguments and the value a jump compares with. */
export const OPERANDS = 7;
/** A step tolerates at most so many errors by name. */
export const TOLERATED = 7;
/** In the place of an errno: every error is tolerated. */
export const TOLERATES_ANY = 0xff;
/** How an operand gets its value: as it is, or from memory. */
export const operand = { value: 0, load64: 1, load32: 2, load8: 3 } as const;
/** When a record jumps. */
export const conditions = { never: 0, '==': 1, '!=': 2, '<': 3 } as const;
/** The pseudo call: the sum of the first two operands. */
export const ADD = 0xffff;
