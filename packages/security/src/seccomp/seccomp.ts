import { checkOptions, Memory, seccompFilterFlags, seccompOperations, struct, type Step } from '@ctr/syscall';

import { checkWord } from '../check.js';
import { compileFilter, compileOptionNames, type CompileFilterOptions, type SeccompFilter } from './compile-filter.js';
import type { SeccompProfile } from './profile.js';

/** A flag of seccomp(2), by the kernel's name. */
export type SeccompFlag = keyof typeof seccompFilterFlags;

/** How a filter is loaded. Of a profile it says how it is compiled, too; a filter is compiled already. */
export interface SeccompOptions extends CompileFilterOptions {
  /**
   * Flags besides those of the profile. `SECCOMP_FILTER_FLAG_NEW_LISTENER` comes by itself if the filter asks a supervisor;
   * with `SECCOMP_FILTER_FLAG_TSYNC`, `SECCOMP_FILTER_FLAG_TSYNC_ESRCH` does, so that it fails where a thread could not be brought along.
   */
  readonly flags?: readonly SeccompFlag[];
}

/** linux/filter.h, struct sock_fprog */
const sockFprog = struct('sock_fprog', { len: { type: 'u16' }, filter: { type: 'pointer' } });

/**
 * From here on, the process and all that comes of it can make only the calls that a filter allows. There is no way back; filters add up, and the strictest counts.
 * Without CAP_SYS_ADMIN it needs {@link noNewPrivs} before it. What comes after it in a plan has to be allowed itself, execve(2) at least: see {@link firstRefused}.
 *
 * If the filter asks a supervisor, the result of the step is the listener, a file: hand it over by `handOver` of @ctr/syscall.
 *
 * The step fails with EACCES (neither no_new_privs nor CAP_SYS_ADMIN), EINVAL (a flag that the kernel does not know), ENOMEM (the filters of the process
 * are too long together), EBUSY (there is a listener already), ESRCH (a thread could not be brought along).
 * Throws as {@link compileFilter} does, and a `TypeError` for flags that exclude each other.
 *
 * @see seccomp(2): SECCOMP_SET_MODE_FILTER
 * @example
 * ```ts
 * import { defaultProfile, noNewPrivs, seccomp } from '@ctr/security';
 * import { launch } from '@ctr/syscall';
 * const child = await launch([
 *   ...noNewPrivs(),
 *   ...seccomp(defaultProfile),
 *   { call: 'execve', args: ['/bin/sh', ['sh', '-c', 'unshare -U true 2>/dev/null || echo denied'], ['PATH=/bin:/usr/bin']], purpose: 'the program' },
 * ]);
 * await child.exited;
 * ```
 */
export function seccomp(profile: SeccompProfile | SeccompFilter, options: SeccompOptions = {}): Step[] {
  const isFilter = 'instructions' in profile;
  checkOptions('seccomp', options, isFilter ? ['flags'] : ['flags', ...compileOptionNames]);
  const { flags = [], ...rest } = options;
  for (const flag of flags) checkWord('flags', flag, seccompFilterFlags);
  const filter = isFilter ? profile : compileFilter(profile, rest);
  return [
    {
      call: 'seccomp',
      args: [
        seccompOperations.SECCOMP_SET_MODE_FILTER,
        allFlags(filter, flags),
        sockFprog({ len: filter.count, filter: new Memory(filter.instructions, 'filter').at(0) }),
      ],
      purpose: `the filter: ${filter.summary} (${filter.count} instructions)`,
      ...(filter.notifies && { as: 'listener' }),
      hints,
    },
  ];
}

function allFlags(filter: SeccompFilter, more: readonly SeccompFlag[]): number {
  const flags = new Set<SeccompFlag>([...filter.flags, ...more]);
  if (filter.notifies) flags.add('SECCOMP_FILTER_FLAG_NEW_LISTENER');
  if (flags.has('SECCOMP_FILTER_FLAG_TSYNC')) flags.add('SECCOMP_FILTER_FLAG_TSYNC_ESRCH');
  else if (flags.has('SECCOMP_FILTER_FLAG_TSYNC_ESRCH'))
    throw new TypeError('SECCOMP_FILTER_FLAG_TSYNC_ESRCH has no meaning without SECCOMP_FILTER_FLAG_TSYNC');
  if (!flags.has('SECCOMP_FILTER_FLAG_NEW_LISTENER')) {
    if (more.includes('SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'))
      throw new TypeError('SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV is about a listener: it needs SCMP_ACT_NOTIFY, or SECCOMP_FILTER_FLAG_NEW_LISTENER');
    // In a profile it stands for the case that there is a listener: that is how other runtimes take it.
    flags.delete('SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV');
  }
  let bits = 0;
  for (const flag of flags) bits |= seccompFilterFlags[flag];
  return bits;
}

const hints: NonNullable<Step['hints']> = {
  EACCES: 'a process without CAP_SYS_ADMIN in its user namespace loads a filter only after no_new_privs: noNewPrivs() comes before it',
  EINVAL: 'the kernel does not know one of the flags (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: 5.19), or has been built without seccomp filters',
  ENOMEM: 'the filters that a process has add up: together they can have 32768 instructions',
  EBUSY: 'a process has one listener at most, and a filter that was loaded before has it',
  ESRCH: 'another thread of the process has a filter of its own, so that it cannot be brought along',
};
