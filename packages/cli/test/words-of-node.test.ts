// Node takes some words for its own wherever they stand in its command line: the bin keeps them from it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { cannotRun } from './cannot-run.js';
import { bin } from './ctr.js';

const directory = mkdtempSync(join(tmpdir(), 'ctr-env-file-'));
afterAll(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'env');
/** What Node would obey, and ctr passes on. */
const options = `NODE_OPTIONS=--import=data:text/javascript,console.log('obeyed')`;
writeFileSync(file, `GREETING=hello\n${options}\n`);

/** Runs the bin as a shell does, by its first line. */
function installed(args: readonly string[]): unknown {
  const { status, stdout, stderr } = spawnSync(bin, args, { encoding: 'utf8', env: { PATH: process.env['PATH'] } });
  return { status, stdout, stderr };
}

describe.skipIf(cannotRun)('the installed ctr', () => {
  it('reads an --env-file for the program in the container alone', () => {
    expect(installed(['run', '--env-file', file, 'sh', '-c', 'echo "$GREETING"; echo "NODE_OPTIONS=$NODE_OPTIONS"'])).toEqual({
      status: 0,
      stdout: `hello\n${options}\n`,
      stderr: '',
    });
  });

  it.each([[['--env-file', 'nowhere']], [['--env-file=nowhere']], [['--env-file', file]]])('gives %j to the program, behind its name', (words) => {
    expect(installed(['run', 'echo', 'a  b', '', ...words])).toEqual({ status: 0, stdout: `a  b  ${words.join(' ')}\n`, stderr: '' });
  });

  it('says itself that an --env-file is not there', () => {
    expect(installed(['run', '--env-file', join(directory, 'nowhere'), 'true'])).toEqual({
      status: 125,
      stdout: '',
      stderr: `ctr: --env-file: "${directory}/nowhere": a file with one K=V a line; this cannot be read (ENOENT)\n`,
    });
  });
});
