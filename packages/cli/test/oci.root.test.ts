import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readLayout } from '@ctr/cgroups';
import { defaultConfig, type Config } from '@ctr/oci';
import { expect, it, onTestFinished } from 'vitest';

import { ctr } from './ctr.js';

/** A bundle whose shell runs a line, in a directory that is gone when the test is over. */
function bundle(line: string, changes: object = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'ctr-bundle-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, 'rootfs/bin'), { recursive: true });
  copyFileSync('/bin/busybox', join(directory, 'rootfs/bin/sh'));
  const usual = defaultConfig();
  const config: Config = {
    ...usual,
    root: { path: 'rootfs' },
    process: { cwd: '/', ...usual.process, terminal: false, args: ['/bin/sh', '-c', line] },
    linux: { ...usual.linux, cgroupsPath: '/ctr-bundle-test' },
  };
  writeFileSync(join(directory, 'config.json'), JSON.stringify({ ...config, ...changes }));
  return directory;
}

it('runs a bundle, and ends as its program does', async () => {
  expect(await ctr(['run', '--oci', bundle('echo from $(/bin/sh -c "echo the bundle"); exit 7')])).toMatchObject({
    code: 7,
    stdout: 'from the bundle\n',
    stderr: '',
  });
});

it('explains a bundle, and makes nothing of it', async () => {
  const directory = bundle('true', { unheardOf: 1 });
  const text = await ctr(['run', '--oci', directory, '--dry-run']);
  expect(text).toMatchObject({ code: 0, stdout: expect.stringMatching(/clone[^]*mount[^]*pivot_root[^]*execve\("\/bin\/sh"/) as unknown });
  expect(text.stderr).toMatch(/^ctr: warning: unheardOf: [^\n]*\n$/);
  const json = await ctr(['run', '--oci', directory, '--dry-run', '--json', '-q']);
  expect(json.stderr).toBe('');
  expect((JSON.parse(json.stdout) as unknown[]).length).toBe(text.stdout.trimEnd().split('\n').length);
  expect((await ctr(['run', '--oci', directory, '--show-posture', '-q'])).stdout).toMatch(/^no_new_privs|capabilities|seccomp/m);
  const groups = readLayout().hierarchies.flatMap(({ mount }) => readdirSync(mount).filter((name) => name === 'ctr-bundle-test'));
  expect(groups).toEqual([]);
});

it('has systemd make the cgroup where the bundle has its words for it, unless another manager is named', async () => {
  const linux = { ...defaultConfig().linux, cgroupsPath: 'machine.slice:pod:web' };
  const directory = bundle('echo ran', { linux });
  expect((await ctr(['run', '--oci', directory, '--dry-run'])).stdout).toContain('the scope pod-web.scope of systemd in machine.slice');
  expect((await ctr(['run', '--oci', directory, '--dry-run', '--cgroup-manager', 'cgroupfs'])).stdout).toContain('machine.slice:pod:web');
  expect(await ctr(['run', '--oci', directory, '--cgroup-manager', 'cgroupfs'])).toMatchObject({ code: 0, stdout: 'ran\n' });
  if (existsSync('/run/systemd/system')) return;
  expect(await ctr(['run', '--oci', directory])).toMatchObject({ code: 125, stderr: expect.stringContaining('systemd is not running here') as unknown });
});

const program = (...args: string[]): object => ({ process: { cwd: '/', args } });

it.each<[code: number, what: string, changes: object, message: RegExp]>([
  [125, 'a bundle that cannot be', { hostname: 5 }, /^ctr: hostname: 5: /],
  [125, 'a root that is missing', { root: { path: 'no-rootfs' } }, /^ctr: .*no-rootfs/],
  [126, 'a directory', program('/bin'), /^ctr: exec: "\/bin"\n/],
  [127, 'a program that is nowhere', program('nothing'), /^ctr: exec: "nothing": executable file not found in \$PATH\n {2}hint: /],
  [127, 'a path that leads nowhere', program('/bin/nothing'), /^ctr: faccessat2\(.*"\/bin\/nothing".* = ENOENT/],
])('fails with %i, as without a bundle: %s', async (code, _, changes, message) => {
  expect(await ctr(['run', '--oci', bundle('true', changes)])).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) as unknown });
});

it('fails with 125 where there is no bundle', async () => {
  expect(await ctr(['run', '--oci', '/nowhere'])).toMatchObject({
    code: 125,
    stderr: 'ctr: /nowhere/config.json cannot be read (ENOENT): a bundle is a directory with a config.json in it\n',
  });
});

it('says what is wrong with a bundle, and what cannot stand beside one', async () => {
  expect(await ctr(['run', '--oci', bundle('true', { hostname: 5 }), '--dry-run'])).toMatchObject({
    code: 125,
    stderr: expect.stringMatching(/^ctr: hostname: 5/) as unknown,
  });
  for (const words of [['true'], ['-m', '64m'], ['-t'], ['-e', 'A=1']])
    expect(await ctr(['run', '--oci', '/nowhere', ...words])).toMatchObject({
      code: 125,
      stderr: expect.stringContaining('the bundle says what runs and how') as unknown,
    });
});
