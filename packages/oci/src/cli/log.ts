import { appendFileSync } from 'node:fs';

import { printableLines } from '@ctr/syscall';

import { printError } from './print.js';

/** Where errors and warnings go, besides stderr. */
export interface LogOptions {
  /** A file that lines are added to. */
  readonly file: string | undefined;
  readonly format: 'json' | 'text';
}

type Level = 'error' | 'warning';

/** A log, in the forms that engines read of runc. */
export class Log {
  readonly #options: LogOptions;

  constructor(options: LogOptions) {
    this.#options = options;
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
    const { file, format } = this.#options;
    if (file === undefined || file === '') return;
    const time = new Date().toISOString();
    const line = format === 'json' ? JSON.stringify({ level, msg, time }) : `time=${JSON.stringify(time)} level=${level} msg=${JSON.stringify(msg)}`;
    try {
      appendFileSync(file, `${printableLines(line)}\n`, { mode: 0o644 });
    } catch (error) {
      printError(`ctr-oci: the log cannot be written: ${(error as Error).message}\n`);
    }
  }
}
