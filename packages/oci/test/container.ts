// Bundles with a root file system of busybox, and the containers made of them.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { call, Fd, type Exit } from '@ctr/syscall';
import { create, defaultConfig, remove, start, type Config, type CreateOptions, type Linux, type Process } from '@ctr/oci';
import { readLayout } from '@ctr/cgroups';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';

/** Where Debian, Fedora and Alpine have it. */
const busybox = '/bin/busybox';

/** A directory for the tests of a file: the root file system, and the states of containers. At the end nothing may be left. */
export interface Place {
  rootfs: string;
  root: string;
  directory: string;
  /** Below it are the cgroups of the containers. */
  cgroup: string;
}

export function place(): Place {
  const made: Place = { rootfs: '', root: '', directory: '', cgroup: '' };
  beforeAll(() => {
    if (!existsSync(busybox)) throw new Error('/bin/busybox is not installed (busybox-static)');
    made.directory = mkdtempSync(join(realpathSync(tmpdir()), 'ctr-oci-'));
    chmodSync(made.directory, 0o755);
    made.root = join(made.directory, 'state');
    made.rootfs = join(made.directory, 'rootfs');
    made.cgroup = `/ctr-oci-test-${process.pid}`;
    fill(made.rootfs);
  });
  afterAll(async () => {
    const states = existsSync(made.root) ? readdirSync(made.root) : [];
    const groups = cgroupsBelow(made.cgroup);
    for (const id of states) await remove(id, { root: made.root, force: true });
    for (const { mount } of readLayout().hierarchies)
      if (existsSync(mount + made.cgroup)) execFileSync('find', [mount + made.cgroup, '-depth', '-type', 'd', '-delete']);
    rmSync(made.directory, { recursive: true });
    expect({ states, groups }).toEqual({ states: [], groups: [] });
  });
  return made;
}

/** The groups below one, in all hierarchies. */
export function cgroupsBelow(path: string): string[] {
  return readLayout().hierarchies.flatMap(({ mount }) =>
    existsSync(mount + path)
      ? readdirSync(mount + path, { withFileTypes: true })
          .filter((entry) => entry.isDirectory())
          .map(({ name }) => join(mount + path, name))
      : [],
  );
}

export function fill(rootfs: string): void {
  for (const name of ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev', 'root']) mkdirSync(join(rootfs, name), { recursive: true });
  chmodSync(join(rootfs, 'tmp'), 0o1777);
  copyFileSync(busybox, join(rootfs, 'bin/busybox'));
  for (const name of execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n'))
    if (name !== 'busybox') symlinkSync('busybox', join(rootfs, 'bin', name));
  writeFileSync(join(rootfs, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n');
  writeFileSync(join(rootfs, 'etc/group'), 'root:x:0:\nuser:x:1000:\n');
}

/** What a test changes of the usual configuration. */
export interface Changes extends Omit<Partial<Config>, 'process' | 'linux'> {
  readonly process?: Partial<Process>;
  readonly linux?: Partial<Linux>;
}

let count = 0;

/** The usual configuration, at no terminal, with changes. */
export function configOf({ rootfs, cgroup }: Place, args: readonly string[], { process: own, linux, ...changes }: Changes = {}): Config {
  const usual = defaultConfig();
  return {
    ...usual,
    root: { path: rootfs, readonly: true },
    ...changes,
    process: { cwd: '/', ...usual.process, terminal: false, args, ...own },
    linux: { ...usual.linux, cgroupsPath: `${cgroup}/c${++count}`, ...linux },
  };
}

/** A bundle in a directory of its own, gone when the test is over. */
export function bundleOf({ directory }: Place, config: Config): string {
  const bundle = mkdtempSync(join(directory, 'bundle-'));
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
  onTestFinished(() => rmSync(bundle, { recursive: true, force: true }));
  return bundle;
}

/** What a program writes goes to a file in memory. */
export class Output {
  readonly fd = new Fd(call({ call: 'memfd_create', args: ['output', 1], purpose: 'what a program says' }));
  constructor() {
    onTestFinished(() => this.fd.close());
  }
  get text(): string {
    return readFileSync(`/proc/self/fd/${this.fd.number}`, 'utf8');
  }
}

/** An id that no other test has. */
export function newId(): string {
  return `t${process.pid}-${++count}`;
}

/** A container that has been created, and is removed when the test is over. */
export async function created(at: Place, args: readonly string[], changes: Changes = {}, options: CreateOptions = {}) {
  const id = newId();
  const output = new Output();
  onTestFinished(() => remove(id, { root: at.root, force: true }));
  const child = await create(bundleOf(at, configOf(at, args, changes)), id, { root: at.root, stdio: ['ignore', output.fd, output.fd], ...options });
  return { id, child, output, root: { root: at.root } };
}

/** Runs a container to its end: how it ended, and what it said. */
export async function ran(
  at: Place,
  args: readonly string[],
  changes: Changes = {},
  options: CreateOptions = {},
): Promise<{ readonly exit: Exit; readonly output: string }> {
  const { id, child, output, root } = await created(at, args, changes, options);
  await start(id, root);
  const exit = await child.exited;
  return { exit, output: output.text };
}
