import { exitCodeOf } from '@ctr/runtime';
import { errnoText, isSyscallError, type SyscallError, printable } from '@ctr/syscall';

import { isDebugging } from './debug.js';
import { printError } from './print.js';
import { tell } from './tell.js';

/** A quoted value of more characters than this is cut. */
const MAX_QUOTED = 80;

/** Tells an error that is not one of the command line, and returns the exit code that it means. */
export function reportFailure(error: unknown): number {
  tell(isSyscallError(error) ? failureLines(error) : messageLines(error));
  if (isDebugging()) printError(`${details(error)}\n`);
  return exitCodeOf(error);
}

function failureLines(error: SyscallError): string[] {
  const { call, line, code, errno, step, purpose, hint } = error;
  // A step that only fails says why in its purpose.
  const first = call === 'add' && purpose !== undefined ? purpose : `${line} = ${code} (${errnoText(errno)})`;
  const where =
    step === undefined || call === 'add'
      ? undefined
      : `step ${step + 1} of ${error.plan?.split('\n').length ?? '?'}${purpose === undefined ? '' : `: ${purpose}`}`;
  return [first, ...(where === undefined ? [] : [where]), ...(hint === undefined ? [] : [`hint: ${hint}`])];
}

function messageLines(error: unknown): string[] {
  const message = error instanceof Error ? error.message : String(error);
  const cut = message.replaceAll(/"((?:[^"\\]|\\.)+)"/g, (whole, text: string) => (text.length > MAX_QUOTED ? `"${text.slice(0, MAX_QUOTED)}…"` : whole));
  return cut.split('\n');
}

/** The plan with an arrow at the step, and where in ctr it happened. */
function details(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const plan = isSyscallError(error) ? error.plan : undefined;
  const stack = error.stack?.split('\n').filter((line) => line.startsWith('    at ')) ?? [];
  return [...(plan === undefined ? [] : [plan]), ...stack].map((line) => line.split('\n').map(printable).join('\n')).join('\n');
}
