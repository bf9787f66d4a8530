import { appendFileSync } from 'node:fs';

import { printableLines } from '@ctr/syscall';

import { printError } from './print.js';

/** Where errors and warnings go, besides stderr. */
export interface LogOptions {
  /** A file that lines are added to. */
  readonly file: string | undefined;
  readonly format: 'json' | 'text';
  /** Whether it is told what is done as well. */
  readonly isDebugging: boolean;
}

type Level = 'debug' | 'error' | 'warning';

/** A log, in the forms that engines read of runc. */
export class Log {
  readonly #options: LogOptions;

  constructor(options: LogOptions) {
    this.#options = options;
  }

  /** Makes the file. Throws the error of the file system where that cannot be: nothing that is done then would be told. */
  open(): void {
    const { file } = this.#options;
    if (file !== undefined) appendFileSync(file, '', { mode: 0o644 });
  }

  /** What is done, for those who have asked for it. */
  debug(message: string): void {
    const { isDebugging, file } = this.#options;
    if (!isDebugging) return;
    if (file === undefined) printError(`${this.#line('debug', message)}\n`);
    else this.#write('debug', message);
  }

  /** What has no effect is nothing that the caller has to be told. */
  warn(message: string): void {
    this.#write('warning', message);
  }

  /** Engines look at stderr, or at the last error of the log. */
  error(message: string): void {
    this.#write('error', message);
    printError(`ctr-oci: ${message}\n`);
  }

  #write(level: Level, msg: string): void {
    const { file } = this.#options;
    if (file === undefined) return;
    try {
      appendFileSync(file, `${this.#line(level, msg)}\n`, { mode: 0o644 });
    } catch (error) {
      printError(`ctr-oci: the log cannot be written: ${(error as Error).message}\n`);
    }
  }

  #line(level: Level, msg: string): string {
    const time = new Date().toISOString();
    const { format } = this.#options;
    return printableLines(format === 'json' ? JSON.stringify({ level, msg, time }) : `time=${JSON.stringify(time)} level=${level} msg=${JSON.stringify(msg)}`);
  }
}
