// What attacks are made with: the program, root file systems, secrets and files of the host, and the processes that start containers.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { call } from '@ctr/syscall';

import { nodeProgram, type NodeProgram } from '../support/node-program.js';
import type { Caller } from './callers.js';
import type { Job, Outcome, Way } from './job.js';

const busybox = '/bin/busybox';
/** Half of what the caller keeps to itself: the program knows this half, and looks for the whole. */
const HALF = String(process.pid);
const SECRET = `secret-of-the-caller-${HALF}`;
/** After this time whatever still runs is ended, and counts as an error. */
const TIMEOUT_MS = 120_000;

/** What a process wrote, and how it ended. */
export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly outcomes: readonly Outcome[];
}

/** What of a launch is not usual. */
export interface Launch {
  readonly options?: Job['options'];
  readonly commands?: Job['commands'];
  /** The program of the container that commands are executed in. */
  readonly first?: readonly string[];
  readonly ignored?: boolean;
  /** Containers have no directory of attempts: for a root file system in which nothing is to be made. */
  readonly bare?: boolean;
  /** How `create` changes the root. */
  readonly pivot?: boolean;
  /** Words before the command of the caller. */
  readonly by?: readonly string[];
  /** stdin, stdout and stderr of the caller; what is not a pipe is not collected. */
  readonly stdio?: readonly ('ignore' | 'pipe' | number)[];
  /** A root file system, or none: the programs of the host. */
  readonly rootfs?: string | undefined;
  readonly env?: Readonly<Record<string, string>>;
}

/** The host's side of all attacks. */
export class Stage {
  readonly directory = mkdtempSync(join(realpathSync(tmpdir()), 'ctr-attack-'));
  /** A file that is on no path of a container. */
  readonly marker = join(this.directory, 'marker');
  readonly #abstract = `ctr-attack-${process.pid}`;
  readonly #images = new Map<string, string>();
  #program: NodeProgram | undefined;
  #server: Server | undefined;

  async setUp(): Promise<void> {
    chmodSync(this.directory, 0o755);
    writeFileSync(this.marker, '');
    mkdirSync(join(this.directory, 'attack'));
    const source = join(import.meta.dirname, 'attempts.c');
    execFileSync('gcc', ['-O1', '-static', '-w', '-o', this.attempts, source]);
    this.#program = await nodeProgram(`import ${JSON.stringify(join(import.meta.dirname, 'driver.ts'))};`, import.meta.dirname);
    this.#server = createServer((socket) => socket.destroy()).listen({ path: `\0${this.#abstract}` });
    await once(this.#server, 'listening');
  }

  async tearDown(): Promise<void> {
    this.#program?.[Symbol.dispose]();
    this.#server?.close();
    rmSync(this.directory, { recursive: true });
    for (const name of existsSync('/sys/fs/cgroup') ? readdirSync('/sys/fs/cgroup') : []) {
      const group = `/sys/fs/cgroup/${name}/ctr-attack`;
      if (existsSync(group)) execFileSync('find', [group, '-depth', '-type', 'd', '-delete']);
    }
  }

  /** The program of all attempts, on the host; containers have its directory as /attack. */
  get attempts(): string {
    return join(this.directory, 'attack/attempts');
  }

  /** What the program finds in its environment. */
  get env(): Readonly<Record<string, string>> {
    return { PATH: '/bin:/usr/bin', MARKER: this.marker, ABSTRACT: this.#abstract, CANARY_HALF: HALF };
  }

  /** A directory that a user may write to. */
  scratch(uid: number): string {
    const directory = mkdtempSync(join(this.directory, 'scratch-'));
    chownSync(directory, uid, uid);
    return directory;
  }

  /** A root file system for containers of a caller, which attacks leave as it is. */
  image(caller: Caller): string {
    const made = this.#images.get(caller.name) ?? this.newImage(caller);
    this.#images.set(caller.name, made);
    return made;
  }

  /** A root file system of its own. */
  newImage({ rootOutside }: Caller): string {
    const rootfs = mkdtempSync(join(this.directory, 'rootfs-'));
    for (const name of ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev', 'attack', 'attack-shared', 'rights']) mkdirSync(join(rootfs, name));
    copyFileSync(busybox, join(rootfs, 'bin/busybox'));
    for (const name of ['sh', 'cat', 'ls', 'sleep']) symlinkSync('busybox', join(rootfs, 'bin', name));
    writeFileSync(join(rootfs, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
    writeFileSync(join(rootfs, 'etc/group'), 'root:x:0:\n');
    for (const name of ['set-user-id', 'file-capabilities']) copyFileSync(this.attempts, join(rootfs, 'rights', name));
    execFileSync('chown', ['-R', `${rootOutside}:${rootOutside}`, rootfs]);
    chmodSync(rootfs, 0o755);
    chmodSync(join(rootfs, 'tmp'), 0o1777);
    chmodSync(join(rootfs, 'rights/set-user-id'), 0o6755);
    // linux/capability.h: VFS_CAP_REVISION_2, effective, with CAP_CHOWN and CAP_SYS_ADMIN permitted.
    const data = new Uint8Array(Uint32Array.of(0x0200_0001, 0x0020_0001, 0, 0, 0).buffer);
    const path = join(rootfs, 'rights/file-capabilities');
    call({ call: 'setxattr', args: [path, 'security.capability', data, data.byteLength, 0], purpose: 'file capabilities' });
    return rootfs;
  }

  /** Starts a process of the caller that starts containers by a way. */
  start(
    caller: Caller,
    way: Way,
    {
      options = {},
      commands = [],
      first = ['/attack/attempts', 'stay'],
      ignored = false,
      bare = false,
      pivot = true,
      by = [],
      stdio,
      rootfs,
      env = {},
    }: Launch,
  ): ChildProcess {
    const mounts = [...(bare ? [] : [{ bind: dirname(this.attempts), to: '/attack', readonly: true }]), ...(options.mounts ?? [])];
    // A child is in the namespaces of its caller, whose ids are mapped.
    const all = { ...(way !== 'ctr child' && caller.options), ...options, ...(rootfs !== undefined && { rootfs }), mounts, env: { ...this.env, ...env } };
    const job: Job = { way, commands, first, options: all, ignored, pivot, scratch: this.scratch(caller.uid), ...caller.job };
    const words = [...by, ...caller.by(this.directory, way), process.execPath, this.#program?.path ?? '', JSON.stringify(job)];
    return this.spawned(words, stdio ?? ['ignore', 'pipe', 'pipe']);
  }

  /** Any process of the host, with the secrets of a caller in its environment. */
  spawned([program = '', ...args]: readonly string[], stdio: Launch['stdio'], env: Readonly<Record<string, string>> = {}): ChildProcess {
    const secrets = { SECRET, NODE_OPTIONS: '--no-warnings', BASH_ENV: '/dev/null' };
    return spawn(program, args, {
      cwd: '/',
      env: { ...this.#program?.env, ...secrets, ...env },
      stdio: [...(stdio ?? ['ignore', 'pipe', 'pipe']), 'pipe'],
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
  }

  async run(caller: Caller, way: Way, launch: Launch): Promise<Ended> {
    return await ended(this.start(caller, way, launch));
  }
}

/** Collects what a process wrote until its end. */
export async function ended(child: ChildProcess): Promise<Ended> {
  const texts = [1, 2, 3].map((fd) => {
    let text = '';
    child.stdio[fd]?.on('data', (chunk: Buffer) => (text += String(chunk)));
    return () => text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  const [stdout = '', stderr = '', told = ''] = texts.map((text) => text());
  // What has become the program tells nothing.
  const outcomes =
    told === ''
      ? [code === 0 || (code !== null && stdout !== '') ? { exitCode: code } : { exitCode: code ?? undefined, error: lastLine(stderr) }]
      : (JSON.parse(told) as Outcome[]);
  return { stdout, stderr, outcomes };
}

function lastLine(text: string): string {
  return text.split('\n').find((line) => /Error/.test(line)) ?? text.trim().split('\n').at(-1) ?? '';
}
