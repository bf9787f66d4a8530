// `process.terminal` where the caller has none: cron, CI, a pipe. runc 1.1.5 and those of today say and do the same, but 1.1.5 needs a /dev/tty that can be opened.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { bundleOf, configOf, newId, place } from './container.js';
import { command, run } from './ctr-oci.js';

const at = place();
const said = 'hello\ntty\n';
const program = ['sh', '-c', 'echo hello; [ -t 0 ] && [ -t 1 ] && echo tty'];
const inputs = [
  ['the null device', '</dev/null'],
  ['a file', '<file'],
  ['an empty file', '<empty'],
  ['a directory', '<.'],
  ['nothing at all', '<&-'],
  ['a pipe', '< <(echo typed)'],
  ['a pipe that nobody writes to', '< <(sleep 5 >/dev/null 2>&1)'],
] as const;

/** Runs `ctr-oci` by a line of bash, in a directory of its own. */
function shell(line: string) {
  const cwd = join(at.directory, newId());
  mkdirSync(cwd);
  writeFileSync(join(cwd, 'file'), 'typed\n');
  writeFileSync(join(cwd, 'empty'), '');
  return run(['setsid', '--wait', 'bash', '-c', line], { cwd, env: { CTR_OCI: `${command.join(' ')} --root ${at.root}` } });
}

const bundle = (args: readonly string[]): string => bundleOf(at, configOf(at, args, { process: { terminal: true } }));

describe('a terminal for a program whose caller has none', () => {
  it.each(inputs)('is there for `run` with %s as standard input, and line feeds come out as they are', async (_, input) => {
    const ended = await shell(`$CTR_OCI run --bundle ${bundle(program)} ${newId()} ${input}`);
    expect(ended).toEqual({ code: 0, stdout: said, stderr: '' });
  });

  it.each(inputs)('is there for `exec --tty` with %s as standard input', async (_, input) => {
    const id = newId();
    const ended = await shell(
      `$CTR_OCI run --detach --bundle ${bundleOf(at, configOf(at, ['sleep', '1000']))} ${id} </dev/null >/dev/null 2>&1; $CTR_OCI exec --tty ${id} ${program.map((word) => `'${word}'`).join(' ')} ${input}; code=$?; $CTR_OCI delete --force ${id}; exit $code`,
    );
    expect(ended).toEqual({ code: 0, stdout: said, stderr: '' });
  });

  it('gets what comes by a pipe, and goes on when that ends', async () => {
    const ended = await shell(`echo typed | $CTR_OCI run --bundle ${bundle(['sh', '-c', 'stty -echo; read line; sleep 0.2; echo got $line'])} ${newId()}`);
    expect(ended.stdout.replace(/^typed\r?\n/, '')).toBe('got typed\n');
    expect(ended.code).toBe(0);
  });

  it('is gone when nobody reads what it shows: the program ends by that', async () => {
    const ended = await shell(`$CTR_OCI run --bundle ${bundle(['yes'])} ${newId()} </dev/null | true; echo \${PIPESTATUS[0]}`);
    expect(ended).toMatchObject({ stdout: '141\n', stderr: '' });
  });

  it('and standard output closed runs all the same', async () => {
    const ended = await shell(`$CTR_OCI run --bundle ${bundle(['sh', '-c', 'echo hello; exit 7'])} ${newId()} </dev/null >&-`);
    expect(ended).toEqual({ code: 7, stdout: '', stderr: '' });
  });
});

describe('a terminal of the caller', () => {
  it.each([
    ['with it as input, too', ''],
    ['alone', '</dev/null'],
  ])('shows a line feed as the start of a line: %s', async (_, input) => {
    const ended = await shell(`script -qec "$CTR_OCI run --bundle ${bundle(program)} ${newId()} ${input}" /dev/null`);
    expect(ended).toMatchObject({ code: 0, stdout: 'hello\r\ntty\r\n' });
  });
});
