import type { Arch } from '../abi/numbers.js';
import { memorySize, setCode, setDataSize } from './elf.js';
import { LAST_BYTE, NOTE_BYTES, PAGE_BYTES, TEXT, UNPACKER_OFFSET } from './layout.js';
import { assemble } from './listing.js';
import { pack } from './pack.js';
import { unpacker as arm64 } from './unpacker-arm64.js';
import { unpacker as x64 } from './unpacker-x64.js';

const listings = { x64, arm64 };

/**
 * The same executable with its records and data packed: behind the walker, an unpacker and an LZ4 block of them, in the segment of code.
 * The segment of data has nothing of the file but the note of a failure; the unpacker fills the zeroed memory behind that, where all has the addresses it had.
 * An executable that would be no smaller, or whose code would reach the data's addresses, stays as it is.
 */
export function packExecutable(file: Buffer, arch: Arch): Buffer {
  const parts = [file.subarray(0, UNPACKER_OFFSET), assemble(listings[arch]), pack(file.subarray(UNPACKER_OFFSET)), Buffer.of(LAST_BYTE)];
  const small = Buffer.concat(parts);
  if (small.length >= Math.min(file.length, PAGE_BYTES)) return file;
  setCode(small, TEXT + UNPACKER_OFFSET, small.length);
  setDataSize(small, NOTE_BYTES, memorySize(file) - NOTE_BYTES);
  return small;
}
