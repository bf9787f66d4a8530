// What tests tell a tool that runs them, which may be of several processes: a line of JSON for each thing.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';

/** Adds a line; nothing without a file. @param {string | undefined} file @param {object} line */
export function addLine(file, line) {
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(line)}\n`);
}

/** All lines, none if there is no file. @param {string} file @returns {any[]} */
export function readLines(file) {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}
