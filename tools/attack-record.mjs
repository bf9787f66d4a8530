// What `npm run test:attack` makes its page of. It tries every attack by every way in, of every kind of caller; `npm test` a part of them.
import { addLine } from './json-lines.mjs';

/**
 * A cell of a table, or the control of an attack, which has no way.
 *
 * @typedef {object} Cell
 * @property {string} attack
 * @property {string} group
 * @property {string} tries
 * @property {string} [way]
 * @property {string} caller
 * @property {string} mark `held`, `refused`, `told`, `–` or `GOT THROUGH`; of a control whether it succeeded, or `–`
 * @property {string} detail
 */

const file = process.env['CTR_ATTACKS'];

/** All attacks are made, rather than those that are quick. */
export const isWhole = file !== undefined && process.env['CTR_ATTACKS_QUICK'] === undefined;

const names = process.env['CTR_ATTACKS_NAMES']?.split(' ') ?? [];

/** Whether an attack is asked for: all are, unless some are named. @param {string} name */
export function isAsked(name) {
  return names.length === 0 || names.includes(name);
}

/** Adds a cell to the page. @param {Cell} cell */
export function record(cell) {
  addLine(file, cell);
}
