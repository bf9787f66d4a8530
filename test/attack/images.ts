// Attacks of an image, of whoever gives the directory to start in, and of files of the host that are bound.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { gotThrough, held, refused, type Attack, type Verdict } from './attack.js';
import type { Caller } from './callers.js';
import { ended, type Launch, type Stage } from './stage.js';

const readonlyBind = 'docs/security.md#what-is-known-and-left: a read-only bind mount shows files of the host';

/** Numbers of files that are tried: the standard ones, those of Node and of ctr, and twenty directories that the caller has open. */
const numbers = [...Array.from({ length: 40 }, (_, n) => n), 45, 50, 55, 59, 64];
/** Of a way that is a process of its own for each. */
const few = [0, 3, 10, 20, 45];
const withDirectories = ['bash', '-c', 'for n in {40..59}; do eval "exec $n</"; done; exec "$@"', 'bash'];

/** Everything about a directory and what is in it. */
function listing(directory: string): string {
  return ['', ...readdirSync(directory, { recursive: true, encoding: 'utf8' })]
    .toSorted()
    .map((name) => {
      const { mode, uid, gid, ino, size, mtimeMs } = lstatSync(join(directory, name));
      return [name, mode.toString(8), uid, gid, ino, size, mtimeMs].join(' ');
    })
    .join('\n');
}

/** A directory of an image that is a link to one of the host, when the container is set up. */
function linked(name: string): Attack {
  return {
    name: `${name}-link`,
    group: 'Images',
    mayRefuse: true,
    tries: `\`/${name}\` of the image is a link to a directory of the host`,
    async attempt(stage, caller, way) {
      const rootfs = stage.newImage(caller);
      const canary = stage.scratch(caller.rootOutside);
      for (const below of ['pts', 'shm', 'sys', 'fs']) mkdirSync(join(canary, below));
      for (const file of ['null', 'console', 'ptmx', 'sysrq-trigger', 'keys']) writeFileSync(join(canary, file), 'canary');
      rmSync(join(rootfs, name), { recursive: true });
      symlinkSync(canary, join(rootfs, name));
      const before = listing(canary);
      const { stdout, outcomes } = await stage.run(caller, way, {
        rootfs,
        commands: [{ command: ['/attack/attempts', 'escape-root', 'configure-host', 'masked'] }],
      });
      if (listing(canary) !== before || readFileSync('/proc/self/mountinfo', 'latin1').includes(canary))
        return gotThrough('the directory of the host is another');
      if (/\tgot\t/.test(stdout)) return gotThrough(stdout.trim());
      return stdout === '' ? refused(outcomes[0]?.error ?? 'it did not start') : held('it leads to nothing of the host');
    },
    control: () => '`attack/hostile-image.root.test.ts` has it',
  };
}

/** What an image has in the place of /etc/passwd must not keep ctr busy. */
function passwd(what: string, make: (path: string) => void): Attack {
  return {
    name: `passwd-${what}`,
    group: 'Images',
    mayRefuse: true,
    tries: `\`/etc/passwd\` of the image is ${what === 'FIFO' ? 'a FIFO that nobody writes to' : 'a sparse file of 1 TB'}`,
    async attempt(stage, caller, way) {
      const rootfs = stage.newImage(caller);
      const path = join(rootfs, 'etc/passwd');
      rmSync(path);
      make(path);
      const begin = performance.now();
      const child = stage.start(caller, way, { rootfs, commands: [{ command: ['/attack/attempts', 'program-files'] }] });
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      const { stdout, stderr, outcomes } = await ended(child);
      clearTimeout(timer);
      if (performance.now() - begin > 9_000) return gotThrough('ctr waits for ever');
      return stdout === '' ? refused(outcomes[0]?.error ?? stderr) : held('it is passed over');
    },
    control: () => '`attack/passwd.root.test.ts` has it',
  };
}

/** A directory to start in, or a program, that is an open file of whoever sets the container up. */
function byNumber(name: 'directory' | 'program'): Attack {
  return {
    name: `open-${name}`,
    group: 'Images',
    mayRefuse: true,
    tries: `the ${name === 'directory' ? 'directory to start in' : 'program'} is \`/proc/self/fd/N\`, of ${numbers.length} numbers, with 20 more directories of the host open`,
    async attempt(stage, caller, way) {
      const launch = (n: number): { command: readonly string[]; cwd?: string } =>
        name === 'directory'
          ? { command: ['/attack/attempts', 'escape-root'], cwd: `/proc/self/fd/${n}` }
          : { command: [`/proc/self/fd/${n}${stage.attempts}`, 'escape-root'] };
      const lists = way === 'ctr child' ? few.map((n) => [launch(n)]) : [numbers.map(launch)];
      let started = 0;
      for (const commands of lists) {
        const [first] = commands;
        const options = way === 'ctr child' && first?.cwd !== undefined ? { cwd: first.cwd } : {};
        const { stdout } = await stage.run(caller, way, { rootfs: stage.image(caller), commands, options, by: withDirectories });
        if (/\tgot\t/.test(stdout) || (name === 'program' && stdout !== '')) return gotThrough(stdout.trim());
        started += stdout === '' ? 0 : stdout.trim().split('\n').length;
      }
      return started === 0 ? refused('no number leads anywhere') : held(`${started} started, in the container`);
    },
    control: () => '`attack/descriptors.root.test.ts` has it',
  };
}

/** Locks and leases of the host's files, by what the kernel lists. */
function locked(directory: string): string {
  const inodes = new Set(readdirSync(directory).map((name) => String(lstatSync(join(directory, name)).ino)));
  const found = readFileSync('/proc/locks', 'latin1')
    .split('\n')
    .filter((line) => inodes.has(/:(\d+) /.exec(line)?.[1] ?? ''))
    .map((line) => line.trim().split(/\s+/)[1] ?? '');
  return [...new Set(found)].join(', ');
}

async function bound(stage: Stage, where: string, host: string, start: (env: Launch['env']) => ReturnType<Stage['start']>): Promise<Verdict> {
  const before = listing(host);
  const child = start({ WHERE: where });
  const ending = ended(child);
  if (child.stdout) await Promise.race([once(child.stdout, 'data'), ending]);
  const locks = locked(host);
  child.stdin?.end();
  const { stdout, stderr, outcomes } = await ending;
  if (stdout === '') return refused(outcomes[0]?.error ?? stderr);
  if (locks !== '') return gotThrough(`${locks} on files of the host`);
  return listing(host) === before ? held(`${stdout.trim().split('\t')[2]} on its own`) : gotThrough('the files of the host are others');
}

/** Leases and locks on files that containers share with the host. */
function shared(name: string, tries: string, settings: { readonly own: boolean; readonly options?: Launch['options']; readonly told?: string }): Attack {
  const place = (stage: Stage, caller: Caller): { where: string; host: string } => {
    if (!settings.own) return { where: '/usr/sbin', host: '/usr/sbin' };
    const host = stage.scratch(caller.rootOutside);
    for (const file of ['a', 'b', 'c']) {
      writeFileSync(join(host, file), 'of the host');
      chownSync(join(host, file), caller.rootOutside, caller.rootOutside);
    }
    return { where: '/attack-shared', host };
  };
  return {
    name,
    group: 'Files of the host',
    tries,
    ...(settings.told !== undefined && { told: () => settings.told }),
    without: (way) => (!settings.own && way.startsWith('OCI') ? 'a bundle has a root file system of its own' : undefined),
    async attempt(stage, caller, way) {
      const { where, host } = place(stage, caller);
      const mounts = settings.own ? [{ bind: host, to: where, readonly: true }] : [];
      const rootfs = settings.own ? stage.image(caller) : undefined;
      const commands = [{ command: ['/attack/attempts', 'bound'] }];
      return await bound(stage, where, host, (env) =>
        stage.start(caller, way, { rootfs, commands, options: { ...settings.options, mounts }, stdio: ['pipe', 'pipe', 'pipe'], ...(env && { env }) }),
      );
    },
    async control(stage, caller) {
      const host = stage.scratch(caller.uid);
      writeFileSync(join(host, 'a'), 'of the host');
      chownSync(join(host, 'a'), caller.uid, caller.uid);
      const start = (env: Launch['env']) => stage.spawned([...caller.by(stage.directory), stage.attempts, 'bound'], ['pipe', 'pipe', 'pipe'], env);
      return (await bound(stage, host, host, start)).mark === 'GOT THROUGH';
    },
  };
}

const fifo: Attack = {
  name: 'fifo',
  group: 'Files of the host',
  tries: 'a FIFO and a socket of the host on a read-only bind mount (`-v DIR:DIR:ro`): writes and connects to them',
  told: () => readonlyBind,
  attempt: async (stage, caller, way) =>
    await withFifo(stage, caller, async (host) => {
      const mounts = [{ bind: host, to: '/attack-shared', readonly: true }];
      const { stdout, outcomes } = await stage.run(caller, way, {
        rootfs: stage.image(caller),
        options: { mounts },
        commands: [{ command: ['/attack/attempts', 'fifo'] }],
      });
      const [, mark, detail = ''] = stdout.trim().split('\t');
      return mark === undefined ? refused(outcomes[0]?.error ?? '') : mark === 'got' ? gotThrough(detail) : held(detail);
    }),
  control: async (stage, caller) =>
    (
      await withFifo(stage, caller, async (host) => {
        const { stdout } = await ended(stage.spawned([...caller.by(stage.directory), stage.attempts, 'fifo'], undefined, { SHARED: host }));
        return stdout.includes('\tgot\t') ? gotThrough('') : held('');
      })
    ).mark === 'GOT THROUGH',
};

async function withFifo(stage: Stage, { rootOutside }: Caller, attempt: (host: string) => Promise<Verdict>): Promise<Verdict> {
  const host = stage.scratch(rootOutside);
  execFileSync('mkfifo', ['-m', '666', join(host, 'fifo')]);
  chmodSync(host, 0o755);
  const server = createServer((socket) => socket.destroy()).listen({ path: join(host, 'socket') });
  await once(server, 'listening');
  chmodSync(join(host, 'socket'), 0o666);
  const fd = openSync(join(host, 'fifo'), 'r+');
  try {
    return await attempt(host);
  } finally {
    closeSync(fd);
    server.close();
  }
}

/** Those of this file. */
export const images: readonly Attack[] = [
  ...['proc', 'sys', 'dev'].map(linked),
  passwd('FIFO', (path) => void execFileSync('mkfifo', [path])),
  passwd('giant', (path) => {
    writeFileSync(path, '');
    truncateSync(path, 2 ** 40);
  }),
  byNumber('directory'),
  byNumber('program'),
  shared('host-files', 'leases, locks and modes of the host’s programs, by default', { own: false }),
  shared('host-files-readonly', 'the same with a read-only root', { own: false, options: { readonly: true } }),
  shared('bound-files', 'the same on a read-only bind mount (`-v DIR:DIR:ro`)', { own: true, told: readonlyBind }),
  fifo,
];
