// Each promise of SECURITY.md and docs/security.md names the tests that fail without it: the files have to be there, and what stands behind a colon has to be in the title of a test.
// In the last column of a table: `file.test.ts`, or `directory/`; `file.test.ts`: a part of a title. What stands in parentheses is a remark.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { root } from './setup.mjs';

const pages = ['SECURITY.md', 'docs/security.md'];
const directories = ['test', ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}/test`)];
const files = directories.flatMap((directory) =>
  readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `${directory}/${name}`),
);
let claims = 0;
/** @type {string[]} */
const problems = [];

for (const page of pages)
  for (const [index, line] of readFileSync(join(root, page), 'utf8').split('\n').entries()) {
    const cell = cellOf(line);
    if (cell !== undefined) check(cell, `${page}:${index + 1}`);
  }
for (const problem of problems) console.error(problem);
if (problems.length === 0) console.log(`${claims} claims name tests that are there`);
process.exit(problems.length > 0 ? 1 : 0);

/** What a row names as tests: its last cell, if it names any. @param {string} line */
function cellOf(line) {
  const cell =
    line
      .split(/(?<!\\)\|/)
      .at(-2)
      ?.trim() ?? '';
  return line.startsWith('| ') && /`[^`]+(\.test\.ts|\/)`|^by construction$/.test(cell)
    ? cell.replaceAll(/\]\([^)]*\)/g, ']').replaceAll(/ \([^)]*\)/g, '')
    : undefined;
}

/**
 * @param {string} cell
 * @param {string} where
 */
function check(cell, where) {
  claims++;
  /** @type {string[]} */
  let current = [];
  for (const part of cell.split(/; (?![^`]*`(?:[^`]*`[^`]*`)*[^`]*$)|; /)) {
    const [names = '', ...rest] = /`[^`]+(?:\.test\.ts|\/)`/.test(part) ? part.split(/:(?= )/) : ['', part];
    const title = rest.join(':').trim();
    const named = [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    if (named.length > 0) current = named.flatMap((name) => filesOf(name, where));
    if (title !== '' && !current.some((file) => hasTitle(file, title)))
      problems.push(`${where}: no test of ${current.join(', ')} has a title with ${JSON.stringify(title)}`);
  }
}

/**
 * The files of a name, or of a directory.
 *
 * @param {string} name
 * @param {string} where
 */
function filesOf(name, where) {
  const own = files.filter((file) => (name.endsWith('/') ? file.includes(`/${name}`) : file.endsWith(`/${name}`)));
  if (own.length === 0) problems.push(`${where}: there is no test ${name}`);
  return own;
}

/**
 * @param {string} file
 * @param {string} title
 */
function hasTitle(file, title) {
  const plain = (/** @type {string} */ text) => text.replaceAll(/[`'’"\\]/g, '').toLowerCase();
  return plain(readFileSync(join(root, file), 'utf8')).includes(plain(title));
}
