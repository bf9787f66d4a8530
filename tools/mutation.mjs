// Takes one defence after the other out of a copy of the sources, and sees to it that a test goes red: `npm run test:mutation`. What came of it is in docs/mutation.md.
// With `--check` it only says whether each of these changes still fits the sources. With words, it tries the defences whose names have one of them, and leaves the lines of the others as they are.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { mutations } from './mutations.mjs';
import { root } from './setup.mjs';

/** @import { Mutation } from './mutations.mjs' */
/** @typedef {{ passed: number, failed: number }} Counts */

const TIMEOUT_MS = 90_000;
const page = join(root, 'docs/mutation.md');
const words = process.argv.slice(2).filter((word) => !word.startsWith('-'));

const stale = mutations.filter((mutation) => readFileSync(join(root, mutation.file), 'utf8').split(mutation.text).length !== 2);
for (const { defence, file } of stale) console.error(`${file}: the text that stands for “${defence}” is not there exactly once: see tools/mutations.mjs`);
if (stale.length > 0) process.exit(1);
if (!process.argv.includes('--check')) process.exit(tryAll());

/** @returns {number} the exit code */
function tryAll() {
  const chosen = mutations.filter(({ defence }) => words.length === 0 || words.some((word) => defence.includes(word)));
  const copy = copyOfTree();
  process.once('exit', () => rmSync(copy, { recursive: true, force: true }));
  /** @type {Map<string, Counts>} */
  const unchanged = new Map();
  /** @type {[Mutation, string][]} */
  const results = [];
  for (const mutation of chosen) {
    const key = `${mutation.test} ${mutation.name}`;
    const before = unchanged.get(key) ?? runTests(copy, mutation);
    unchanged.set(key, before);
    const result = before.failed > 0 || before.passed === 0 ? `not tried: ${before.passed} pass and ${before.failed} fail without it` : mutated(copy, mutation);
    results.push([mutation, result]);
    console.log(`${result.startsWith('noticed') ? 'ok    ' : 'FAILED'} ${mutation.defence}: ${result}`);
  }
  const failed = results.filter(([, result]) => !result.startsWith('noticed')).length;
  writeFileSync(page, report(results));
  console.log(`\n${results.length - failed} noticed, ${failed} not`);
  return failed === 0 ? 0 : 1;
}

/**
 * @param {string} copy
 * @param {Mutation} mutation
 */
function mutated(copy, mutation) {
  const path = join(copy, mutation.file);
  const source = readFileSync(path, 'utf8');
  try {
    writeFileSync(
      path,
      source.replace(mutation.text, () => mutation.instead ?? ''),
    );
    const { passed, failed } = runTests(copy, mutation);
    return failed > 0 ? `noticed by ${failed} of ${passed + failed}` : 'survived';
  } finally {
    writeFileSync(path, source);
  }
}

/**
 * @param {string} copy
 * @param {Mutation} mutation
 * @returns {Counts}
 */
function runTests(copy, { test, name }) {
  const output = join(copy, 'mutation.json');
  rmSync(output, { force: true });
  const args = [join(copy, 'node_modules/vitest/vitest.mjs'), 'run', test, '--reporter=json', `--outputFile=${output}`, ...(name === '' ? [] : ['-t', name])];
  const { signal } = spawnSync(process.execPath, args, { cwd: copy, stdio: 'ignore', timeout: TIMEOUT_MS });
  if (signal !== null) return { passed: 0, failed: 1 };
  try {
    const report = /** @type {{ numPassedTests: number, numFailedTests: number, numFailedTestSuites: number }} */ (JSON.parse(readFileSync(output, 'utf8')));
    return { passed: report.numPassedTests, failed: report.numFailedTests || report.numFailedTestSuites };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

/** The tree as it is, in a directory of its own; of node_modules only the packages of the tree are others. */
function copyOfTree() {
  const copy = mkdtempSync(join(realpathSync(tmpdir()), 'ctr-mutation-'));
  // Some tests are those of an ordinary user.
  chmodSync(copy, 0o755);
  const { stdout } = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 });
  for (const name of stdout.split('\0').filter(Boolean)) {
    mkdirSync(dirname(join(copy, name)), { recursive: true });
    cpSync(join(root, name), join(copy, name), { errorOnExist: false, force: true });
  }
  const modules = join(copy, 'node_modules');
  mkdirSync(join(modules, '@ctr'), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules')))
    if (name !== '@ctr' && !name.startsWith('.')) symlinkSync(realpathSync(join(root, 'node_modules', name)), join(modules, name));
  for (const name of readdirSync(join(copy, 'packages'))) symlinkSync(join(copy, 'packages', name), join(modules, '@ctr', name));
  return copy;
}

/** The page, in the order of the mutations; what was not tried this time has the line it had. @param {readonly [Mutation, string][]} results */
function report(results) {
  const on = `${new Date().toISOString().slice(0, 10)}, Linux ${release()}`;
  const fresh = new Map(results.map(([mutation, result]) => [mutation, `${start(mutation)} ${result} | ${on} |`]));
  const old = existsSync(page) ? readFileSync(page, 'utf8').split('\n') : [];
  const rows = mutations.flatMap((mutation) => fresh.get(mutation) ?? old.find((line) => line.startsWith(start(mutation))) ?? []);
  return `# Defences without which a test fails

A test of a defence proves little if it passes without it. So each of these is taken out of the sources, one at a time, and a test has to notice:
\`npm run test:mutation\` does that in a copy, and writes this page. The changes are in [tools/mutations.mjs](../tools/mutations.mjs).

${rows.length} defences, ${rows.filter((row) => row.includes('| noticed by ')).length} noticed.

| defence | source | tests | result | on |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}

/** A line up to its result. @param {Mutation} mutation */
function start({ defence, file, test, name }) {
  const cell = (/** @type {string} */ text) => text.replaceAll('\\', '').replaceAll('|', String.raw`\|`);
  return `| ${cell(defence)} | \`${file}\` | \`${test}\`${name === '' ? '' : `: ${cell(name)}`} |`;
}
