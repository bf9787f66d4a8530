// Bundles that umoci unpacks, run as they are: umoci has no runtime of its own.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';

import { command, type Outcome } from '../ctr-oci.js';
import { ociLayout } from './oci-archive.js';
import { as, enrol, environmentOf, type Owner } from './owner.js';
import { archiveOf } from './podman.js';
import { missing, Sandbox } from './sandbox.js';

const lacks = missing('umoci', 'script', 'setpriv');
const root: Owner = { uid: 0 };
let sandbox: Sandbox | undefined;
let layout = '';

const here = (): Sandbox => {
  if (!sandbox) throw new Error('there is no sandbox');
  return sandbox;
};

async function umoci(owner: Owner, ...args: readonly string[]): Promise<void> {
  expect(await here().run([...as(owner), 'umoci', ...args], { env: environmentOf(owner) })).toMatchObject({ code: 0 });
}

/** Unpacks the image, and runs what it says at a terminal. */
async function ran(owner: Owner, name: string, ...options: readonly string[]): Promise<Outcome> {
  const directory = join(here().directory, name);
  // umoci writes to the image, even to unpack it.
  cpSync(layout, join(directory, 'image'), { recursive: true });
  execFileSync('chown', ['-R', `${owner.uid}:${owner.uid}`, directory]);
  const bundle = join(directory, 'bundle');
  await umoci(owner, 'unpack', '--image', join(directory, 'image:latest'), ...options, bundle);
  // It is its owner's alone, and a container with other ids has another.
  chmodSync(bundle, 0o711);
  const words = [...as(owner), ...command, 'run', '--bundle', bundle, name].map((word) => `'${word}'`);
  const outcome = await here().run(['script', '--quiet', '--return', '--command', words.join(' '), '/dev/null'], { env: environmentOf(owner) });
  return { ...outcome, stdout: outcome.stdout.replaceAll(/[\r\0]|\^@/g, '') };
}

beforeAll(async () => {
  if (lacks !== undefined) return;
  sandbox = await Sandbox.open('umoci');
  const { directory } = sandbox;
  layout = ociLayout(directory, archiveOf(directory), 'bb');
  const line = 'tty; id -u; pwd; echo $A; tr -s " " < /proc/self/uid_map; exit 7';
  const program = ['sh', '-c', line].flatMap((word) => ['--config.cmd', word]);
  await umoci(
    root,
    'config',
    '--image',
    `${layout}:latest`,
    '--clear=config.cmd',
    ...program,
    '--config.workingdir=/tmp',
    '--config.env=A=b',
    '--config.volume=/data',
  );
});
beforeEach((context) => {
  if (lacks !== undefined) context.skip(`${lacks} is not installed`);
});
afterAll(async () => {
  if (sandbox) expect(await sandbox.close()).toEqual({ groups: [], states: [] });
});

it('a bundle that umoci makes of an image runs as that says', async () => {
  expect(await ran(root, 'plain')).toMatchObject({ code: 7, stdout: '/dev/pts/0\n0\n/tmp\nb\n 0 0 4294967295\n' });
});

it('a bundle with mapped ids runs', async () => {
  const maps = ['--uid-map=0:100000:65536', '--gid-map=0:100000:65536'];
  expect(await ran(root, 'mapped', ...maps)).toMatchObject({ code: 7, stdout: '/dev/pts/0\n0\n/tmp\nb\n 0 100000 65536\n' });
});

it('a bundle of an ordinary user runs for them', async () => {
  const owner = { uid: 54_323 };
  await enrol(here(), owner);
  expect(await ran(owner, 'own', '--rootless')).toMatchObject({ code: 7, stdout: '/dev/pts/0\n0\n/tmp\nb\n 0 54323 1\n' });
});
