// Starts processes in a container, or containers in the namespaces of one, that looks into them. It is run by root, or by an ordinary user.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { create, exec, remove, start, type Config } from '@ctr/oci';
import { openFd, openFlags } from '@ctr/syscall';

/** What the program is asked for. */
export interface Job {
  readonly directory: string;
  readonly rootfs: string;
  readonly rounds: number;
  /** The configuration of the container that watches. */
  readonly watcher: Config;
  /** That of a container which joins namespaces of it, whose paths begin with `/proc/PID/`. @default processes are executed in the one that watches */
  readonly joiner?: Config;
}

const { directory, rootfs, rounds, watcher, joiner } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Job;
const root = { root: join(directory, 'state') };
const quiet = { stdio: ['ignore', 'ignore', 'ignore'], cgroup: false } as const;

function bundle(name: string, config: string): string {
  const path = join(directory, name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'config.json'), config);
  return path;
}

const said = join(directory, 'said');
using output = openFd(said, { flags: openFlags.O_RDWR | openFlags.O_CREAT | openFlags.O_APPEND, mode: 0o600 });
const child = await create(bundle('watcher', JSON.stringify(watcher)), 'watcher', { ...root, ...quiet, stdio: ['ignore', output, output] });
await start('watcher', root);
for (let tries = 0; tries < 5000 && readFileSync(said, 'utf8') === ''; tries++) await delay(2);
const joining = joiner && bundle('joiner', JSON.stringify(joiner).replaceAll('/proc/PID/', `/proc/${child.pid}/`));
const codes = new Set<number | null>();
try {
  for (let i = 0; i < rounds; i++) {
    const one = joining
      ? await create(joining, 'joiner', { ...root, ...quiet })
      : await exec('watcher', (own) => ({ ...own, oomScoreAdj: 500, args: ['true'] }), { ...root, stdio: quiet.stdio });
    if (joining) await start('joiner', root);
    codes.add((await one.exited).code ?? null);
    if (joining) await remove('joiner', root);
  }
  writeFileSync(join(rootfs, 'stop'), '');
  await child.exited;
} finally {
  await remove('watcher', { ...root, force: true });
}
console.log(JSON.stringify({ codes: [...codes], text: readFileSync(said, 'utf8') }));
