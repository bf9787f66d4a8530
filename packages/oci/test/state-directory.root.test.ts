// A state is reached by its open directory, whatever others put in the place of its path; and others cannot look into it.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { isWaiting, makeGate } from '../src/state/gate.js';
import { StateDirectory } from '../src/state/directory.js';

const NOBODY = 65_534;
let above: string;
let root: string;
const modeOf = (path: string): number => statSync(path).mode & 0o7777;
const asNobody = (command: string, ...args: readonly string[]): number | null => spawnSync(command, args, { uid: NOBODY, gid: NOBODY }).status;

beforeEach(() => {
  above = mkdtempSync(join(tmpdir(), 'ctr-state-'));
  chmodSync(above, 0o755);
  root = join(above, 'state');
});
afterEach(() => rmSync(above, { recursive: true }));

/** A container's directory with something in it. */
async function made(id = 'web'): Promise<StateDirectory> {
  const { directory, lock } = await StateDirectory.create(root, id);
  lock.close();
  directory.write('state.json', 'of web');
  return directory;
}

describe('the directory of a state', () => {
  it('is the same one when something else has been put at its path: nothing there is read, written or removed', async () => {
    using directory = await made();
    renameSync(join(root, 'web'), join(root, 'moved'));
    mkdirSync(join(root, 'web'));
    for (const name of ['state.json', 'go']) writeFileSync(join(root, 'web', name), 'of another');
    expect(directory.read('state.json')).toBe('of web');
    directory.write('config.json', 'new');
    expect(readdirSync(join(root, 'moved')).toSorted()).toEqual(['config.json', 'state.json']);
    using _gate = makeGate(directory);
    expect(isWaiting(directory)).toBe(true);
    expect(() => directory.remove('state.json')).toThrow(/ENOTEMPTY|ENOENT|EEXIST/);
    expect(readdirSync(join(root, 'moved'))).toEqual([]);
    expect(readdirSync(join(root, 'web')).toSorted()).toEqual(['go', 'state.json']);
    expect(readFileSync(join(root, 'web/state.json'), 'utf8')).toBe('of another');
  });

  it.each([
    ['a link', () => symlinkSync(join(above, 'elsewhere'), join(root, 'web')), 'does-not-exist'],
    ['a file', () => writeFileSync(join(root, 'web'), ''), 'does-not-exist'],
    [
      'a directory of another user',
      () => {
        mkdirSync(join(root, 'web'));
        chownSync(join(root, 'web'), NOBODY, NOBODY);
      },
      'broken',
    ],
  ])('is not %s', (_, put, kind) => {
    mkdirSync(root);
    mkdirSync(join(above, 'elsewhere'));
    put();
    expect(() => StateDirectory.open(root, 'web')).toThrow(expect.objectContaining({ kind }));
  });

  it.each([
    ['a link', (file: string) => symlinkSync('/etc/passwd', file)],
    ['a fifo, at which nobody would ever write', (file: string) => void execFileSync('mkfifo', [file])],
    ['a directory', (file: string) => mkdirSync(file)],
    ['a device', (file: string) => void execFileSync('mknod', [file, 'c', '1', '5'])],
    [
      'a file of another user',
      (file: string) => {
        writeFileSync(file, '{}');
        chownSync(file, NOBODY, NOBODY);
      },
    ],
    ['a file of more than is read', (file: string) => void execFileSync('truncate', ['-s', '1G', file])],
  ])('has no file that is %s', async (_, put) => {
    using directory = await made();
    rmSync(join(root, 'web/state.json'));
    put(join(root, 'web/state.json'));
    expect(() => directory.read('state.json')).toThrow(expect.objectContaining({ kind: 'broken' }));
    directory.remove('state.json');
    expect(existsSync('/etc/passwd')).toBe(true);
    expect(readdirSync(root)).toEqual([]);
  });

  it('is removed with all that is in it, and by no link', async () => {
    mkdirSync(join(above, 'elsewhere'));
    writeFileSync(join(above, 'elsewhere/kept'), '');
    using directory = await made();
    mkdirSync(join(root, 'web/notify/deep'), { recursive: true });
    writeFileSync(join(root, 'web/notify/deep/file'), '');
    symlinkSync(join(above, 'elsewhere'), join(root, 'web/notify/link'));
    directory.remove('state.json');
    expect(readdirSync(root)).toEqual([]);
    expect(readdirSync(join(above, 'elsewhere'))).toEqual(['kept']);
  });

  it('lies in no root in which others can exchange what is there', async () => {
    using _directory = await made();
    chmodSync(root, 0o777);
    expect(() => StateDirectory.open(root, 'web')).toThrow(/others can exchange/);
    await expect(StateDirectory.create(root, 'other')).rejects.toThrow(/others can exchange/);
    // What is not one's own can neither be renamed nor removed there.
    chmodSync(root, 0o1777);
    using opened = StateDirectory.open(root, 'web');
    expect(opened.read('state.json')).toBe('of web');
    chmodSync(root, 0o700);
    chownSync(root, NOBODY, NOBODY);
    expect(() => StateDirectory.open(root, 'web')).toThrow(/others can exchange/);
  });

  it('lies in no root of another user, with the sticky bit either: the owner of a directory may rename what is in it', async () => {
    using _directory = await made();
    chownSync(root, NOBODY, NOBODY);
    chmodSync(root, 0o1755);
    expect(asNobody('mv', join(root, 'web'), join(root, 'moved'))).toBe(0);
    expect(asNobody('mv', join(root, 'moved'), join(root, 'web'))).toBe(0);
    expect(() => StateDirectory.open(root, 'web')).toThrow(/others can exchange/);
    await expect(StateDirectory.create(root, 'other')).rejects.toThrow(/others can exchange/);
    expect(() => StateDirectory.ids(root)).toThrow(/others can exchange/);
    // Not so in a root of one's own.
    chownSync(root, 0, 0);
    chmodSync(root, 0o1777);
    expect(asNobody('mv', join(root, 'web'), join(root, 'moved'))).not.toBe(0);
    using _opened = StateDirectory.open(root, 'web');
  });
});

describe('other users of the host', () => {
  it('see neither what is in it nor which containers there are', async () => {
    using _directory = await made();
    expect([modeOf(root), modeOf(join(root, 'web')), modeOf(join(root, 'web/state.json'))]).toEqual([0o700, 0o700, 0o600]);
    expect(asNobody('stat', join(root, 'web'))).not.toBe(0);
    // It is not for lack of a way there.
    expect(asNobody('stat', root)).toBe(0);
  });

  it('do not come into one that an older version has left open', async () => {
    using _directory = await made();
    chmodSync(root, 0o711);
    chmodSync(join(root, 'web'), 0o711);
    expect(asNobody('stat', join(root, 'web/state.json'))).toBe(0);
    using _opened = StateDirectory.open(root, 'web');
    expect(modeOf(join(root, 'web'))).toBe(0o700);
    expect(asNobody('stat', join(root, 'web/state.json'))).not.toBe(0);
  });
});
