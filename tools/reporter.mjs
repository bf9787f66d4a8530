// A reporter for vitest: at the end it names every test that was skipped, with the reason, and counts.
// With CTR_TEST_RESULTS set to a directory, the counts go into a file there, from which tools/test.mjs sums up.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { root } from './setup.mjs';

/** @typedef {{ name: string, message: string }} Failure */
/** @typedef {{ passed: string[], unsteady: Failure[], failed: Failure[], skipped: { name: string, reason: string }[] }} Counts What has passed, by name, as often as it has; of that, what failed first. */

/** @import { Reporter, TestCase, TestModule, Vitest } from 'vitest/node' */

/** @implements {Reporter} */
export default class CountingReporter {
  /** @type {Vitest | undefined} */
  #vitest;

  /** @param {Vitest} vitest */
  onInit(vitest) {
    this.#vitest = vitest;
  }

  /**
   * @param {readonly TestModule[]} modules
   * @param {readonly unknown[]} errors
   */
  onTestRunEnd(modules, errors) {
    /** @type {Counts} */
    const counts = { passed: [], unsteady: [], failed: [], skipped: [] };
    for (const error of errors) counts.failed.push(failure('outside of any test', [error]));
    for (const module of modules) {
      const file = relative(root, module.moduleId);
      for (const unit of [module, ...module.children.allSuites()])
        if (unit.errors().length > 0) counts.failed.push(failure(unit.type === 'suite' ? `${file} > ${unit.fullName}` : file, unit.errors()));
      for (const test of module.children.allTests()) {
        const result = test.result();
        const name = `${file} > ${test.fullName}`;
        if (result.state === 'passed') {
          counts.passed.push(name);
          if (test.diagnostic()?.flaky) counts.unsteady.push(failure(name, result.errors ?? []));
        } else if (result.state === 'failed') counts.failed.push(failure(name, result.errors));
        else
          counts.skipped.push({
            name,
            reason: (result.state === 'skipped' && result.note) || (setUpFailed(test) ? 'its set-up failed' : 'see its name'),
          });
      }
    }
    if (process.getuid?.() !== 0) counts.skipped.push(...this.#leftOut());
    if (counts.skipped.length > 0) {
      console.log(`\nskipped ${counts.skipped.length}:`);
      for (const { name, reason } of counts.skipped) console.log(`  - ${name} (${reason})`);
    }
    const directory = process.env['CTR_TEST_RESULTS'];
    if (directory === undefined) return;
    mkdirSync(directory, { recursive: true });
    const names = this.#vitest?.projects.map((project) => project.name.replaceAll('/', '-')).join('+');
    writeFileSync(join(directory, `${names}.json`), JSON.stringify(counts));
  }

  /** The tests that need root, which the configuration has left out: their names as they stand in the files. */
  #leftOut() {
    /** @type {unknown} */
    const given = this.#vitest && Reflect.get(this.#vitest, 'filenamePattern');
    const filters = Array.isArray(given) ? given.map(String) : [];
    const skipped = [];
    for (const { config } of this.#vitest?.projects ?? []) {
      const directory = existsSync(join(config.root, 'test')) ? join(config.root, 'test') : config.root;
      for (const file of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
        const path = join(directory, file);
        const name = relative(root, path);
        if (!/(?<!\.v2|\.systemd|\.arm64)\.root\.test\.ts$/.test(file) || (filters.length > 0 && !filters.some((filter) => name.includes(filter)))) continue;
        const titles = [...readFileSync(path, 'utf8').matchAll(/^\s*(?:it|test)\b[^'"`\n]*(['"`])(.+?)\1/gm)].map((match) => match[2]);
        for (const title of titles.length > 0 ? titles : ['all of it']) skipped.push({ name: `${name} > ${title}`, reason: 'needs root' });
      }
    }
    return skipped;
  }
}

/** @param {string} name @param {readonly unknown[]} errors @returns {Failure} */
function failure(name, errors) {
  return { name, message: stripVTControlCharacters(errors.map(textOf).join('\n')) };
}

/** What an error of a test says, with what was expected and where. @param {unknown} error */
function textOf(error) {
  const { message, diff, stack } = /** @type {{ message?: unknown, diff?: unknown, stack?: unknown }} */ (Object(error));
  const place = /^.*\.ts:\d+:\d+.*$/m.exec(String(stack))?.[0].trim();
  return [message ?? error, diff, place].filter((part) => part !== undefined).join('\n');
}

/** Whether a hook failed that runs before a test. @param {TestCase} test */
function setUpFailed(test) {
  for (let unit = test.parent; ; unit = unit.parent) {
    if (unit.errors().length > 0) return true;
    if (unit.type === 'module') return false;
  }
}
