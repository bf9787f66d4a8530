import { control, flatten, giveTerminal, program, type Section } from '@ctr/runtime/assembly';
import { announceExec, AT_FDCWD, openFlags, resultOf, type Fd, type Plan, type Step } from '@ctr/syscall';

import { consoleOf } from './console.js';
import { enter, type EnterParts } from './enter.js';
import { checkFilter, loadEarly, loadLate, maySayWhy } from './filter.js';
import { findProgram, pathOf } from './find-program.js';
import { closeOthers, keepOpen, passOn } from './gate-steps.js';
import { filterOf, rights } from './rights.js';
import { startIn } from './start-in.js';
import { giveStreams, type Streams } from './streams.js';

/** What a further process of a container is made of. */
export interface ExecParts extends EnterParts {
  readonly passed: readonly Fd[];
  readonly environment: readonly string[];
  readonly streams: Streams;
  /** Whether the terminal shows a line feed as it is, and not as CR LF. */
  readonly plainLineFeeds: boolean;
}

/** The whole order of things, from the caller's process to the program. */
export function planExec(parts: ExecParts): Plan {
  const { config, process, passed, environment } = parts;
  const filter = filterOf(config.linux?.seccomp, process);
  const entered = enter(parts);
  const uid = process.user?.uid ?? 0;
  const root: Step = {
    call: 'openat',
    args: [AT_FDCWD, '/', openFlags.O_PATH | openFlags.O_DIRECTORY | openFlags.O_CLOEXEC, 0],
    purpose: "the container's root",
    as: 'root',
  };
  const console = process.terminal ? consoleOf(resultOf(root), process.consoleSize, { mount: false, plainLineFeeds: parts.plainLineFeeds }) : undefined;
  const [name = '', ...args] = process.args ?? [];
  const path = pathOf(environment);
  const sections: Section[] = [
    ['the files that stay', keepOpen(passed)],
    ...entered.sections,
    ['the terminal', console ? [root, ...console.steps] : []],
    ['the directory to start in', startIn(process.cwd, undefined)],
    ['the standard streams', console ? giveTerminal(console.slave, uid) : giveStreams(uid, parts.streams)],
    ['the session', [{ call: 'setsid', args: [], purpose: 'a session of its own', tolerates: ['EPERM'] }, ...(console ? control(console.slave) : [])]],
    ...rights(process, entered.options, filter !== undefined),
    ['the files that are closed', closeOthers(passed.length)],
    ['the program', findProgram(name, path)],
    ['the filter of system calls, by which somebody is asked', loadEarly(filter)],
    [
      'the program',
      [
        announceExec(),
        ...passOn(passed, [...loadLate(filter), ...program({ command: [name, ...args], env: environment, path }, { saysWhy: maySayWhy(filter) })]),
      ],
    ],
  ];
  const plan = flatten(sections);
  checkFilter(filter, plan);
  return plan;
}
