import type { Arch } from '../abi/numbers.js';
import { DATA_OFFSET, NOTE_BYTES, PAGE_BYTES, TEXT, WALKER_OFFSET } from './layout.js';

const machines = { x64: 62, arm64: 183 }; // EM_X86_64, EM_AARCH64 of linux/elf-em.h
const PT_LOAD = 1;
const PT_GNU_STACK = 0x6474e551;
const PF_X = 1;
const PF_W = 2;
const PF_R = 4;

const CODE_SEGMENT = 64;
const DATA_SEGMENT = 120;

/**
 * What an executable begins with, up to the records: the header of a static ELF executable with a segment for code and one for data (elf(5)), and the walker.
 * The size of its data is to be set.
 */
export function elfHead(arch: Arch, walker: Buffer): Buffer {
  if (WALKER_OFFSET + walker.length > DATA_OFFSET) throw new RangeError(`the walker of ${walker.length} bytes does not fit before the data`);
  const head = Buffer.alloc(DATA_OFFSET + NOTE_BYTES);
  head.write('\x7fELF', 0, 'latin1');
  head[4] = 2; // ELFCLASS64
  head[5] = 1; // ELFDATA2LSB
  head[6] = 1; // EV_CURRENT
  head.writeUInt16LE(2, 16); // ET_EXEC
  head.writeUInt16LE(machines[arch], 18);
  head.writeUInt32LE(1, 20);
  head.writeUInt32LE(TEXT + WALKER_OFFSET, 24); // e_entry
  head.writeUInt32LE(64, 32); // e_phoff
  head.writeUInt16LE(64, 52); // e_ehsize
  head.writeUInt16LE(56, 54); // e_phentsize
  head.writeUInt16LE(3, 56); // e_phnum
  segment(head, CODE_SEGMENT, PT_LOAD, PF_R | PF_X, 0, TEXT, WALKER_OFFSET + walker.length);
  segment(head, DATA_SEGMENT, PT_LOAD, PF_R | PF_W, DATA_OFFSET, TEXT + PAGE_BYTES + DATA_OFFSET, 0);
  segment(head, 176, PT_GNU_STACK, PF_R | PF_W, 0, 0, 0);
  walker.copy(head, WALKER_OFFSET);
  return head;
}

/** Sets where it starts, and how much of the file is code. */
export function setCode(file: Buffer, entry: number, byteLength: number): void {
  file.writeUInt32LE(entry, 24); // e_entry
  file.writeUInt32LE(byteLength, CODE_SEGMENT + 32);
  file.writeUInt32LE(byteLength, CODE_SEGMENT + 40);
}

/** Sets the size of the data, and of the memory behind it that the kernel fills with zeros. */
export function setDataSize(file: Buffer, byteLength: number, zeroed: number): void {
  file.writeUInt32LE(byteLength, DATA_SEGMENT + 32);
  file.writeUInt32LE(byteLength + zeroed, DATA_SEGMENT + 40);
}

/** The size of the data with the zeroed memory behind it. */
export function memorySize(file: Buffer): number {
  return file.readUInt32LE(DATA_SEGMENT + 40);
}

function segment(file: Buffer, at: number, type: number, flags: number, offset: number, address: number, size: number): void {
  file.writeUInt32LE(type, at);
  file.writeUInt32LE(flags, at + 4);
  file.writeUInt32LE(offset, at + 8);
  file.writeUInt32LE(address, at + 16);
  file.writeUInt32LE(address, at + 24);
  file.writeUInt32LE(size, at + 32);
  file.writeUInt32LE(size, at + 40);
  file.writeUInt32LE(PAGE_BYTES, at + 48);
}
