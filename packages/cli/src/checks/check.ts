import { errnoText, isSyscallError, launch, type Plan, type SyscallError } from '@ctr/syscall';

/** What was found about one thing that containers may need. */
export interface Finding {
  readonly what: string;
  readonly ok: boolean;
  /** Whether `ctr run`, as it is without options, needs it. */
  readonly needed: boolean;
  /** In a few words: a version, a place, an error. */
  readonly found: string;
  /** What to do about it, if it is not there. */
  readonly advice?: string;
}

/** Findings that belong together. */
export interface Section {
  readonly title: string;
  readonly findings: readonly Finding[];
}

/** Whether this process is root of its user namespace: `ctr run` goes about it in another way then. */
export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/** Takes steps in a fresh process, which they end, and returns the error they met, if any. */
export async function attempt(plan: Plan): Promise<SyscallError | undefined> {
  try {
    const child = await launch([...plan, { call: 'exit_group', args: [0], purpose: 'it works' }], { stdio: ['ignore', 'ignore', 'ignore'] });
    await child.exited;
    return undefined;
  } catch (error) {
    if (isSyscallError(error)) return error;
    throw error;
  }
}

/** What came of an {@link attempt}, with what is known of the error in general where the check has no better advice. */
export function tried(what: string, needed: boolean, error: SyscallError | undefined, works: string, advice?: string): Finding {
  if (!error) return { what, ok: true, needed, found: works };
  const help = advice ?? error.hint;
  return { what, ok: false, needed, found: `${error.call}: ${error.code} (${errnoText(error.errno)})`, ...(help !== undefined && { advice: help }) };
}
