import { writeSync } from 'node:fs';
import { styleText } from 'node:util';

import { isTerminal } from './is-terminal.js';

/** 128 + SIGPIPE: what ends a program whose reader is gone. */
const BROKEN_PIPE = 141;

/** Writes to stdout, at once: process.stdout takes longer to load than a short command to run. */
export function print(text: string): void {
  write(1, text);
}

/** Writes to stderr. */
export function printError(text: string): void {
  write(2, text);
}

/** The text in a style where stderr shows it: at a terminal, unless NO_COLOR says otherwise. */
export function styled(style: 'red' | 'dim' | 'bold', text: string): string {
  return isTerminal(2) && !process.env['NO_COLOR'] ? styleText(style, text) : text;
}

function write(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') process.exit(BROKEN_PIPE);
      // Somebody who shares the file has made it non-blocking: wait for its reader.
      if (code !== 'EAGAIN') return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
