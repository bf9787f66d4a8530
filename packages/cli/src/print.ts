import { styleText } from 'node:util';

import { writeText } from '@ctr/runtime/executable';

import { isTerminal } from './is-terminal.js';

/** 128 + SIGPIPE: what ends a program whose reader is gone. */
const BROKEN_PIPE = 141;

/** Writes to stdout, at once. */
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
  if (!writeText(fd, text)) process.exit(BROKEN_PIPE);
}
