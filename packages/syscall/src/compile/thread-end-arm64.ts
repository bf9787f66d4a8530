import type { Listing } from './listing.js';

/**
 * What is called at the end of a thread on arm64, with the address of the first call that is to be made (see thread-end.ts for what such a record holds).
 * x19 is the record at hand, x21 the next one, w20 how often a call may still be made again. It goes on with munmap(2) of itself, from which the thread returns.
 * A test disassembles it and compares the bytes with the mnemonics.
 */
export const threadEnd: Listing = [
  'start',
  ['fd 7b bd a9', 'stp x29, x30, [sp, #-48]!'],
  ['f3 53 01 a9', 'stp x19, x20, [sp, #16]'],
  ['f5 13 00 f9', 'str x21, [sp, #32]'],
  ['f3 03 00 aa', 'mov x19, x0'],
  ['14 77 81 52', 'mov w20, #3000'],
  'record',
  ['75 1e 40 f9', 'ldr x21, [x19, #56]', 'the last call unmaps its own record'],
  'again',
  ['68 02 40 a9', 'ldp x8, x0, [x19]', 'the number of the call, and where its first argument stands'],
  ['00 00 40 f9', 'ldr x0, [x0]'],
  ['61 0a 41 a9', 'ldp x1, x2, [x19, #16]'],
  ['63 12 42 a9', 'ldp x3, x4, [x19, #32]', 'x4 is the first result with which it is made again'],
  ['65 1a 40 f9', 'ldr x5, [x19, #48]', 'how many of these there are'],
  ['01 00 00 d4', 'svc #0'],
  ['00 00 04 cb', 'sub x0, x0, x4'],
  ['1f 00 05 eb', 'cmp x0, x5'],
  ['02 01 00 54', 'b.hs next'],
  ['94 06 00 71', 'subs w20, w20, #1'],
  ['cd 00 00 54', 'b.le next'],
  ['20 02 00 10', 'adr x0, pause', 'a millisecond'],
  ['01 00 80 d2', 'mov x1, #0'],
  ['a8 0c 80 52', 'mov w8, #101', 'nanosleep'],
  ['01 00 00 d4', 'svc #0'],
  ['f1 ff ff 17', 'b again'],
  'next',
  ['f3 03 15 aa', 'mov x19, x21'],
  ['d3 fd ff b5', 'cbnz x19, record'],
  ['c0 01 00 18', 'ldr w0, key', 'by which this was called'],
  ['e9 01 00 58', 'ldr x9, pthread_key_delete'],
  ['20 01 3f d6', 'blr x9'],
  ['f5 13 40 f9', 'ldr x21, [sp, #32]'],
  ['f3 53 41 a9', 'ldp x19, x20, [sp, #16]'],
  ['fd 7b c3 a8', 'ldp x29, x30, [sp], #48'],
  ['40 fc ff 10', 'adr x0, start'],
  ['01 00 82 52', 'mov w1, #4096'],
  ['49 01 00 58', 'ldr x9, munmap'],
  ['20 01 1f d6', 'br x9'],
  'pause',
];
