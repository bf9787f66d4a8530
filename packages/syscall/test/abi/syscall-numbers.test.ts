// The numbers of each kind of program against the headers of this system, where they are installed.
import { existsSync, readFileSync } from 'node:fs';

import { syscallNumbers, type SyscallAbi } from '@ctr/syscall';
import { expect, it } from 'vitest';

const x86 = '/usr/include/x86_64-linux-gnu/asm';
const arm = '/usr/arm-linux-gnueabihf/include/asm';
const headers: Partial<Record<SyscallAbi, readonly string[]>> = {
  x64: [`${x86}/unistd_64.h`],
  x32: [`${x86}/unistd_x32.h`],
  i386: [`${x86}/unistd_32.h`],
  arm: [`${arm}/unistd-eabi.h`, `${arm}/unistd.h`],
};
/** What the definitions count from. */
const bases: Readonly<Record<string, number>> = { __X32_SYSCALL_BIT: 0x40000000, __NR_SYSCALL_BASE: 0, __ARM_NR_BASE: 0xf0000 };

/** `#define __NR_name 1`, `#define __NR_name (BASE + 1)`, `#define __ARM_NR_name (BASE + 1)` */
function numbersIn(file: string): [name: string, number: number][] {
  const definitions = readFileSync(file, 'utf8').matchAll(/^#define __(?:ARM_)?NR_(\w+)\s+(?:\((\w+)\s*\+\s*)?(\d+)\)?\s*$/gm);
  return [...definitions].map(([, name = '', base, number]) => [name, Number(number) + (base === undefined ? 0 : (bases[base] ?? Number.NaN))]);
}

for (const [abi, files = []] of Object.entries(headers) as [SyscallAbi, string[]][]) {
  it(`of ${abi} are those of the headers`, ({ skip }) => {
    const absent = files.find((file) => !existsSync(file));
    skip(absent !== undefined, `${absent} is not installed`);
    const theirs = new Map(files.flatMap(numbersIn).filter(([name]) => name !== 'SYSCALL_BASE'));
    expect(theirs.size).toBeGreaterThan(300);
    const ours = syscallNumbers(abi);
    expect([...theirs].filter(([name, number]) => ours.get(name) !== number)).toEqual([]);
    // The headers may be older than the table: what they lack is newer than what they have.
    const last = Math.max(...[...theirs.values()].filter((number) => (number & 0xfffff) < 500));
    const lacking = [...ours].filter(([name, number]) => !theirs.has(name) && number <= last);
    expect(lacking.map(([name]) => name).filter((name) => !lateInGaps.has(name))).toEqual([]);
  });
}

/** Calls that were given the number of a gap, of kernel 6.11 and 6.18. */
const lateInGaps = new Set(['uretprobe', 'uprobe']);

it('the same name has one number', () => {
  for (const abi of ['x64', 'x32', 'i386', 'arm64', 'arm'] as const) {
    const numbers = [...syscallNumbers(abi).values()];
    expect(new Set(numbers).size).toBe(numbers.length);
  }
});
