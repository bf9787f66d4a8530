// What `npm run test:races` makes its page of. It runs each race many thousand times; `npm test` a few hundred times.
import { addLine } from './json-lines.mjs';

/**
 * A line of the table.
 * @typedef {object} Row
 * @property {string} race the sentence that is the test's name
 * @property {number} rounds
 * @property {number} met rounds in which what was looked up, or looked into, was in the state the attacker needs
 * @property {number | undefined} gotThrough rounds in which the attack had an effect; of a control, which has no defence, there is none to count
 */

const file = process.env['CTR_RACES'];
const wanted = Number(process.env['CTR_RACE_ROUNDS'] ?? 0);
if (!Number.isSafeInteger(wanted) || wanted < 0) throw new RangeError(`CTR_RACE_ROUNDS is ${process.env['CTR_RACE_ROUNDS']}: it has to be a number of rounds`);

/** How often a race is run: as often as CTR_RACE_ROUNDS says, or else these few times. @param {number} few */
export function rounds(few) {
  return wanted === 0 ? few : wanted;
}

/** Adds a line to the table. @param {Row} row */
export function record(row) {
  addLine(file, row);
}
