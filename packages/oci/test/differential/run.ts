// Runs a bundle by a runtime, and says what came of it.
import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';

import { configOf, type Bundle, type Host } from './bundle.js';
import { factsOf, viewScript, type Facts } from './view.js';

/** A program that runs bundles. */
export interface Runtime {
  readonly name: 'runc' | 'ctr-oci';
  readonly command: readonly string[];
}

/** Where the runs of a test are, and the processes whose namespaces bundles may name. */
export interface Stage {
  readonly directory: string;
  readonly cgroup: string;
  readonly pid: number;
  readonly pidOfOther: number;
}

const busybox = '/bin/busybox';
const applets =
  'sh cat ls stat readlink grep cut tr sed sort id ionice uname ip head tail wc touch mkdir mknod mount rm cp env pwd test true false echo kill sleep tty stty xargs cp dirname basename'.split(
    ' ',
  );

/** What is there before a runtime begins: in a mount namespace of its own, so that nothing is left. */
const prepare = `
mount -t tmpfs -o nosuid,nodev tree tree && mount --make-shared tree && mkdir tree/sub tree/upper tree/work && mount -t tmpfs -o nodev sub tree/sub && touch tree/sub/file || exit 99
`;

/** What a runtime made of a bundle, and what it said on standard error. */
export interface Result {
  readonly facts: Facts;
  readonly said: string;
}

/** Runs a bundle to its end. */
export async function run(bundle: Bundle, number: number, runtime: Runtime, stage: Stage): Promise<Result> {
  const id = `${basename(stage.directory)}-${number}-${runtime.name}`;
  const directory = join(stage.directory, `${number}-${runtime.name}`);
  const host: Host = {
    bundle: directory,
    plain: join(directory, 'plain'),
    tree: join(directory, 'tree'),
    cgroup: `${stage.cgroup}/${number}-${runtime.name}`,
    pid: stage.pid,
    pidOfOther: stage.pidOfOther,
  };
  make(host, bundle.look ?? '');
  writeFileSync(join(directory, 'config.json'), JSON.stringify(configOf(bundle, host)));
  const before = new Set(walk(join(directory, 'rootfs')).map(({ path }) => path));
  const preserve = bundle.preserveFds === undefined ? [] : ['--preserve-fds', String(bundle.preserveFds)];
  const command = [...runtime.command, '--root', join(stage.directory, runtime.name), 'run', ...preserve, id];
  const { code, stdout, stderr } = await ended(command, bundle, host);
  const known = (text: string): string =>
    text
      .replaceAll(/[^\s"',;=]*\/(?:\d+-(?:runc|ctr-oci))(?=[/"'\s,;)]|$)/g, (path) => (path.includes(stage.cgroup) ? '<group>' : '<bundle>'))
      .replaceAll(id, '<id>');
  const made = walk(join(directory, 'rootfs')).filter(({ path }) => !before.has(path));
  const hooks = join(directory, 'hooks');
  const facts: Record<string, string> = {
    ...Object.fromEntries(
      Object.entries(factsOf(stdout.replaceAll(/\r+\n/g, '\n'), (link) => namespaceOf(link, stage))).map(([key, value]) => [known(key), known(value)]),
    ),
    'exit code': String(code),
    ...Object.fromEntries(made.map(({ path, what }) => [`left ${path}`, what])),
  };
  // What a runtime says of its own failures is its own.
  if (code === 0) facts['standard error'] = known(stderr);
  if (existsSync(hooks))
    for (const line of readFileSync(hooks, 'utf8').trim().split('\n')) facts[`hook ${line.split(' ', 1)[0] ?? ''}`] = known(line.slice(line.indexOf(' ') + 1));
  rmSync(directory, { recursive: true });
  return { facts, said: known(stderr) };
}

function make({ bundle, plain, tree }: Host, look: string): void {
  const root = join(bundle, 'rootfs');
  for (const path of ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev', 'root', 'mnt', 'run', 'home/user']) mkdirSync(join(root, path), { recursive: true });
  for (const [path, mode] of [
    ['tmp', 0o1777],
    ['root', 0o700],
    ['run', 0o751],
  ] as const)
    chmodSync(join(root, path), mode);
  copyFileSync(busybox, join(root, 'bin/busybox'));
  for (const name of new Set(applets)) symlinkSync('busybox', join(root, 'bin', name));
  for (const [name, to] of [
    ['link-to-etc', '/etc'],
    ['link-to-mnt', 'mnt'],
    ['link-out', '../../..'],
  ] as const)
    symlinkSync(to, join(root, name));
  const files: readonly (readonly [path: string, text: string, mode: number])[] = [
    ['bin/view', viewScript + look, 0o755],
    ['bin/plain-script', 'echo it runs\n', 0o755],
    ['etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n', 0o644],
    ['etc/group', 'root:x:0:\nuser:x:1000:\n', 0o644],
    ['tmp/file', 'of the image\n', 0o600],
    ['run/file', 'of the image\n', 0o640],
  ];
  for (const [path, text, mode] of files) {
    writeFileSync(join(root, path), text);
    chmodSync(join(root, path), mode);
  }
  mkdirSync(tree);
  mkdirSync(join(plain, 'empty'), { recursive: true });
  writeFileSync(join(plain, 'file'), 'of the host\n');
  writeFileSync(join(plain, 'script'), '#!/bin/sh\nexit 3\n', { mode: 0o755 });
  symlinkSync('file', join(plain, 'link'));
  for (const number of [1, 2, 3]) writeFileSync(join(bundle, `open-${number}`), `file ${number}\n`);
  for (const path of [bundle, plain]) chmodSync(path, 0o755);
}

function ended(command: readonly string[], { before = '', files = 0, listenFds = 0, terminal, input }: Bundle, { bundle }: Host) {
  const listen = listenFds > 0 ? `export LISTEN_FDS=${listenFds} LISTEN_PID=$$; ` : '';
  // As soon as its program runs, runc gives its terminal the size of the caller's: whichever the program sees is the same one.
  const asked = terminal ? `exec script -qec "stty rows 33 cols 91; $*" /dev/null` : 'exec "$@"';
  const opened = Array.from({ length: files }, (_, i) => openSync(join(bundle, `open-${i + 1}`), 'r'));
  const child = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', `${prepare}${before}\n${listen}${asked}`, 'sh', ...command], {
    cwd: bundle,
    stdio: ['pipe', 'pipe', 'pipe', ...opened],
    env: { PATH: process.env['PATH'], LANG: 'C' },
  });
  for (const fd of opened) closeSync(fd);
  const said = { stdout: '', stderr: '' };
  child.stdout?.on('data', (bytes) => (said.stdout += String(bytes)));
  child.stderr?.on('data', (bytes) => (said.stderr += String(bytes)));
  if (!terminal) child.stdin?.end(input ?? '');
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      child.stdin?.destroy();
      resolve({ code, ...said });
    });
  });
}

/** All below a directory: what each is, with its mode and owner. */
function walk(directory: string, from = ''): { readonly path: string; readonly what: string }[] {
  return readdirSync(join(directory, from)).flatMap((name) => {
    const path = `${from}/${name}`;
    const stat = lstatSync(join(directory, path));
    const kind = stat.isDirectory()
      ? 'directory'
      : stat.isSymbolicLink()
        ? `link to ${readlinkSync(join(directory, path))}`
        : stat.isFile()
          ? 'file'
          : 'device';
    const own = { path, what: `${kind} ${(stat.mode & 0o7777).toString(8)} ${stat.uid}:${stat.gid}` };
    return stat.isDirectory() ? [own, ...walk(directory, path)] : [own];
  });
}

/** Whose a namespace is. */
function namespaceOf(link: string, { pid, pidOfOther }: Stage): string {
  const kind = link.split(':', 1)[0] ?? '';
  const owner = (['self', pid, pidOfOther] as const).find((each) => readlinkSync(`/proc/${each}/ns/${kind}`) === link);
  return owner === undefined ? 'its own' : owner === 'self' ? "the host's" : 'the one that is named';
}
