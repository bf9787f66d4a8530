// Writes the table of docs/kernels.md from what the lane runs: `node tools/kernels.mjs`; with --check, tells whether it still says what that is.
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { writeOrCheck } from './generated.mjs';
import { root } from './setup.mjs';
import { runs } from './vm/lane.mjs';

/** @import { Run } from './vm/lane.mjs' */

const page = join(root, 'docs/kernels.md');
const inCi = runs({ ci: true });

const text = readFileSync(page, 'utf8');
const [begin, end] = ['<!-- by tools/kernels.mjs -->\n', '<!-- end -->'];
const [before, after] = [text.slice(0, text.indexOf(begin) + begin.length), text.slice(text.indexOf(end))];
const now = `${before}\n${table()}\n${after}`;
writeOrCheck(page, text, now, 'docs/kernels.md is stale: run node tools/kernels.mjs');

function table() {
  const rows = runs({}).map((run) => {
    const files = inCi.find(({ profile, release }) => profile === run.profile && release === run.release)?.files ?? [];
    const ci = files.length === run.files.length ? 'all of them' : files.length === 0 ? 'none' : named(files);
    return `| ${run.profile === 'arm64' ? 'v2' : run.profile} | ${run.release} | ${run.profile === 'arm64' ? 'arm64' : 'x64'} | ${named(run.files)} | ${ci} |`;
  });
  return ['| control groups | Linux | processor | test files | in CI |', '| --- | --- | --- | --- | --- |', ...rows, ''].join('\n');
}

/** Files by package: `@ctr/cgroups`: group, limits.v1. @param {readonly string[]} files */
function named(files) {
  /** @type {Map<string, string[]>} */
  const packages = new Map();
  for (const file of files) {
    const [, name = ''] = file.split('/');
    packages.set(name, [...(packages.get(name) ?? []), basename(file).replace(/\.root\.test\.ts$/, '')]);
  }
  return [...packages].map(([name, list]) => `\`@ctr/${name}\`: ${list.join(', ')}`).join('; ');
}
