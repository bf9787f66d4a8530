import type { Listing } from './listing.js';

/**
 * What is called at the end of a thread on x86-64, with the address of the first call that is to be made (see thread-end.ts for what such a record holds).
 * rbx is the record at hand, r12 the next one, ebp how often a call may still be made again. It goes on with munmap(2) of itself, from which the thread returns.
 * A test disassembles it and compares the bytes with the mnemonics.
 */
export const threadEnd: Listing = [
  'start',
  ['53', 'push rbx'],
  ['55', 'push rbp'],
  ['41 54', 'push r12'],
  ['48 89 fb', 'mov rbx, rdi'],
  ['bd b8 0b 00 00', 'mov ebp, 3000'],
  'record',
  ['4c 8b 63 38', 'mov r12, qword ptr [rbx+56]', 'the last call unmaps its own record'],
  'again',
  ['48 8b 03', 'mov rax, qword ptr [rbx]', 'the number of the call'],
  ['48 8b 7b 08', 'mov rdi, qword ptr [rbx+8]', 'where its first argument stands'],
  ['48 8b 3f', 'mov rdi, qword ptr [rdi]'],
  ['48 8b 73 10', 'mov rsi, qword ptr [rbx+16]'],
  ['48 8b 53 18', 'mov rdx, qword ptr [rbx+24]'],
  ['4c 8b 53 20', 'mov r10, qword ptr [rbx+32]'],
  ['4c 8b 43 28', 'mov r8, qword ptr [rbx+40]', 'the first result with which it is made again'],
  ['4c 8b 4b 30', 'mov r9, qword ptr [rbx+48]', 'how many of these there are'],
  ['0f 05', 'syscall'],
  ['4c 29 c0', 'sub rax, r8'],
  ['4c 39 c8', 'cmp rax, r9'],
  ['73 16', 'jae next'],
  ['ff cd', 'dec ebp'],
  ['7e 12', 'jle next'],
  ['48 8d 3d 35 00 00 00', 'lea rdi, [rip+53]', 'a millisecond'],
  ['31 f6', 'xor esi, esi'],
  ['b8 23 00 00 00', 'mov eax, 35', 'nanosleep'],
  ['0f 05', 'syscall'],
  ['eb c2', 'jmp again'],
  'next',
  ['4c 89 e3', 'mov rbx, r12'],
  ['48 85 db', 'test rbx, rbx'],
  ['75 b6', 'jne record'],
  ['8b 3d 2c 00 00 00', 'mov edi, dword ptr [rip+44]', 'the key by which this was called'],
  ['ff 15 2e 00 00 00', 'call qword ptr [rip+46]', 'pthread_key_delete'],
  ['41 5c', 'pop r12'],
  ['5d', 'pop rbp'],
  ['5b', 'pop rbx'],
  ['48 8d 3d 93 ff ff ff', 'lea rdi, [rip+-109]', 'start'],
  ['be 00 10 00 00', 'mov esi, 4096'],
  ['ff 25 20 00 00 00', 'jmp qword ptr [rip+32]', 'munmap'],
];
