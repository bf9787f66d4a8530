import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { ctr, shell } from './ctr.js';

const directory = mkdtempSync(join(tmpdir(), 'ctr-compile-'));
chmodSync(directory, 0o755);
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));

describe('ctr compile', () => {
  it('writes an executable that runs the container without Node', async () => {
    const file = join(directory, 'hello');
    expect(await ctr(['compile', '-o', file, '--hostname', 'box', 'sh', '-c', 'echo $$ $(hostname); cat; exit 7'])).toEqual({
      code: 0,
      signal: null,
      stdout: '',
      stderr: '',
    });
    expect(statSync(file).mode & 0o777).toBe(0o777 & ~process.umask());
    expect(readFileSync(file).subarray(0, 4)).toEqual(Buffer.from('\u007fELF'));
    expect(await shell(`echo in | env -i ${file}`)).toMatchObject({ code: 7, stdout: '1 box\nin\n', stderr: '' });
  });

  it('replaces a file as a whole', async () => {
    const file = join(directory, 'again');
    await ctr(['compile', '-o', file, 'true']);
    const { ino } = statSync(file);
    await ctr(['compile', '-o', file, 'false']);
    expect(statSync(file).ino).not.toBe(ino);
    expect(await shell(file)).toMatchObject({ code: 1 });
  });

  it.each([
    [['true'], 'ctr: compile: the file to write is missing: ctr compile -o FILE [OPTIONS] COMMAND [ARGUMENTS]\n'],
    [['-o', directory, 'true'], `ctr: --output: "${directory}": a file, and this is a directory\n`],
    [['-o', '/nowhere/file', 'true'], 'ctr: --output: "/nowhere/file": a file that can be written (ENOENT)\n'],
    [['-o', join(directory, 'no'), '--rootfs', '/nowhere', 'true'], 'ctr: rootfs "/nowhere" does not exist: give a directory that holds a root file system\n'],
    [['-o', join(directory, 'no'), '--timeout', '1s', 'true'], 'ctr: compile: "--timeout": there is no such option; ctr compile --help lists them\n'],
  ])('%j: 125', async (args, stderr) => {
    expect(await ctr(['compile', ...args])).toMatchObject({ code: 125, stdout: '', stderr });
    expect(existsSync(join(directory, 'no'))).toBe(false);
  });

  it('leaves no half of a file where it cannot write', async () => {
    const closed = join(directory, 'closed');
    mkdirSync(closed, { mode: 0o555 });
    expect(await ctr(['compile', '-o', join(closed, 'file'), 'true'], { uid: 65_534 })).toMatchObject({
      code: 125,
      stderr: expect.stringContaining('(EACCES)'),
    });
    expect(readdirSync(closed)).toEqual([]);
  });

  it('shows its plan', async () => {
    expect(await ctr(['compile', '--dry-run', 'true'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/pivot_root[^]*rt_sigtimedwait|rt_sigtimedwait[^]*pivot_root/),
    });
  });
});

describe('ctr child', () => {
  const alone = 'unshare --uts --pid --mount --fork';

  it('does by hand what run does, in namespaces that are there', async () => {
    const line = `export -f ctr; ${alone} bash -c 'ctr child --hostname box sh -c "echo \\$\\$ \\$(hostname); cat; exit 4"'; echo $?; hostname`;
    const { stdout: hostname } = await shell('hostname');
    expect(await shell(line, { input: 'in\n' })).toMatchObject({ stdout: expect.stringMatching(/^\d+ box\nin\n4\n/), stderr: '' });
    expect((await shell('hostname')).stdout).toBe(hostname);
  });

  it('gives the program the default of SIGPIPE', async () => {
    const { stdout } = await shell(`export -f ctr; ${alone} bash -c 'ctr child sh -c "grep SigIgn /proc/self/status"'`);
    expect(BigInt(`0x${stdout.split('\t')[1]?.trim()}`) & (1n << 12n)).toBe(0n);
  });

  it('says what cannot be', async () => {
    expect(await shell(`export -f ctr; ${alone} bash -c 'ctr child no-such-program'`)).toMatchObject({
      code: 127,
      stderr: expect.stringMatching(/^ctr: exec "no-such-program"/),
    });
    expect(await ctr(['child', '--net', 'host', 'true'])).toMatchObject({
      code: 125,
      stderr: 'ctr: child: "--net": there is no such option; ctr child --help lists them\n',
    });
  });

  it('shows its plan', async () => {
    expect(await ctr(['child', '--dry-run', 'true'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/sethostname[^]*pivot_root[^]*execve/) });
  });
});
