// What others have made up, in what `ctr-oci` prints and logs: nothing of it may command a terminal, or read otherwise than it is.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { configOf, newId, place } from './container.js';
import { ctrOci } from './ctr-oci.js';

const at = place();
const odd = 'a\u202Eb\u2066c\u001B[2Jd\u200Be';
const escaped = String.raw`a\u202eb\u2066c\u001b[2Jd\u200be`;
const printed = /^[\n\t\u0020-\u007E\u00A1-\u00AC\u00AE-\u024F…→]*$/;

describe('what ctr-oci prints', () => {
  it.each<[string, readonly string[]]>([
    ['an id', ['state', odd]],
    ['a command', [odd]],
    ['an option', ['list', `--${odd}`]],
    ['a value', ['--log-format', odd, 'list']],
    ['a signal', ['kill', 'x', odd]],
    ['a word too many', ['state', 'x', odd]],
    ['a path', ['run', '--bundle', `/${odd}`, 'x']],
  ])('shows %s and does not obey it', async (_, args) => {
    const { stdout, stderr } = await ctrOci(['--root', at.root, ...args]);
    expect(stdout + stderr).toMatch(printed);
    expect(stderr).toContain(escaped);
  });

  it('cuts what is long where it is quoted', async () => {
    expect((await ctrOci(['--root', at.root, 'state', 'x!'.repeat(5000)])).stderr.length).toBeLessThan(300);
  });

  it('is JSON of the same value, and a table, where there is something odd in a container', async () => {
    const [id, bundle] = [newId(), join(at.directory, odd)];
    mkdirSync(bundle);
    const config = { ...configOf(at, ['sleep', '1000']), annotations: { [odd]: odd } };
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
    const log = join(at.directory, 'log');
    const oci = (...args: string[]) => ctrOci(['--root', at.root, '--log', log, '--log-format', 'json', ...args]);
    onTestFinished(async () => void (await oci('delete', '--force', id)));
    expect((await ctrOci(['--root', at.root, 'create', '--bundle', bundle, id], { quiet: true })).code).toBe(0);
    for (const args of [['state', id], ['list', '--format', 'json'], ['list']]) {
      const { stdout } = await oci(...args);
      expect(stdout).toMatch(printed);
      expect(stdout).toContain(escaped);
    }
    const shown = JSON.parse((await oci('state', id)).stdout) as { bundle: string; annotations: Record<string, string> };
    expect(shown).toMatchObject({ bundle, annotations: { [odd]: odd } });
    expect(JSON.parse((await oci('list', '--format', 'json')).stdout)).toMatchObject([{ bundle }]);
    await oci('state', odd);
    const text = readFileSync(log, 'utf8');
    expect(text).toMatch(printed);
    expect((JSON.parse(text.trim().split('\n').at(-1) ?? '') as { msg: string }).msg).toContain(escaped);
  });

  it('is one row of a table for each container, whatever the path of its bundle has in it', async () => {
    const [id, bundle] = [newId(), join(at.directory, 'a\nforged\t1\trunning')];
    mkdirSync(bundle);
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(configOf(at, ['sleep', '1000'])));
    onTestFinished(async () => void (await ctrOci(['--root', at.root, 'delete', '--force', id])));
    expect((await ctrOci(['--root', at.root, 'create', '--bundle', bundle, id], { quiet: true })).code).toBe(0);
    const [heading, row, ...others] = (await ctrOci(['--root', at.root, 'list'])).stdout.split('\n');
    expect(heading).toMatch(/^ID +PID +STATUS +BUNDLE +CREATED +OWNER$/);
    expect(row).toContain(String.raw`/a\nforged\t1\trunning `);
    expect(others).toEqual(['']);
  });

  it('is the log as text, too', async () => {
    const log = join(at.directory, 'text-log');
    await ctrOci(['--root', at.root, '--log', log, 'run', '--bundle', `/${odd}`, 'x']);
    expect(readFileSync(log, 'utf8')).toMatch(/^time="[^"]+" level=error msg="[\u0020-\u007E]*"\n$/);
  });

  it('is what a link in the image leads to', async () => {
    symlinkSync(`/proc/self/fd/${odd}`, join(at.rootfs, 'odd'));
    const bundle = join(at.directory, 'odd-mount');
    mkdirSync(bundle);
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(configOf(at, [`/bin/${odd}`], { process: { cwd: '/odd' } })));
    const { stderr } = await ctrOci(['--root', at.root, '--debug', 'run', '--bundle', bundle, newId()]);
    expect(stderr).not.toBe('');
    expect(stderr).toMatch(printed);
  });
});
