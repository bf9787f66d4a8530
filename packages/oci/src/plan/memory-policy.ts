import { Memory, type Step } from '@ctr/syscall';

import type { LinuxMemoryPolicy } from '../config/memory-policy.js';
import { LAST_CPU } from '../schema/texts.js';

/** linux/mempolicy.h */
const modes: Readonly<Record<LinuxMemoryPolicy['mode'], number>> = {
  MPOL_DEFAULT: 0,
  MPOL_PREFERRED: 1,
  MPOL_BIND: 2,
  MPOL_INTERLEAVE: 3,
  MPOL_LOCAL: 4,
  MPOL_PREFERRED_MANY: 5,
  MPOL_WEIGHTED_INTERLEAVE: 6,
};
const modeFlags = { MPOL_F_STATIC_NODES: 0x8000, MPOL_F_RELATIVE_NODES: 0x4000, MPOL_F_NUMA_BALANCING: 0x2000 } as const;
const WORD_BITS = 64;

/** From which memory nodes the program gets its memory, which what is executed inherits. @see set_mempolicy(2) */
export function memoryPolicy({ mode, nodes = '', flags = [] }: LinuxMemoryPolicy): Step[] {
  const numbers = numbersOf(nodes);
  const words = new BigUint64Array(Math.floor(Math.max(0, ...numbers) / WORD_BITS) + 1);
  for (const node of numbers) {
    const word = Math.floor(node / WORD_BITS);
    words[word] = (words[word] ?? 0n) | (1n << BigInt(node % WORD_BITS));
  }
  const value = flags.reduce((sum, flag) => sum | modeFlags[flag], modes[mode]);
  const mask = numbers.length > 0 ? new Memory(Buffer.from(words.buffer), 'nodes') : null;
  return [
    {
      call: 'set_mempolicy',
      // The kernel leaves the last bit out.
      args: [value, mask, numbers.length > 0 ? words.length * WORD_BITS + 1 : 0],
      purpose: `memory by ${mode}`,
      hints: {
        EINVAL: 'a node is not there, or not in the cpuset of the container, or this kernel does not know the mode',
        ENOSYS: 'this kernel knows no memory nodes',
      },
    },
  ];
}

/** The numbers of a list such as `0-3,7`, which has been checked: each once, in order. */
export function numbersOf(list: string): number[] {
  // A range that stands there often is filled as often, and takes no more memory.
  const named = new Uint8Array(LAST_CPU + 1);
  for (const part of list.split(',').filter((text) => text.trim() !== '')) {
    const [first = 0, last = first] = part.split('-').map(Number);
    named.fill(1, first, last + 1);
  }
  return [...named.keys()].filter((number) => named[number] === 1);
}
