// Where a client runs: mounts and processes of its own, which end with it.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readLayout } from '@ctr/cgroups';

import { run, type Outcome } from '../ctr-oci.js';

/** The first one of these that is not installed. */
export function missing(...programs: readonly string[]): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  return ['tini', 'nsenter', 'unshare', ...programs].find((program) => !directories.some((directory) => existsSync(join(directory, program))));
}

/** What a sandbox leaves behind, when everything of the client is removed: nothing. */
export interface Leftovers {
  readonly groups: readonly string[];
  readonly states: readonly string[];
}

/**
 * A mount namespace with a /run of its own and a pid namespace with a first process that reaps, and a directory. What a client starts in it, it cannot leave behind: with the first
 * process all others end, and with them the mounts.
 */
export class Sandbox {
  readonly directory: string;
  /** Below it are the cgroups of the containers. */
  readonly cgroup: string;
  readonly #holder: ChildProcess;
  readonly #pid: number;

  private constructor(directory: string, holder: ChildProcess, name: string) {
    this.directory = directory;
    this.cgroup = `/ctr-oci-${name}-${process.pid}`;
    this.#holder = holder;
    this.#pid = Number(readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, 'utf8').trim());
  }

  /** @param bySystemd who makes the groups takes pids of the host alone, and is reached below its /run: the client's processes are then among those of the host */
  static async open(name: string, { bySystemd = false } = {}): Promise<Sandbox> {
    const directory = mkdtempSync(join(realpathSync(tmpdir()), `ctr-oci-${name}-`));
    chmodSync(directory, 0o755);
    const own = bySystemd ? [] : ['--pid', '--mount-proc', 'tini', '--'];
    const run = bySystemd ? '' : 'mount -t tmpfs tmpfs /run && ';
    const holder = spawn('unshare', ['--mount', '--fork', '--kill-child', ...own, 'sh', '-c', `${run}echo && read -r _`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(holder.stdout ?? holder, 'data');
    return new Sandbox(directory, holder, name);
  }

  /** Runs a program in it to its end. */
  run(words: readonly string[], options: { readonly env?: Readonly<Record<string, string>>; readonly input?: string } = {}): Promise<Outcome> {
    return run(['nsenter', `--target=${this.#pid}`, '--mount', '--pid', '--', ...words], { ...options, env: { HOME: this.directory, ...options.env } });
  }

  /** Ends all that is in it, and tells what there still was of containers. */
  async close(): Promise<Leftovers> {
    const groups = this.#groups();
    // That of the shim of containerd has a directory for each namespace.
    const { stdout } = await this.run(['sh', '-c', 'find /run/ctr-oci /run/containerd/runc/* -mindepth 1 -maxdepth 1 2>/dev/null']);
    const ended = once(this.#holder, 'exit');
    this.#holder.kill('SIGKILL');
    await ended;
    for (const top of this.#tops()) execFileSync('find', [top, '-depth', '-type', 'd', '-delete']);
    rmSync(this.directory, { recursive: true });
    return { groups, states: stdout.split('\n').filter(Boolean) };
  }

  #tops(): string[] {
    return readLayout()
      .hierarchies.map(({ mount }) => mount + this.cgroup)
      .filter((path) => existsSync(path));
  }

  /** Those of containers: podman leaves that of conmon, and some of pods. */
  #groups(): string[] {
    const below = this.#tops().flatMap((top) => execFileSync('find', [top, '-mindepth', '1', '-type', 'd'], { encoding: 'utf8' }).split('\n'));
    return below.filter((path) => /\/(libpod|containerd)-[^/]+$/.test(path));
  }
}
