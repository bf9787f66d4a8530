import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { overlay, type OverlayOptions } from '@ctr/fs';

import { inUserNamespace, mapIds, mountsBelow, printed, rejection, temporary } from './launched.js';

/** Layers that each have a file of their name; the upper ones are empty. */
function layers(...names: string[]): string[] {
  const parent = temporary();
  return names.map((name, i) => {
    const layer = join(parent, name);
    mkdirSync(layer, { recursive: true });
    writeFileSync(join(layer, `file-${i}`), name);
    return layer;
  });
}

/** An upper and a work directory, on the same file system. */
function writable(): Required<Pick<OverlayOptions, 'upper' | 'work'>> {
  const parent = temporary();
  mkdirSync(join(parent, 'upper'));
  mkdirSync(join(parent, 'work'));
  return { upper: join(parent, 'upper'), work: join(parent, 'work') };
}

describe('overlay', () => {
  it('shows all layers as one, and keeps changes to the upper', async () => {
    const lower = layers('app', 'base');
    const { upper, work } = writable();
    const at = temporary();
    const output = await printed(overlay(at, { lower, upper, work }), `cd ${at}; echo *; echo changed > file-1; busybox rm file-0; echo *; busybox cat file-1`);
    expect(output).toBe('file-0 file-1\nfile-1\nchanged');
    expect(readFileSync(join(lower[1] ?? '', 'file-1'), 'utf8')).toBe('base');
    expect(readdirSync(upper)).toEqual(['file-0', 'file-1']);
  });

  it('is read-only without an upper layer', async () => {
    const at = temporary();
    expect(await printed(overlay(at, { lower: layers('app', 'base') }), `cd ${at}; echo *; echo x 2>&1 > new`)).toMatch(
      /^file-0 file-1\n.*Read-only file system$/,
    );
  });

  it('takes paths of any bytes', async () => {
    const names = ['a:b', 'c,d', 'e\\f', 'g\\:h,i', 'j k', 'l\nm', '\u00e9', 'n"o', 'lowerdir=x'];
    const lower = layers(...names);
    const parent = temporary();
    const [upper, work] = [join(parent, 'u:p,p\\er'), join(parent, 'w,o:r\\k')];
    for (const directory of [upper, work]) mkdirSync(directory);
    const at = temporary();
    const files = names.map((_, i) => `file-${i}`).join(' ');
    // Few and short ones go as one value, more of them one by one.
    for (const few of [lower.slice(0, 4), lower.slice(4), lower]) {
      const shown = await printed(overlay(at, { lower: few, upper, work }), `cd ${at}; echo *`);
      expect(shown).toBe(few === lower ? files : few.map((path) => `file-${lower.indexOf(path)}`).join(' '));
    }
    await printed(overlay(at, { lower, upper, work }), `echo x > ${at}/new`);
    expect(readdirSync(upper)).toEqual(['new']);
  });

  it('takes more layers, and longer paths, than fit one option', async () => {
    const lower = layers(...Array.from({ length: 40 }, (_, i) => `${'layer'.repeat(20)}-${i}`));
    const long = layers(join(...Array.from({ length: 4 }, () => 'y'.repeat(100))));
    const at = temporary();
    expect(await printed(overlay(at, { lower, ...writable() }), `cd ${at}; echo * | busybox wc -w`)).toBe('40');
    expect(await printed(overlay(at, { lower: [...long, ...lower.slice(1, 3)], ...writable() }), `cd ${at}; echo *`)).toBe('file-0 file-1 file-2');
  });

  it('is mounted in a user namespace', async () => {
    const at = temporary();
    const { upper, work } = writable();
    const output = await printed(
      overlay(at, { lower: layers('app'), upper, work, userXattr: true, volatile: true, noSuid: true }),
      `cd ${at}; busybox rm file-0; echo *; busybox grep ${at} /proc/self/mountinfo`,
      inUserNamespace(),
      mapIds,
    );
    expect(output).toMatch(/^\*\n.* rw,nosuid,relatime - overlay overlay rw,.*,userxattr.*volatile|volatile.*userxattr/);
  });

  it('has the options it was given', async () => {
    const at = temporary();
    const [mount] = await mountsBelow(at, overlay(at, { lower: layers('app'), ...writable(), metacopy: true, index: true, source: 'my layers', noExec: true }));
    expect(mount).toMatchObject({ type: 'overlay', source: 'my layers', options: ['rw', 'noexec', 'relatime'] });
    expect(mount?.superOptions).toEqual(expect.arrayContaining(['metacopy=on', 'index=on']));
  });

  it('says which layer does not exist, and what does not fit together', async () => {
    const missing = await rejection(mountsBelow('/', overlay(temporary(), { lower: [...layers('app'), '/no/such/layer'] })));
    expect(missing.message).toMatch(/^fsconfig\(.* = ENOENT .*\nhint: a directory does not exist: .*app, \/no\/such\/layer/);
    const { upper } = writable();
    const elsewhere = await rejection(mountsBelow('/', overlay(temporary(), { lower: layers('app'), upper, work: '/dev/shm' })));
    expect(elsewhere.message).toMatch(
      /^fsconfig\(.*FSCONFIG_CMD_CREATE.* = EINVAL .*\nhint: overlay does not accept its options, or not all of them together: upper and work have to be/,
    );
  });
});
