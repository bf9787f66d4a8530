// `npm test`: all that has to hold, on a fresh clone too. `npm test -- lint types` runs only the named parts.
// The last line is always `N passed, N failed, N skipped`; a check such as lint counts as one.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { bin, root, setup } from './setup.mjs';
import { missing } from './vm/boot.mjs';
import { lane, runs } from './vm/lane.mjs';

/** @import { Counts, Failure } from './reporter.mjs' */
/** @typedef {readonly [program: string, ...args: string[]]} Command */

/** What needs nothing but the tree, and what looks at the built packages. @type {Record<string, Command>} */
const checks = {
  types: [bin('tsc'), '-p', '.'],
  lint: [bin('oxlint'), '--deny-warnings'],
  format: [bin('oxfmt'), '--check'],
  unused: [bin('knip'), '--no-config-hints', '--no-progress'],
  boundaries: ['node', 'tools/check-boundaries.mjs'],
  docs: [bin('typedoc'), '--logLevel', 'Warn'],
  examples: ['node', 'tools/check-docs.mjs'],
  packages: ['node', 'tools/check-packages.mjs'],
  api: ['node', 'tools/api-report.mjs', '--check'],
  'oci-docs': ['node', 'tools/oci-docs.mjs', '--check'],
  mutations: ['node', 'tools/mutation.mjs', '--check'],
  claims: ['node', 'tools/check-claims.mjs'],
  kernels: ['node', 'tools/kernels.mjs', '--check'],
};
const names = ['build', ...Object.keys(checks), 'tests', 'vm'];
const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`npm test knows no part ${unknown.join(', ')}; its parts are ${names.join(', ')}`);
  process.exit(2);
}
const wanted = (/** @type {string} */ name) => chosen.length === 0 || chosen.includes(name);

/** @type {Counts} */
const total = { passed: [], unsteady: [], failed: [], skipped: [] };

setup();
await check('build', [bin('nx'), 'run-many', '--targets=build', '--nxBail=false', '--outputStyle=static']);
const queue = Object.entries(checks).filter(([name]) => wanted(name));
const worker = async () => {
  for (let next = queue.shift(); next; next = queue.shift()) await check(...next);
};
await Promise.all([worker(), worker()]);
if (wanted('tests')) await tests();
if (wanted('vm')) await machines();

// What one kernel cannot show and another has shown is not left out.
const shown = new Set(total.passed);
total.skipped = total.skipped.filter(({ name }) => !shown.has(name));
if (total.skipped.length > 0) {
  console.log(`\nskipped ${total.skipped.length}:`);
  for (const [reason, count] of tally(total.skipped.map(({ reason }) => (reason.length > 120 ? `${reason.slice(0, 120)}…` : reason))))
    console.log(`  ${count} × ${reason}`);
}
// Last, so that whoever has only the end of the output knows what to look for.
list('passed only when tried again', total.unsteady);
list('failed', total.failed);
console.log(`\n${total.passed.length} passed, ${total.failed.length} failed, ${total.skipped.length} skipped`);
process.exit(total.failed.length === 0 ? 0 : 1);

/**
 * Runs a check, whose output is of interest only when it fails, or says what it skipped.
 *
 * @param {string} name
 * @param {Command} command
 */
async function check(name, command) {
  const start = performance.now();
  const { code, output } = await run(command, { capture: true });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (code === 0) total.passed.push(name);
  else total.failed.push({ name, message: output });
  for (const [, what = '', reason = ''] of output.matchAll(/^skipped: (.*) \((.*)\)$/gm)) total.skipped.push({ name: what, reason });
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  if (code !== 0) console.log(output.trimEnd().replaceAll(/^/gm, '    '));
}

/** The tests of each package, by nx; each leaves its counts in a file. */
async function tests() {
  const results = mkdtempSync(join(tmpdir(), 'ctr-test-'));
  const command = /** @type {const} */ ([
    bin('nx'),
    'run-many',
    '--targets=test',
    '--parallel=1',
    '--excludeTaskDependencies',
    '--nxBail=false',
    '--outputStyle=stream-without-prefixes',
  ]);
  const { code } = await run(command, { env: { CTR_TEST_RESULTS: results } });
  let failed = false;
  for (const file of readdirSync(results)) {
    const counts = /** @type {Counts} */ (JSON.parse(readFileSync(join(results, file), 'utf8')));
    total.passed.push(...counts.passed);
    total.unsteady.push(...counts.unsteady);
    total.failed.push(...counts.failed);
    total.skipped.push(...counts.skipped);
    failed ||= counts.failed.length > 0;
  }
  rmSync(results, { recursive: true });
  if (code !== 0 && !failed) total.failed.push({ name: 'tests', message: 'a run of vitest ended before it could count' });
}

/** The tests on other kernels, which take minutes: where it is CI, or they are asked for. */
async function machines() {
  const reason = process.env['CI'] === 'true' || chosen.includes('vm') ? missing() : 'they take some minutes: npm run test:vm';
  if (reason !== undefined) {
    console.log(`skipped vm: the tests on other kernels, with control groups of version 2 alone, of version 1 alone, and under systemd (${reason})`);
    total.skipped.push({ name: 'vm', reason });
    return;
  }
  await lane(runs({ ci: true }), ({ name, counts, output, seconds }) => {
    total.passed.push(...counts.passed);
    total.unsteady.push(...on(name, counts.unsteady));
    total.failed.push(...on(name, counts.failed));
    total.skipped.push(...counts.skipped);
    console.log(`${counts.failed.length === 0 ? 'ok    ' : 'FAILED'} ${name}: ${counts.passed.length} tests (${seconds.toFixed(1)} s)`);
    if (counts.failed.length > 0) console.log(output.trimEnd().replaceAll(/^/gm, '    '));
  });
}

/**
 * @param {Command} command
 * @param {{ capture?: boolean, env?: Record<string, string> }} options
 * @returns {Promise<{ code: number | null, output: string }>}
 */
function run([program, ...args], { capture = false, env = {} }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', capture ? 'pipe' : 'inherit', capture ? 'pipe' : 'inherit'],
    });
    let output = '';
    child.stdout?.on('data', (chunk) => (output += String(chunk)));
    child.stderr?.on('data', (chunk) => (output += String(chunk)));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

/** @param {string} machine @param {Failure[]} failures */
function on(machine, failures) {
  return failures.map(({ name, message }) => ({ name: `${machine}: ${name}`, message }));
}

/** @param {string} what @param {Failure[]} failures */
function list(what, failures) {
  if (failures.length > 0) console.log(`\n${what} ${failures.length}:`);
  for (const { name, message } of failures) {
    const end = message.trimEnd().split('\n').slice(-40);
    console.log([`  ${name}`, ...end.map((line) => `    ${line.slice(0, 500)}`)].join('\n'));
  }
}

/** How often each text occurs. @param {string[]} texts */
function tally(texts) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}
