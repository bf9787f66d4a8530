// A ctr that has more rights than who calls it would do anything for anybody: it does nothing.
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { bin, ctr, type Outcome } from './ctr.js';

/** Runs `ctr` with other ids, and maybe by another Node. */
function by(changes: readonly string[], node = process.execPath): Promise<Outcome> {
  const child = spawn('setpriv', [...changes, node, bin, 'run', 'id', '-u'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: '/',
    env: { PATH: process.env['PATH'] },
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (bytes) => (said.stdout += String(bytes)));
  child.stderr.on('data', (bytes) => (said.stderr += String(bytes)));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, ...said }));
  });
}

const refused = (uid: number, gid: number): unknown => ({
  code: 125,
  signal: null,
  stdout: '',
  stderr: `ctr: set-user-id or set-group-id: it runs with the rights of user 0 and group 0, for user ${uid} and group ${gid}: remove the bit, and use sudo or no root at all\n`,
});

describe('ctr with the rights of another user', () => {
  it('refuses, in one line: by its ids', async () => {
    expect(await by(['--ruid=1000'])).toEqual(refused(1000, 0));
    expect(await by(['--rgid=1000', '--keep-groups'])).toEqual(refused(0, 1000));
  });

  it('refuses, in one line: by the bit of a program', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ctr-set-user-id-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    chmodSync(directory, 0o755);
    const node = join(directory, 'node');
    copyFileSync(process.execPath, node);
    chmodSync(node, 0o6755);
    expect(await by(['--reuid=1000', '--regid=1000', '--clear-groups'], node)).toEqual(refused(1000, 1000));
  });

  it('is not what root is, nor any other user', async () => {
    expect(await ctr(['run', 'id', '-u'])).toMatchObject({ code: 0, stdout: '0\n' });
    expect(await ctr(['version'], { uid: 65_534 })).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('the ids of -u', () => {
  it.each<[text: string, ids: string | undefined]>([
    ['0', '0 0'],
    ['54321', '54321 0'],
    ['1:0', '1 0'],
    ['4294967294', '4294967294 0'],
    ...[':1', '01', '+1', '1e0', '', '-1', '4294967295', '4294967296', '1:', '1:01', '0x0', ' 1', '1 '].map((text): [string, undefined] => [text, undefined]),
  ])('%j are exactly these, or there is an error and no container', async (text, ids) => {
    const { code, stdout, stderr } = await ctr(['run', `--user=${text}`, 'sh', '-c', 'echo started $(id -u) $(id -g)']);
    if (ids === undefined) expect([code, stdout, stderr]).toEqual([125, '', expect.stringMatching(/^ctr: .*\n$/)]);
    else expect([code, stdout, stderr]).toEqual([0, `started ${ids}\n`, '']);
  });
});
