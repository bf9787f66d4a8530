import { lstatSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { AT_FDCWD, isSyscallError, launch, openFlags, prctlOptions, resultOf, signals, type Child, type Step } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { bind, inRoot, parseMountinfo, tmpfs, type InRootOptions } from '@ctr/fs';

import { record, rounds } from '../../../tools/race-record.mjs';
import { launched, privateMounts, rejection, showMounts, temporary } from './launched.js';

/** A root, with a secret beside it that must stay as it is. */
function rootAndCanary(): { root: string; canary: string } {
  const parent = temporary();
  const [root, canary] = [join(parent, 'root'), join(parent, 'canary')];
  mkdirSync(root);
  mkdirSync(canary);
  writeFileSync(join(canary, 'secret'), '');
  return { root, canary };
}

/** A directory of the host as an open file. */
function opened(directory: string): Step {
  return { call: 'openat', args: [AT_FDCWD, directory, openFlags.O_PATH | openFlags.O_CLOEXEC], purpose: 'the root', as: 'root' };
}

/** Mounts a tmpfs at a path below a root; the places it went to. */
async function mounted(root: string, path: string, options: InRootOptions = {}): Promise<string[]> {
  const open = opened(root);
  const { output } = await launched([...privateMounts(), open, ...tmpfs(inRoot(resultOf(open), path, options), { source: 'test' }), ...showMounts()]);
  return parseMountinfo(output)
    .filter(({ source }) => source === 'test')
    .map(({ mountPoint }) => mountPoint);
}

describe('inRoot', () => {
  it('finds a directory, and makes what is missing', async () => {
    const { root } = rootAndCanary();
    mkdirSync(join(root, 'there'));
    expect(await mounted(root, '/there')).toEqual([join(root, 'there')]);
    expect(await mounted(root, '/there/a/b', { mode: 0o711 })).toEqual([join(root, 'there/a/b')]);
    expect([join(root, 'there/a'), join(root, 'there/a/b')].map((path) => statSync(path).mode & 0o777)).toEqual([0o755, 0o711]);
  });

  it('makes a file to mount a file on', async () => {
    const { root } = rootAndCanary();
    const open = opened(root);
    const { output } = await launched([
      ...privateMounts(),
      open,
      ...bind('/etc/passwd', inRoot(resultOf(open), '/etc/users', { mode: 0o600 }), { kind: 'file' }),
      ...showMounts(),
    ]);
    expect(output).toContain(` ${join(root, 'etc/users')} `);
    expect(statSync(join(root, 'etc/users')).mode).toBe(0o100600);
  });

  describe.each([
    ['absolute', (canary: string) => canary],
    ['relative', (canary: string) => `../../../../../..${canary}`],
    ['relative to the root', () => '../canary'],
    ['dangling', () => '/nowhere/at/all'],
    ['a link to itself', () => 'link'],
    ['a link of proc', () => '/proc/self/root'],
  ])('where the image has a link: %s', (_, target) => {
    it.each([
      ['as the place', '/link'],
      ['on the way to it', '/link/below'],
      ['on the way to what is there outside', '/link/secret'],
    ])('%s, nothing outside is touched', async (_where, path) => {
      const { root, canary } = rootAndCanary();
      symlinkSync(target(canary), join(root, 'link'));
      const error = await rejection(mounted(root, path));
      expect(isSyscallError(error) && error.call).toBe('openat2');
      expect(isSyscallError(error) && error.code).toMatch(/^(ENOENT|ELOOP)$/);
      expect(error.message).toMatch(/\nhint: \/link/);
      expect(readdirSync(canary)).toEqual(['secret']);
      expect(readdirSync(root)).toEqual(['link']);
    });
  });

  it.each([
    ['absolute', '/real'],
    ['relative', 'real'],
    ['with more ".." than there are directories', '../../../real'],
    ['of a link', 'other'],
  ])('follows a link within the root: %s', async (_, target) => {
    const { root } = rootAndCanary();
    mkdirSync(join(root, 'real'));
    symlinkSync('/real', join(root, 'other'));
    symlinkSync(target, join(root, 'link'));
    expect(await mounted(root, '/link')).toEqual([join(root, 'real')]);
    expect(await mounted(root, '/link/below')).toEqual([join(root, 'real/below')]);
  });

  it('follows none if links are refused', async () => {
    const { root } = rootAndCanary();
    mkdirSync(join(root, 'real'));
    symlinkSync('/real', join(root, 'link'));
    const error = await rejection(mounted(root, '/link', { symlinks: 'refuse' }));
    expect(error.message).toMatch(/^openat2\(.*RESOLVE_NO_SYMLINKS.* = ELOOP .*\nhint: \/link has a symbolic link in it/);
    expect(await mounted(root, '/real', { symlinks: 'refuse' })).toEqual([join(root, 'real')]);
  });

  it('says what is in the way', async () => {
    const { root } = rootAndCanary();
    writeFileSync(join(root, 'file'), '');
    for (const path of ['/file', '/file/below'])
      expect((await rejection(mounted(root, path))).message).toMatch(/ = ENOTDIR .*\nhint: something in \/file.* is a file where a directory is needed/);
    expect((await rejection(mounted(root, '/missing', { create: false }))).message).toMatch(/ = ENOENT .*\nhint: \/missing does not exist below the root/);
  });

  it('says that a read-only root lacks a mount point', async () => {
    const root = temporary();
    const open = opened(root);
    const plan = [...privateMounts(), ...bind(root, root, { readonly: true }), open, ...tmpfs(inRoot(resultOf(open), '/missing')), ...showMounts()];
    expect((await rejection(launched(plan))).message).toMatch(/^mkdirat\(.* = EROFS .*\nhint: \/missing is missing and the root is read-only/);
  });

  it('stays inside while somebody exchanges a directory and a link that leads out', async () => {
    const { root, canary } = rootAndCanary();
    mkdirSync(join(root, 'a'));
    symlinkSync(`../${basename(canary)}`, join(root, 'link'));
    await using attacker = await exchanging(join(root, 'a'), join(root, 'link'));
    const seen = new Set<boolean>();
    while (seen.size < 2) seen.add(lstatSync(join(root, 'a')).isSymbolicLink());
    const places: string[] = [];
    const count = rounds(100);
    let refused = 0;
    for (let i = 0; i < count; i++) {
      const error = await mounted(root, '/a/b').then(
        (found) => void places.push(...found),
        (reason: unknown) => reason,
      );
      if (error !== undefined) refused++;
      expect(error === undefined || (isSyscallError(error) && error.code)).toSatisfy((outcome) => outcome === true || outcome === 'ENOENT');
    }
    expect(attacker.kill('SIGKILL')).toBe(true);
    const outside = places.filter((place) => !place.startsWith(`${root}/`));
    expect(outside).toEqual([]);
    expect(readdirSync(canary)).toEqual(['secret']);
    record({
      race: 'a mount point: stays inside while somebody exchanges a directory and a link that leads out',
      rounds: count,
      met: refused,
      gotThrough: outside.length,
    });
  });

  it('finds its way through links with ".." while the machine is busy renaming', async () => {
    const { root } = rootAndCanary();
    for (const name of ['one', 'deep', 'deep/real', 'left', 'right']) mkdirSync(join(root, name));
    symlinkSync('../deep/../deep/../deep/../deep/real', join(root, 'one/link'));
    await using busy = await exchanging(join(root, 'left'), join(root, 'right'));
    for (let i = 0; i < 50; i++) expect(await mounted(root, '/one/link')).toEqual([join(root, 'deep/real')]);
    expect(busy.kill('SIGKILL')).toBe(true);
  });
});

/** A process that exchanges two directory entries for ever. Its set-up is over when it lets go of fd 3, on which it would report. */
function exchanging(one: string, other: string): Promise<Child> {
  const RENAME_EXCHANGE = 2; // linux/fs.h
  const exchange: { -readonly [Key in keyof Step]: Step[Key] } = {
    call: 'renameat2',
    args: [AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE],
    purpose: 'exchange them, again and again',
  };
  exchange.jump = { when: '==', to: exchange };
  return launch([
    { call: 'prctl', args: [prctlOptions.PR_SET_PDEATHSIG, signals.SIGKILL, 0, 0, 0], purpose: 'end with the tests' },
    { call: 'close', args: [3], purpose: 'the set-up is done' },
    exchange,
  ]);
}
