import { writeText } from '@ctr/runtime/executable';
import { printableLines } from '@ctr/syscall';

/** 128 + SIGPIPE: what ends a program whose reader is gone. */
const BROKEN_PIPE = 141;

/** Writes to stdout, without what a configuration or a container could move the cursor of a terminal by, and ends where nobody reads it. Returns the exit code of a command that has no more to do. */
export function print(text: string): number {
  if (!writeText(1, printableLines(text))) process.exit(BROKEN_PIPE);
  return 0;
}

/** Writes to stderr. podman closes the other end before it has looked at a state: that is no reason to do anything else than without. */
export function printError(text: string): void {
  writeText(2, printableLines(text));
}
