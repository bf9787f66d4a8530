import { checkOptions, type Step } from '@ctr/syscall';

import { checkInteger } from './check.js';
import { openHostProc, writeOwnFile, type Proc } from './proc.js';

/** Where a process finds its files of proc. */
export interface OomScoreAdjOptions {
  /** @default the one at /proc: right before the root changes */
  readonly proc?: Proc;
}

/**
 * How soon the process is killed when memory runs out: -1000 (never) to 1000 (first). What is executed inherits it.
 *
 * The steps fail with EACCES for less than what the process has been started with, without CAP_SYS_RESOURCE (in the first user namespace).
 * Throws a `RangeError` for what is not an integer from -1000 to 1000.
 *
 * @see proc_pid_oom_score_adj(5)
 * @example
 * ```ts
 * import { oomScoreAdj } from '@ctr/security';
 * const steps = oomScoreAdj(500);
 * ```
 */
export function oomScoreAdj(score: number, options: OomScoreAdjOptions = {}): Step[] {
  checkOptions('oomScoreAdj', options, ['proc']);
  checkInteger('oomScoreAdj', score, -1000, 1000);
  const write = (proc: Proc): Step[] =>
    writeOwnFile(proc, 'oom_score_adj', String(score), `set the OOM score adjustment to ${score}`, {
      EACCES: 'less than it has been started with needs CAP_SYS_RESOURCE, and a process that has become another user cannot open the file',
    });
  if (options.proc) return write(options.proc);
  const { steps, proc } = openHostProc();
  return [...steps, ...write(proc), { call: 'close', args: [proc], purpose: 'proc is not needed any more' }];
}
