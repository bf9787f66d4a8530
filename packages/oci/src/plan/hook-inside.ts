import { flatten } from '@ctr/runtime/assembly';
import { dieWithHost, type Plan } from '@ctr/syscall';

import { enter, type EnterParts } from './enter.js';
import { isLate, loadFilter } from './filter.js';
import { closeOthers } from './gate-steps.js';
import { filterOf, rights } from './rights.js';
import { startIn } from './start-in.js';

/**
 * The steps that lead to a hook which is a program of the container: it may no more than the container's own program, since the image says what it is.
 *
 * @see runHooks
 */
export function wayToHookInside(parts: Omit<EnterParts, 'below'>): Plan {
  const { config, process } = parts;
  const filter = filterOf(config.linux?.seccomp, process);
  const entered = enter({ ...parts, below: '' });
  const load = loadFilter(filter);
  const late = isLate(filter, process) ? load : [];
  const early = late.length > 0 ? [] : load;
  // A process that changes who it is loses its tie to the host, and a filter may refuse what makes one.
  const nnp = process.noNewPrivileges ?? false;
  return flatten([
    ...entered.sections,
    ['the directory to start in', startIn(process.cwd, undefined)],
    ['the session', [{ call: 'setsid', args: [], purpose: 'a session of its own' }]],
    ...rights(process, entered.options, nnp ? [...dieWithHost(), ...early] : early, true),
    ['the tie to the host', nnp ? [] : dieWithHost()],
    ['the files that are closed', closeOthers(0)],
    ['the filter of system calls', late],
  ]);
}
