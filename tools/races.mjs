// `npm run test:races`: each race 10,000 times (or as often as CTR_RACE_ROUNDS says), as root. Writes docs/races.md.
// With words, it runs the races whose names have one of them, and leaves the lines of the others as they are; so it does with those that it did not come to when SIGTERM ends it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';

import { readLines } from './json-lines.mjs';
import { bin, root } from './setup.mjs';

/** @import { Row } from './race-record.mjs' */

const ROUNDS = process.env['CTR_RACE_ROUNDS'] ?? '10000';
/** What one round may take where the machine is busy. */
const ROUND_MS = 600;
const files = [
  'runtime/test/attack/mount-race',
  'runtime/test/attack/other-processes',
  'fs/test/in-root',
  'oci/test/exec-watched',
  'oci/test/mount-race',
  'oci/test/copy-up',
];
const marker = '<!-- results -->';

const words = process.argv.slice(2);
const directory = mkdtempSync(join(tmpdir(), 'ctr-races-'));
const lines = join(directory, 'lines');
// A name is a pattern for vitest.
const pattern = words.map((word) => word.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)).join('|');
const vitest = spawn(
  bin('vitest'),
  [
    'run',
    ...files.map((file) => `packages/${file}.root.test.ts`),
    '--maxWorkers=1',
    `--testTimeout=${Number(ROUNDS) * ROUND_MS}`,
    ...(words.length === 0 ? [] : ['-t', pattern]),
  ],
  { cwd: root, stdio: 'inherit', env: { ...process.env, CTR_RACES: lines, CTR_RACE_ROUNDS: ROUNDS } },
);
process.once('SIGTERM', () => vitest.kill('SIGTERM'));
const [status] = /** @type {[number | null]} */ (await once(vitest, 'exit'));
/** @type {Row[]} */
const found = readLines(lines);
rmSync(directory, { recursive: true });
const page = join(root, 'docs/races.md');
writeFileSync(page, withResults(readFileSync(page, 'utf8')));
process.exit(status ?? 1);

/** The page with the new lines in its table: what stands before and behind that is written by hand. @param {string} text */
function withResults(text) {
  const [before = '', table = '', after = ''] = text.split(new RegExp(`^${marker}$`, 'm'));
  const old = table.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| Race |') && !line.startsWith('| --- |'));
  const fresh = found.map(cells);
  const replaced = new Set(fresh.map(raceOf));
  const kept = words.length === 0 && status === 0 ? [] : old.filter((line) => !replaced.has(raceOf(line)));
  const rows = [...kept, ...fresh].toSorted();
  return `${before}${marker}\n${['| Race | Rounds | Met | Got through | On |', '| --- | ---: | ---: | ---: | --- |', ...rows].join('\n')}\n${marker}${after}`;
}

/** @param {Row} row */
function cells({ race, rounds, met, gotThrough }) {
  const share = ((met / rounds) * 100).toFixed(0);
  const on = `${new Date().toISOString().slice(0, 10)}, Linux ${release()}`;
  return `| ${race} | ${rounds.toLocaleString('en')} | ${met.toLocaleString('en')} (${share} %) | ${gotThrough ?? '– (no defence)'} | ${on} |`;
}

/** @param {string} line */
function raceOf(line) {
  return line.split(' | ')[0];
}
