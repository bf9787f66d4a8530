import { numbers as arm } from './numbers-arm.js';
import { numbers as arm64 } from './numbers-arm64.js';
import { numbers as i386 } from './numbers-i386.js';
import { absent as absentFromX32, numbers as x32 } from './numbers-x32.js';
import { numbers as x64 } from './numbers-x64.js';

/** The ways in which programs can make system calls on the machines ctr runs on: `x64` machines also run x32 and i386 programs, `arm64` ones arm programs. */
export type SyscallAbi = 'x64' | 'x32' | 'i386' | 'arm64' | 'arm';

/** asm/unistd.h, __X32_SYSCALL_BIT */
const X32_SYSCALL_BIT = 0x40000000;

const readers: Record<SyscallAbi, () => Map<string, number>> = {
  x64: () => new Map(Object.entries(x64)),
  x32: readX32,
  i386: () => readNumbers(i386),
  arm64: () => new Map(Object.entries(arm64)),
  arm: () => readNumbers(arm),
};
const known: Partial<Record<SyscallAbi, ReadonlyMap<string, number>>> = {};

/**
 * The numbers of all system calls that programs of a kind can make, by name, as the kernel and a seccomp filter see them:
 * those of x32 have its bit set. For calls to make, {@link syscallNumber} serves.
 *
 * @example
 * ```ts
 * import { syscallNumbers } from '@ctr/syscall';
 * syscallNumbers('i386').get('socketcall'); // 102
 * ```
 */
export function syscallNumbers(abi: SyscallAbi): ReadonlyMap<string, number> {
  return (known[abi] ??= readers[abi]());
}

function readX32(): Map<string, number> {
  const absent = new Set(absentFromX32.trim().split(/\s+/));
  const all = new Map<string, number>();
  const add = (number: number, name: string): unknown => all.set(name, number | X32_SYSCALL_BIT);
  syscallNumbers('x64').forEach((number, name) => void (absent.has(name) || add(number, name)));
  readNumbers(x32).forEach(add);
  return all;
}

/** A number stands before the first name of a run. */
function readNumbers(text: string): Map<string, number> {
  const all = new Map<string, number>();
  let next = 0;
  for (const word of text.trim().split(/\s+/)) {
    if (word < 'A') next = Number(word);
    else all.set(word, next++);
  }
  return all;
}
