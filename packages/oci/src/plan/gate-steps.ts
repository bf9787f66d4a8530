import { announceExec, failure, fcntlCommands, label, Memory, openFlags, resultOf, type Fd, type Step } from '@ctr/syscall';

/** The fd on which a plan reports to whom it is to tell of a failure. */
const REPORT_FD = 3;
const LAST_FD = 0xffffffff;
/** Those of the gate stand before all others. */
export const GATE_FILES = 2;
/** As a plan ends that has reported a failure. */
const FAILED_STATUS = 125;

/**
 * The first steps of a plan: the files of the host that stay open until the end come first, one behind the other from fd 4 on.
 *
 * @see launch of @ctr/syscall: files get their numbers in the order in which steps name them
 */
export function keepOpen(files: readonly Fd[]): Step[] {
  return files.map((file) => ({ call: 'fcntl', args: [file, fcntlCommands.F_GETFD, 0], purpose: `${file.path ?? 'a file'} is there` }));
}

/**
 * Closes what the set-up has opened, but for the first files of {@link keepOpen}, which execve(2) closes as all that `launch` passes on. A link of the image to `/proc/self/fd` could lead to the
 * host otherwise. It comes before a filter of system calls, which may refuse it.
 */
export function closeOthers(kept: number): Step[] {
  return [{ call: 'close_range', args: [REPORT_FD + 1 + kept, LAST_FD, 0], purpose: 'nothing that the set-up opened is open any more' }];
}

/**
 * The plan stops until somebody writes a byte: what lies between `create` and `start`. Whoever has launched it is told that all is done, and need not stay:
 * a failure from here on is reported to the second file.
 */
export function waitAtGate({ go, report }: { readonly go: Fd; readonly report: Fd }): Step[] {
  const byte = new Memory(8, 'go');
  const goOn = label('it is started');
  const wait: Step = { call: 'read', args: [go, byte, 1], purpose: 'wait to be started', tolerates: ['EINTR'], jump: { when: '==', than: 1, to: goOn } };
  return [
    announceExec(),
    { call: 'dup3', args: [report, REPORT_FD, openFlags.O_CLOEXEC], purpose: 'who starts it is told of what fails from here on' },
    wait,
    { call: 'add', args: [0, 0], purpose: 'a signal came in between', jump: { when: '==', to: wait } },
    goOn,
  ];
}

/**
 * The program gets these files as its fd 3 and on, where the reports go until then. What fails behind this is reported elsewhere: the last steps are changed to do so.
 */
export function passOn(files: readonly Fd[], then: readonly Step[]): Step[] {
  if (files.length === 0) return [...then];
  const first = REPORT_FD + 1 + GATE_FILES + files.length;
  const elsewhere: Step = {
    call: 'fcntl',
    args: [REPORT_FD, fcntlCommands.F_DUPFD_CLOEXEC, first],
    purpose: 'reports go elsewhere from here on',
    as: 'report',
  };
  const tell: Step = { call: 'write', args: [resultOf(elsewhere), failure, 8], purpose: 'tell of the failure' };
  // In place, since steps jump to one another.
  for (const step of then as readonly { onFailure?: Step }[]) step.onFailure ??= tell;
  return [
    elsewhere,
    ...files.map((file, i): Step => ({ call: 'dup3', args: [file, REPORT_FD + i, 0], purpose: `the program has it as ${REPORT_FD + i}`, onFailure: tell })),
    ...then,
    tell,
    { call: 'exit_group', args: [FAILED_STATUS], purpose: 'there is no program' },
  ];
}
