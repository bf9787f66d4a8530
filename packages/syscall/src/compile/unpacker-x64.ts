import type { Listing } from './listing.js';

/**
 * The unpacker for x86-64: puts what the LZ4 block behind it holds where the records and their data belong, and goes on with the walker.
 * rsi goes through the block (see pack.ts for what it consists of), rdx is the last byte of the file, rdi the next byte to be written, ebx the token at hand.
 * It uses 8 bytes below the stack pointer and leaves that as it was; addresses are those of layout.ts.
 * A test disassembles it and compares the bytes with the mnemonics.
 */
export const unpacker: Listing = [
  '_start',
  ['8b 14 25 60 00 40 00', 'mov edx, dword ptr [CODE_BYTES]', 'the size of the file'],
  ['81 c2 ff ff 3f 00', 'add edx, 0x3fffff', 'the address of its last byte,'],
  ['80 3a ff', 'cmp byte ptr [rdx], 0xff', 'which is another one if the file was cut'],
  ['75 56', 'jne cut'],
  ['be 84 03 40 00', 'mov esi, block'],
  ['bf 10 03 41 00', 'mov edi, RECORDS'],
  'sequence',
  ['0f b6 1e', 'movzx ebx, byte ptr [rsi]', 'its token'],
  ['ff c6', 'inc esi'],
  ['89 d9', 'mov ecx, ebx'],
  ['c1 e9 04', 'shr ecx, 4', 'how many literals'],
  ['e8 29 00 00 00', 'call number'],
  ['f3 a4', 'rep movsb'],
  ['39 d6', 'cmp esi, edx'],
  ['0f 83 bb fd ff ff', 'jae walker', 'the last sequence has literals only'],
  ['0f b7 2e', 'movzx ebp, word ptr [rsi]', 'how far back'],
  ['83 c6 02', 'add esi, 2'],
  ['89 d9', 'mov ecx, ebx'],
  ['83 e1 0f', 'and ecx, 15', 'how many bytes of there, less four'],
  ['e8 0f 00 00 00', 'call number'],
  ['83 c1 04', 'add ecx, 4'],
  ['89 f0', 'mov eax, esi'],
  ['89 fe', 'mov esi, edi'],
  ['29 ee', 'sub esi, ebp'],
  ['f3 a4', 'rep movsb', 'one by one: some may be among those that are written'],
  ['89 c6', 'mov esi, eax'],
  ['eb c8', 'jmp sequence'],
  'number',
  ['83 f9 0f', 'cmp ecx, 15'],
  ['75 0e', 'jne counted'],
  'more',
  ['0f b6 06', 'movzx eax, byte ptr [rsi]', 'to be added up'],
  ['ff c6', 'inc esi'],
  ['01 c1', 'add ecx, eax'],
  ['3d ff 00 00 00', 'cmp eax, 255'],
  ['74 f2', 'je more'],
  'counted',
  ['c3', 'ret'],
  'cut',
  ['bf 7d 00 00 00', 'mov edi, 125'],
  ['b8 e7 00 00 00', 'mov eax, 231', 'exit_group'],
  ['0f 05', 'syscall'],
  'block',
];
