import type { Arch } from '../abi/numbers.js';
import { DATA_OFFSET, PAGE_BYTES, TEXT, WALKER_OFFSET } from './layout.js';

const machines = { x64: 62, arm64: 183 }; // EM_X86_64, EM_AARCH64 of linux/elf-em.h
const PT_LOAD = 1;
const PT_GNU_STACK = 0x6474e551;
const PF_X = 1;
const PF_W = 2;
const PF_R = 4;

/**
 * The file around the walker and the data: a static ELF executable with a segment for code and one for data (elf(5)).
 * `zeroed` is the size of the memory behind the data that the kernel fills with zeros.
 */
export function elf(arch: Arch, walker: Buffer, data: Buffer, zeroed: number): Buffer {
  if (WALKER_OFFSET + walker.length > DATA_OFFSET) throw new RangeError(`the walker of ${walker.length} bytes does not fit before the data`);
  const file = Buffer.alloc(DATA_OFFSET + data.length);
  file.write('\x7fELF', 0, 'latin1');
  file[4] = 2; // ELFCLASS64
  file[5] = 1; // ELFDATA2LSB
  file[6] = 1; // EV_CURRENT
  file.writeUInt16LE(2, 16); // ET_EXEC
  file.writeUInt16LE(machines[arch], 18);
  file.writeUInt32LE(1, 20);
  file.writeUInt32LE(TEXT + WALKER_OFFSET, 24); // e_entry
  file.writeUInt32LE(64, 32); // e_phoff
  file.writeUInt16LE(64, 52); // e_ehsize
  file.writeUInt16LE(56, 54); // e_phentsize
  file.writeUInt16LE(3, 56); // e_phnum
  segment(file, 64, PT_LOAD, PF_R | PF_X, 0, TEXT, WALKER_OFFSET + walker.length, 0);
  segment(file, 120, PT_LOAD, PF_R | PF_W, DATA_OFFSET, TEXT + PAGE_BYTES + DATA_OFFSET, data.length, zeroed);
  segment(file, 176, PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0);
  walker.copy(file, WALKER_OFFSET);
  data.copy(file, DATA_OFFSET);
  return file;
}

function segment(file: Buffer, at: number, type: number, flags: number, offset: number, address: number, size: number, zeroed: number): void {
  file.writeUInt32LE(type, at);
  file.writeUInt32LE(flags, at + 4);
  file.writeUInt32LE(offset, at + 8);
  file.writeUInt32LE(address, at + 16);
  file.writeUInt32LE(address, at + 24);
  file.writeUInt32LE(size, at + 32);
  file.writeUInt32LE(size + zeroed, at + 40);
  file.writeUInt32LE(PAGE_BYTES, at + 48);
}
