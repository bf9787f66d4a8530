import { Memory, type Step } from '@ctr/syscall';

import { checkInteger } from './check.js';

/** CONFIG_NR_CPUS is at most this. */
const MOST_CPUS = 8192;
const WORD_BITS = 64;

/**
 * All processors that the cpuset of the process allows, whatever its caller is restricted to. Before anything else asks for fewer.
 *
 * The mask is as long as that of the largest machine Linux runs on: the kernel leaves out what is not there.
 *
 * @see sched_setaffinity(2), cpuset(7)
 * @example
 * ```ts
 * import { allProcessors } from '@ctr/security';
 * const steps = allProcessors();
 * ```
 */
export function allProcessors(): Step[] {
  const memory = new Memory(new Uint8Array(MOST_CPUS / 8).fill(0xff), 'cpus');
  // As runc: a filter around this process, or a cpuset that is changed meanwhile, is no reason not to run.
  return [{ call: 'sched_setaffinity', args: [0, memory.byteLength, memory], purpose: 'run on all processors of the cpuset', tolerates: 'any' }];
}

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
