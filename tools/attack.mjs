// `npm run test:attack`: every attack by every way into a container, of every kind of caller, as root, in some minutes. Writes docs/attacks.md; fails if one got through.
// With --quick it makes the attacks that `npm test` makes, with names of attacks those alone; then it writes nothing, but says what became of them.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';

import { readLines } from './json-lines.mjs';
import { bin, root } from './setup.mjs';

/** @import { Cell } from './attack-record.mjs' */

const marker = '<!-- results -->';
const marks = ['held', 'refused', 'told', '–', 'GOT THROUGH'];
const isQuick = process.argv.includes('--quick');
const names = process.argv.slice(2).filter((word) => word !== '--quick');
const isPart = isQuick || names.length > 0;

const directory = mkdtempSync(join(tmpdir(), 'ctr-attacks-'));
const file = join(directory, 'lines');
const begin = performance.now();
const { status } = spawnSync(bin('vitest'), ['run', 'test/attack/attack.root.test.ts', '--maxWorkers=1'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, CTR_ATTACKS: file, ...(isQuick && { CTR_ATTACKS_QUICK: '1' }), ...(names.length > 0 && { CTR_ATTACKS_NAMES: names.join(' ') }) },
});
const minutes = (performance.now() - begin) / 60_000;
/** @type {Cell[]} */
const found = readLines(file);
rmSync(directory, { recursive: true });
const cells = found.filter(({ way }) => way !== undefined);
const controls = new Map(found.filter(({ way }) => way === undefined).map((cell) => [cell.attack, cell]));
const sum = `${count('held')} held, ${count('refused')} refused, ${count('told')} told, ${count('GOT THROUGH')} got through`;
if (isPart) console.log(results());
else if (cells.length > 0) {
  const page = join(root, 'docs/attacks.md');
  const [before = '', , after = ''] = readFileSync(page, 'utf8').split(new RegExp(`^${marker}$`, 'm'));
  writeFileSync(page, `${before}${marker}\n${results()}\n${marker}${after}`);
}
console.log(`\n${sum}`);
process.exit(status ?? 1);

/** @param {string} mark */
function count(mark) {
  return cells.filter((cell) => cell.mark === mark).length;
}

function results() {
  const groups = [...new Set(cells.map(({ group }) => group))];
  return [
    `Run on ${new Date().toISOString().slice(0, 10)}, Linux ${release()}, in ${minutes.toFixed(1)} minutes: ${sum}; ${count('–')} where there is nothing to attack.`,
    '',
    ...groups.flatMap(table),
    '### Reasons',
    '',
    ...marks.filter((mark) => mark !== 'held').flatMap(reasons),
    '',
  ].join('\n');
}

/** @param {string} group */
function table(group) {
  const own = cells.filter((cell) => cell.group === group);
  const ways = [...new Set(cells.map(({ way }) => way ?? ''))];
  const rows = [...new Map(own.map(({ attack, tries }) => [attack, tries]))].map(([attack, tries]) => {
    const marksOf = ways.map((way) => summary(own.filter((cell) => cell.attack === attack && cell.way === way)));
    const control = controls.get(attack);
    const works = control?.mark === 'control' ? control.caller : (control?.detail ?? '');
    return `| ${attack} | ${tries} | ${marksOf.join(' | ')} | ${works} |`;
  });
  return [`### ${group}`, '', `| Attack | Tries | ${ways.join(' | ')} | Succeeds outside |`, `| --- | --- |${' --- |'.repeat(ways.length + 1)}`, ...rows, ''];
}

/** The marks of all callers, or one where they agree. @param {readonly Cell[]} own */
function summary(own) {
  const counts = marks.map((mark) => /** @type {const} */ ([mark, own.filter((cell) => cell.mark === mark).length])).filter(([, number]) => number > 0);
  return counts.length === 1 ? (counts[0]?.[0] ?? '') : counts.map(([mark, number]) => `${number} ${mark}`).join(', ');
}

/** Each reason once, with where it is given. @param {string} mark */
function reasons(mark) {
  /** @type {Map<string, Cell[]>} */
  const byReason = new Map();
  for (const cell of cells.filter((one) => one.mark === mark)) {
    // An error names the step and its number, and the reason stands before them.
    const reason = cell.detail.split('\n')[0]?.split(/, step \d+/)[0] ?? '';
    byReason.set(reason, [...(byReason.get(reason) ?? []), cell]);
  }
  return [...byReason].map(([reason, own]) => {
    const each = (/** @type {'attack' | 'way' | 'caller'} */ key) => [...new Set(own.map((cell) => cell[key]))];
    const attacks = each('attack');
    const what = attacks.length > 6 ? `${attacks.length} attacks` : attacks.join(', ');
    return `- ${mark}: ${what} (${each('way').join(', ')}; ${each('caller').join(', ')}): ${reason.replaceAll('|', '/').replaceAll(/ctr-attack-\w+/g, '…')}`;
  });
}
