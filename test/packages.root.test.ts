import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const packages = readdirSync(join(root, 'packages')).filter((name) => existsSync(join(root, 'packages', name, 'package.json')));

/** One function of each package, called; what it prints has to begin like this. */
const calls: Record<string, readonly [code: string, begin: string]> = {
  syscall: [`import { explain } from '@ctr/syscall'; console.log(explain([{ call: 'getpid', args: [], purpose: 'who am I' }]));`, '1  getpid()'],
  namespaces: [`import { hostname } from '@ctr/namespaces'; console.log(hostname('box')[0].call);`, 'sethostname'],
  fs: [`import { propagation } from '@ctr/fs'; console.log(propagation('/', 'private')[0].call);`, 'mount'],
  cgroups: [
    `import { readLayout } from '@ctr/cgroups'; import { expandSlice } from '@ctr/cgroups/systemd'; console.log(expandSlice('a-b.slice'), typeof readLayout());`,
    'a.slice/a-b.slice object',
  ],
  security: [`import { compileFilter, defaultProfile } from '@ctr/security'; console.log(typeof compileFilter(defaultProfile).count);`, 'number'],
  runtime: [`import { run } from '@ctr/runtime'; const { stdout } = await run(['hostname'], { hostname: 'box' }); console.log(stdout);`, 'box'],
  oci: [`import { parseConfig, defaultConfig } from '@ctr/oci'; console.log(parseConfig(JSON.stringify(defaultConfig())).hostname);`, 'ctr'],
  cli: [`import { execFileSync } from 'node:child_process'; console.log(String(execFileSync('node_modules/.bin/ctr', ['run', 'hostname'])));`, 'container'],
};

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

describe('a packed package, installed alone', () => {
  const work = mkdtempSync(join(tmpdir(), 'ctr-packages-'));
  const copy = join(work, 'copy');
  const manifest = (name: string): Manifest => JSON.parse(readFileSync(join(copy, 'packages', name, 'package.json'), 'utf8')) as Manifest;
  const tarball = (name: string): string => join(work, `ctr-${name}-${manifest(name).version}.tgz`);

  /** A package and the packages of ours that it needs. */
  const withOurs = (name: string): string[] => {
    const needed = Object.keys(manifest(name).dependencies ?? {}).filter((dependency) => dependency.startsWith('@ctr/'));
    return [...new Set([name, ...needed.flatMap((dependency) => withOurs(basename(dependency)))])];
  };

  beforeAll(async () => {
    mkdirSync(copy);
    for (const name of ['package.json', '.changeset', 'packages'])
      cpSync(join(root, name), join(copy, name), { recursive: true, filter: (path) => basename(path) !== 'node_modules' });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    await run(join(root, 'node_modules/.bin/changeset'), ['version'], { cwd: copy });
    await run('npm', ['pack', '--silent', '--pack-destination', work, ...packages.map((name) => `./packages/${name}`)], { cwd: copy });
  }, 120_000);
  afterAll(() => rmSync(work, { recursive: true }));

  it('has one version with all others, the one that the changesets make', () => {
    const versions = new Set(packages.map((name) => manifest(name).version));
    expect(versions.size).toBe(1);
    expect(versions).not.toContain('0.0.0');
    for (const name of packages)
      for (const [dependency, version] of Object.entries(manifest(name).dependencies ?? {}))
        if (dependency.startsWith('@ctr/')) expect(`${dependency}@${version}`).toBe(`${dependency}@${[...versions][0]}`);
  });

  it.each(packages)('%s is imported and called, and brings nothing but koffi and what speaks D-Bus', { timeout: 120_000 }, async (name) => {
    const directory = mkdtempSync(join(work, `${name}-`));
    // Not hoisted, as other package managers install: what a package does not depend on, it does not find.
    const options = ['--install-strategy=nested', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--silent'];
    await run('npm', ['install', ...options, ...withOurs(name).map(tarball)], { cwd: directory });
    expect(readdirSync(join(directory, 'node_modules')).filter((entry) => !entry.startsWith('.'))).toEqual(['@ctr']);
    expect(readdirSync(join(directory, 'node_modules/@ctr')).toSorted()).toEqual(withOurs(name).toSorted());
    expect(readdirSync(join(directory, 'node_modules/@ctr/syscall/node_modules')).filter((entry) => !entry.startsWith('.'))).toContain('koffi');
    const ofCgroups = join(directory, 'node_modules/@ctr/cgroups');
    if (existsSync(ofCgroups)) expect(existsSync(join(ofCgroups, 'node_modules/@homebridge/dbus-native'))).toBe(true);

    const [code, begin] = calls[name] ?? [`throw new Error('say in calls which function of @ctr/${name} is to be called')`, ''];
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', code], { cwd: directory });
    expect(stdout.startsWith(begin), `${stdout} begins with ${begin}`).toBe(true);
    if (name !== 'cli') return;
    const version = await run(join(directory, 'node_modules/.bin/ctr'), ['--version'], { cwd: directory });
    expect(version.stdout.trim()).toContain(manifest('cli').version);
  });
});
