import { flatten } from '@ctr/runtime/assembly';
import { dieWithHost, type Plan } from '@ctr/syscall';

import { enter, type EnterParts } from './enter.js';
import { loadEarly, loadLate } from './filter.js';
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
  return flatten([
    ...entered.sections,
    ['the directory to start in', startIn(process.cwd, undefined)],
    ['the session', [{ call: 'setsid', args: [], purpose: 'a session of its own' }]],
    ...rights(process, entered.options, filter !== undefined),
    // A process that changes who it is loses its tie to the host, and a filter may refuse what makes one.
    ['the tie to the host', dieWithHost()],
    ['the files that are closed', closeOthers(0)],
    ['the filter of system calls', [...loadEarly(filter), ...loadLate(filter)]],
  ]);
}
