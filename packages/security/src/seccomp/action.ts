/** What is done with a call, by the names of the OCI runtime-spec: linux/seccomp.h, SECCOMP_RET_…; `SCMP_ACT_KILL` is an old name of `SCMP_ACT_KILL_THREAD`. */
export type SeccompAction = keyof typeof actionValues;

/** linux/seccomp.h: the upper half of what a filter returns, as a number without sign */
export const actionValues = {
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_KILL_THREAD: 0x00000000,
  SCMP_ACT_KILL: 0x00000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_NOTIFY: 0x7fc00000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
} as const;

/** The largest number that the lower half of what a filter returns may have, for the actions that give it a meaning; linux/err.h, MAX_ERRNO. */
export const largestData: Partial<Record<SeccompAction, number>> = { SCMP_ACT_ERRNO: 4095, SCMP_ACT_TRACE: 0xffff };

/** What a filter returns for a call. */
export interface SeccompVerdict {
  readonly action: Exclude<SeccompAction, 'SCMP_ACT_KILL'>;
  /** The errno of `SCMP_ACT_ERRNO`, the message to the tracer of `SCMP_ACT_TRACE`. */
  readonly data: number;
}

/** Reads what a filter returned as the kernel does, which takes an action that it does not know for SCMP_ACT_KILL_PROCESS. */
export function verdictOf(value: number): SeccompVerdict {
  const upper = actionOf(value);
  for (const [action, known] of Object.entries(actionValues)) if (known === upper) return { action: action as SeccompVerdict['action'], data: value & 0xffff };
  return { action: 'SCMP_ACT_KILL_PROCESS', data: value & 0xffff };
}

/** What a filter returned, without the number in its lower half. */
export function actionOf(value: number): number {
  return (value & 0xffff0000) >>> 0;
}

/** Whether a call is made in spite of a filter. */
export function letsThrough(value: number): boolean {
  const action = actionOf(value);
  return action === actionValues.SCMP_ACT_ALLOW || action === actionValues.SCMP_ACT_LOG;
}

/** Whether one action gives more freedom than another. The kernel orders them by their values with sign: of several filters, the least counts. */
export function isLooser(value: number, than: number): boolean {
  return (value | 0) >> 16 > (than | 0) >> 16;
}
