// What `npm run test:faults` makes its page of. It tries everything; `npm test` tries a part of it.
import { addLine } from './json-lines.mjs';

/**
 * A line of the table.
 * @typedef {object} Row
 * @property {string} plan
 * @property {string} fault
 * @property {number} points how often it was tried
 * @property {number} told ended with the error, or the signal, of exactly this step
 * @property {number} tolerated ended well, since the plan says of the step that this failure is none
 * @property {number} offTheWay the step is of another way than this plan takes on this host, or comes after the program
 * @property {number} leftBehind
 * @property {number | undefined} collected groups that a look for garbage has removed
 */

const file = process.env['CTR_FAULTS'];

/** Every step with every fault, rather than a part of them. */
export const isWholeRun = file !== undefined;

/** Adds a line to the table. @param {Row} row */
export function record(row) {
  addLine(file, { row });
}

/** Adds a line to another of the page's tables. @param {string} what @param {string} result */
export function note(what, result) {
  addLine(file, { what, result });
}
