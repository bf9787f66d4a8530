import { personalities, type Step } from '@ctr/syscall';

import { checkWord } from './check.js';

const domains = { LINUX: personalities.PER_LINUX, LINUX32: personalities.PER_LINUX32 } as const;

/**
 * The execution domain: LINUX32 has uname(2) name the 32-bit machine, for programs that ask it what they run on. What is executed inherits it.
 * Flags that the caller has set, such as no address space layout randomization, are cleared.
 *
 * The step fails with EINVAL for LINUX32 on an arm64 machine that cannot run 32-bit programs. Throws a `RangeError` for a domain that is none.
 *
 * @see personality(2)
 * @example
 * ```ts
 * import { personality } from '@ctr/security';
 * const steps = personality('LINUX32');
 * ```
 */
export function personality(domain: 'LINUX' | 'LINUX32'): Step[] {
  checkWord('there is no personality', domain, domains);
  const hints = { EINVAL: 'this machine cannot run 32-bit programs' };
  return [{ call: 'personality', args: [domains[domain]], purpose: `the execution domain ${domain}`, hints }];
}
