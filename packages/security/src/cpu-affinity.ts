import { Memory, type Step } from '@ctr/syscall';

import { checkInteger } from './check.js';

/** CONFIG_NR_CPUS is at most this. */
const MOST_CPUS = 8192;
const WORD_BITS = 64;

/**
 * The processors that the process may run on, which what is executed inherits. Those that are not there, or that its cpuset does not allow, do not count.
 *
 * The step fails with EINVAL if none is left. Throws a `RangeError` for a number that is none, a `TypeError` for an empty list.
 *
 * @see sched_setaffinity(2)
 * @example
 * ```ts
 * import { cpuAffinity } from '@ctr/security';
 * const steps = cpuAffinity([0, 1]);
 * ```
 */
export function cpuAffinity(cpus: readonly number[]): Step[] {
  if (cpus.length === 0) throw new TypeError('cpuAffinity: there is no processor in the list');
  for (const cpu of cpus) checkInteger('the number of a processor', cpu, 0, MOST_CPUS - 1);
  const mask = new BigUint64Array(Math.floor(Math.max(...cpus) / WORD_BITS) + 1);
  for (const cpu of cpus) {
    const word = Math.floor(cpu / WORD_BITS);
    mask[word] = (mask[word] ?? 0n) | (1n << BigInt(cpu % WORD_BITS));
  }
  const memory = new Memory(Buffer.from(mask.buffer), 'cpus');
  return [
    {
      call: 'sched_setaffinity',
      args: [0, memory.byteLength, memory],
      purpose: `run on ${cpus.length === 1 ? 'processor' : 'the processors'} ${cpus.join(', ')}`,
      hints: { EINVAL: 'none of these processors is there, online, and in the cpuset of the process: see Cpus_allowed_list in /proc/self/status' },
    },
  ];
}
