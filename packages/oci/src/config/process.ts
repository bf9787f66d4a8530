import { boolean, integer, object, required, since, text, type Schema } from '../schema/schema.js';
import { absolutePath, oneLine } from '../schema/texts.js';
import { argumentList } from './argument-list.js';
import { capabilities, type LinuxCapabilities } from './capabilities.js';
import { execCpuAffinity, type CpuAffinity } from './exec-cpu-affinity.js';
import { ioPriority, type LinuxIoPriority } from './io-priority.js';
import { rlimits, type PosixRlimit } from './rlimits.js';
import { scheduler, type Scheduler } from './scheduler.js';
import { user, type User } from './user.js';

/** The program that a container runs, and what it may do. */
export interface Process {
  /** Give it a terminal of its own. @default false */
  readonly terminal?: boolean;
  /** The size of the terminal; of no effect without one. */
  readonly consoleSize?: ConsoleSize;
  /** An absolute path in the container. */
  readonly cwd: string;
  /** `NAME=value`, each. */
  readonly env?: readonly string[];
  /** The program, looked for as execvp(3) does, and its arguments. */
  readonly args?: readonly string[];
  /** Of Windows only. */
  readonly commandLine?: string;
  /** @default root of the container */
  readonly user?: User;
  readonly capabilities?: LinuxCapabilities;
  readonly rlimits?: readonly PosixRlimit[];
  /** @default false */
  readonly noNewPrivileges?: boolean;
  readonly apparmorProfile?: string;
  readonly selinuxLabel?: string;
  /** From -1000 to 1000. @default as it is */
  readonly oomScoreAdj?: number;
  /** 1.1 */
  readonly scheduler?: Scheduler;
  /** 1.1 */
  readonly ioPriority?: LinuxIoPriority;
  /** Of processes that come later, by `exec`. 1.2.1 */
  readonly execCPUAffinity?: CpuAffinity;
}

/** The size of a terminal, in characters. */
export interface ConsoleSize {
  readonly height: number;
  readonly width: number;
}

/** asm-generic/termios.h: struct winsize has 16 bits for each */
const LARGEST_SIZE = 65_535;

export const process: Schema<Process> = object<Process>(
  {
    terminal: boolean(),
    consoleSize: object<ConsoleSize>({ height: required(integer(0, LARGEST_SIZE)), width: required(integer(0, LARGEST_SIZE)) }),
    cwd: required(text('an absolute path', absolutePath)),
    env: argumentList,
    args: argumentList,
    commandLine: text(),
    user,
    capabilities,
    rlimits,
    noNewPrivileges: boolean(),
    apparmorProfile: text('the name of a profile', oneLine),
    selinuxLabel: text('a label', oneLine),
    oomScoreAdj: integer(-1000, 1000),
    scheduler: since('1.1', scheduler),
    ioPriority: since('1.1', ioPriority),
    execCPUAffinity: since('1.2.1', execCpuAffinity),
  },
  (value, report) => {
    if (value.args === undefined || value.args.length === 0) report.error('args', value.args, 'the program has to be there: an array of at least one');
    else if (value.args[0] === '') report.error('args[0]', '', 'the program: a string, which is not empty');
    for (const [index, entry] of (value.env ?? []).entries())
      if (entry.indexOf('=') < 1) report.warning(`env[${index}]`, entry, 'NAME=value: programs may not find it otherwise');
    if (value.consoleSize !== undefined && value.terminal !== true) report.warning('consoleSize', value.consoleSize, 'of no effect without a terminal');
    if (value.commandLine !== undefined) report.warning('commandLine', value.commandLine, 'of no effect on Linux: see args');
  },
);
