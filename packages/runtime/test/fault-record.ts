// What `npm run test:faults` makes its table of. It tries everything; `npm test` a part of it.
import { appendFileSync } from 'node:fs';

const file = process.env['CTR_FAULTS'];

/** Every step with every fault, rather than a part of them. */
export const isWholeRun = file !== undefined;

/** A line of the table. */
export interface Row {
  readonly plan: string;
  readonly fault: string;
  readonly points: number;
  readonly told: number;
  readonly tolerated: number;
  readonly offTheWay: number;
  readonly leftBehind: number;
  /** Directories of groups that a `gc` has found. */
  readonly collected: number;
}

/** Adds a line to the table. */
export function record(row: Row): void {
  add({ row });
}

/** Adds a sentence below the table. */
export function note(text: string): void {
  add({ text });
}

function add(what: object): void {
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(what)}\n`);
}
