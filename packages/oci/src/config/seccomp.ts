import type { SeccompAction, SeccompArchitecture, SeccompOperator, SeccompProfileFlag } from '@ctr/security';

import type { Report } from '../schema/problem.js';
import { atMost, integer, list, object, required, since, text, uint32, uint64, word, type Schema } from '../schema/schema.js';
import { notEmpty, path } from '../schema/texts.js';

/** Which system calls the program may make. It is a profile of `seccomp` of `@ctr/security`, too. */
export interface LinuxSeccomp {
  /** For a call that no rule is about. */
  readonly defaultAction: SeccompAction;
  /** Of `SCMP_ACT_ERRNO` and `SCMP_ACT_TRACE`. 1.1 @default 1, which is EPERM */
  readonly defaultErrnoRet?: number;
  /** The kinds of programs that the rules are for, besides the machine's own. */
  readonly architectures?: readonly SeccompArchitecture[];
  readonly flags?: readonly SeccompProfileFlag[];
  /** The socket that the listener is sent to, if an action is `SCMP_ACT_NOTIFY`. 1.1 */
  readonly listenerPath?: string;
  /** What is sent with it. */
  readonly listenerMetadata?: string;
  readonly syscalls?: readonly LinuxSyscall[];
}

/** What is done with some calls. */
export interface LinuxSyscall {
  /** The calls, at least one. A name that is not known is passed over. */
  readonly names: readonly string[];
  readonly action: SeccompAction;
  /** Of `SCMP_ACT_ERRNO` and `SCMP_ACT_TRACE`. @default 1, which is EPERM */
  readonly errnoRet?: number;
  /** Conditions on the arguments. */
  readonly args?: readonly LinuxSeccompArg[];
}

/** A condition on an argument of a call. */
export interface LinuxSeccompArg {
  /** From 0 to 5. */
  readonly index: number;
  readonly value: number | bigint;
  /** With `SCMP_CMP_MASKED_EQ`: what the bits of `value` have to be. */
  readonly valueTwo?: number | bigint;
  readonly op: SeccompOperator;
}

export const seccompActions = [
  'SCMP_ACT_KILL',
  'SCMP_ACT_KILL_PROCESS',
  'SCMP_ACT_KILL_THREAD',
  'SCMP_ACT_TRAP',
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_TRACE',
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_LOG',
  'SCMP_ACT_NOTIFY',
] as const satisfies readonly SeccompAction[];

export const seccompArchitectures = (
  'X86 X86_64 X32 ARM AARCH64 LOONGARCH64 M68K MIPS MIPS64 MIPS64N32 MIPSEL MIPSEL64 MIPSEL64N32 ' +
  'PPC PPC64 PPC64LE S390 S390X SH SHEB PARISC PARISC64 RISCV64'
)
  .split(' ')
  .map((name) => `SCMP_ARCH_${name}`) as SeccompArchitecture[];

export const seccompOperators = [
  'SCMP_CMP_NE',
  'SCMP_CMP_LT',
  'SCMP_CMP_LE',
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_MASKED_EQ',
] as const satisfies readonly SeccompOperator[];

export const seccompFlags = [
  'SECCOMP_FILTER_FLAG_TSYNC',
  'SECCOMP_FILTER_FLAG_LOG',
  'SECCOMP_FILTER_FLAG_SPEC_ALLOW',
  'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV',
] as const satisfies readonly SeccompProfileFlag[];

/** linux/err.h: MAX_ERRNO; linux/seccomp.h: SECCOMP_RET_DATA */
const largest: Partial<Record<SeccompAction, number>> = { SCMP_ACT_ERRNO: 4095, SCMP_ACT_TRACE: 65_535 };

function checkErrno(field: string, value: number | undefined, action: SeccompAction, report: Report): void {
  if (value === undefined) return;
  const most = largest[action];
  if (most === undefined) report.error(field, value, `nothing with ${action}: only SCMP_ACT_ERRNO and SCMP_ACT_TRACE have one`);
  else if (value > most) report.error(field, value, `at most ${most} with ${action}`);
}

const argument = object<LinuxSeccompArg>({
  index: required(integer(0, 5)),
  value: required(uint64()),
  valueTwo: uint64(),
  op: required(word(seccompOperators)),
});

const rule = object<LinuxSyscall>(
  {
    names: required(list(text('the name of a call', notEmpty))),
    action: required(word(seccompActions)),
    errnoRet: since('1.1', uint32()),
    args: list(argument),
  },
  (value, report) => {
    if (value.names.length === 0) report.error('names', value.names, 'the name of a call, at least one');
    checkErrno('errnoRet', value.errnoRet, value.action, report);
  },
);

export const seccomp: Schema<LinuxSeccomp> = object<LinuxSeccomp>(
  {
    defaultAction: required(word(seccompActions)),
    defaultErrnoRet: since('1.1', uint32()),
    architectures: list(word(seccompArchitectures)),
    flags: since('1.0.2', list(word(seccompFlags))),
    listenerPath: since(
      '1.1',
      text('a path', (given) => (given === '' ? undefined : path(given))),
    ),
    listenerMetadata: since('1.1', text()),
    syscalls: atMost(4096, list(rule)),
  },
  (value, report) => {
    checkErrno('defaultErrnoRet', value.defaultErrnoRet, value.defaultAction, report);
    const { listenerPath = '', listenerMetadata = '', syscalls = [], flags = [] } = value;
    const notifies = value.defaultAction === 'SCMP_ACT_NOTIFY' || syscalls.some(({ action }) => action === 'SCMP_ACT_NOTIFY');
    if (listenerPath === '' && listenerMetadata !== '') report.error('listenerMetadata', listenerMetadata, 'nothing without a listenerPath');
    if (listenerPath === '' && notifies) report.error('listenerPath', undefined, 'the path of a socket, as an action is SCMP_ACT_NOTIFY');
    if (value.defaultAction === 'SCMP_ACT_NOTIFY')
      report.error('defaultAction', value.defaultAction, 'another action: the calls that hand the listener over would wait for it');
    if (flags.includes('SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV') && !notifies)
      report.warning('flags', 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV', 'of no effect without an action SCMP_ACT_NOTIFY');
  },
);
