import { exitCodeOf } from '@ctr/runtime';
import { errnoText, isSyscallError, type SyscallError } from '@ctr/syscall';

import { isDebugging } from './debug.js';
import { printError, styled } from './print.js';
import { printable } from './text.js';
import { UsageError } from './usage-error.js';

/** A quoted value of more characters than this is cut. */
const MAX_QUOTED = 80;

/** Tells an error on stderr, and returns the exit code that it means. */
export function report(error: unknown): number {
  const lines = isSyscallError(error) ? failureLines(error) : messageLines(error);
  printError(`${styled('red', 'ctr:')} ${lines.map((line) => printable(line)).join('\n  ')}\n`);
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
  // What was given on the command line is shown as it should be already.
  if (error instanceof UsageError) return [message];
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
