// `npm run test:faults`: every fault at every step, 1,000 kills and 20,000 launches, in some minutes; as root. Writes docs/faults.md.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';

import { readLines } from './json-lines.mjs';
import { bin, root } from './setup.mjs';

/** @import { Row } from './fault-record.mjs' */

const files = ['runtime/test/faults', 'runtime/test/host-killed', 'runtime/test/many', 'cli/test/random-kill', 'oci/test/killed'];
const directory = mkdtempSync(join(tmpdir(), 'ctr-faults-'));
const lines = join(directory, 'lines');
const begin = performance.now();
const { status } = spawnSync(bin('vitest'), ['run', ...files.map((file) => `packages/${file}.root.test.ts`), '--maxWorkers=1'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, CTR_FAULTS: lines },
});
const minutes = (performance.now() - begin) / 60_000;
/** @type {{ row?: Row, what?: string, result?: string }[]} */
const found = readLines(lines);
rmSync(directory, { recursive: true });
const page = join(root, 'docs/faults.md');
if (status === 0) writeFileSync(page, withResults(readFileSync(page, 'utf8')));
process.exit(status ?? 1);

/** The page with new tables in place of the old ones: what stands before and behind them is written by hand. @param {string} text */
function withResults(text) {
  const [before = '', , after = ''] = text.split(/^<!-- results -->$/m);
  return `${before}<!-- results -->\n${tables()}\n<!-- results -->${after}`;
}

function tables() {
  const rows = found.flatMap(({ row }) => row ?? []).toSorted((a, b) => order(a.plan) - order(b.plan));
  const sum = (/** @type {'points' | 'told' | 'tolerated' | 'offTheWay' | 'leftBehind'} */ key) => rows.reduce((total, row) => total + row[key], 0);
  const notes = found.flatMap(({ what, result }) => (what === undefined ? [] : [`| ${what} | ${result} |`]));
  return [
    `Run on ${new Date().toISOString().slice(0, 10)}, Linux ${release()}, ${cpus().length} processors, in ${minutes.toFixed(1)} minutes.`,
    '',
    '| Plan | Fault | Points | Told | Tolerated | Off the way | Left behind | gc found |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |',
    ...rows.map(
      ({ plan, fault, points, told, tolerated, offTheWay, leftBehind, collected }) =>
        `| ${plan} | ${fault} | ${points} | ${told} | ${tolerated} | ${offTheWay} | ${leftBehind} | ${collected ?? '–'} |`,
    ),
    `| all | | ${sum('points')} | ${sum('told')} | ${sum('tolerated')} | ${sum('offTheWay')} | ${sum('leftBehind')} | |`,
    '',
    '| What | Result |',
    '| --- | --- |',
    ...notes,
    '',
  ].join('\n');
}

/** @param {string} plan */
function order(plan) {
  const plans = ['the default plan', 'the plan of an ordinary user', 'with a root', 'with all there is'];
  return plans.includes(plan) ? plans.indexOf(plan) : plans.length;
}
