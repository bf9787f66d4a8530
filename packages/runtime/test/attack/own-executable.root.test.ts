// What runs outside of a container, or before its program, is a sealed file in memory also where it began as a file on disk: nothing in the container gets hold of that to change it.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { standalone, standalonePlan, start, type ContainerOptions } from '@ctr/runtime';
import { compile } from '@ctr/syscall';

import { childrenOf } from '../children.js';
import { image, sharedImage, temporary } from '../image.js';
import { watchForLeaks } from '../leaks.js';
import { ended, NodeProgram, type Outcome } from '../node-program.js';
import { sha256, watchTheHost } from './host.js';

watchForLeaks();
watchTheHost();
const shared = sharedImage();
const SEALED = '/memfd:ctr (deleted)';

/** A file of the host that has a container in it. */
function fileOf(executable: Uint8Array, directory = temporary()): string {
  const path = join(directory, 'container');
  writeFileSync(path, executable, { mode: 0o755 });
  return path;
}

async function runFile(path: string): Promise<Outcome> {
  return await ended(spawn(path, [], { cwd: '/', env: {}, stdio: ['ignore', 'pipe', 'pipe'] }));
}

describe('the file of a compiled container', () => {
  // The init process of the container is what the launcher was, and its program may look into it.
  const traced: ContainerOptions = { init: true, capabilities: { add: ['CAP_SYS_PTRACE'] } };
  const script = 'readlink /proc/1/exe; chmod 711 /proc/1/exe; (: >> /proc/1/exe) 2> /dev/null || echo refused';

  it('is not what its init process executes, and keeps its mode and its content', async () => {
    const path = fileOf(standalone(['sh', '-c', script], { rootfs: shared.path, ...traced }));
    const before = sha256(path);
    expect(await runFile(path)).toMatchObject({ code: 0, stdout: `${SEALED}\nrefused\n` });
    expect([statSync(path).mode & 0o7777, sha256(path)]).toEqual([0o755, before]);
  });

  it('would be changed without the copy', async () => {
    const plan = standalonePlan(['sh', '-c', script], { rootfs: shared.path, ...traced });
    const path = fileOf(compile(plan.slice(plan.findIndex(({ purpose }) => purpose === 'the executable is sealed'))));
    expect(await runFile(path)).toMatchObject({ code: 0, stdout: expect.stringContaining('container') as string });
    expect(statSync(path).mode & 0o7777).toBe(0o711);
  });

  it('is copied from a tmpfs, too, whose files answer that they have seals', async () => {
    const directory = mkdtempSync('/dev/shm/ctr-runtime-');
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const path = fileOf(standalone(['sh', '-c', script], { rootfs: shared.path, ...traced }), directory);
    expect((await runFile(path)).stdout).toBe(`${SEALED}\nrefused\n`);
    expect(statSync(path).mode & 0o7777).toBe(0o755);
  });

  it('is what no process executes when the container runs', async () => {
    const path = fileOf(standalone(['sh', '-c', 'echo ready; exec sleep 1000'], { rootfs: shared.path, init: true }));
    const launcher = spawn(path, [], { cwd: '/', env: {}, stdio: ['pipe', 'pipe', 'pipe'] });
    await once(launcher.stdout, 'data');
    const pids = [launcher.pid ?? 0, ...childrenOf(launcher.pid ?? 0)];
    // The launcher, its keeper, three relays, and the init process.
    expect(pids.map((pid) => readlinkSync(`/proc/${pid}/exe`))).toEqual(Array.from({ length: 6 }, () => SEALED));
    launcher.kill('SIGTERM');
    expect((await ended(launcher)).code).toBe(143);
  });

  it('is found by nobody in the pid namespace that is joined, nor opened to be written', async () => {
    const rootfs = image();
    // A link to what executes it, which is what it is until it is found that there is no program.
    symlinkSync('/proc/self/exe', join(rootfs, 'bin/tool'));
    const watch = 'while :; do for process in /proc/[0-9]*; do readlink $process/exe; (: >> $process/exe) && echo written; done >> /seen 2>> /refused; done';
    await using container = await start(['sh', '-c', watch], { rootfs, stdio: 'ignore', capabilities: { add: ['CAP_SYS_PTRACE'] } });
    const namespaces = { pid: { pid: container.pid } };
    const path = fileOf(standalone(['tool'], { rootfs, namespaces }));
    const before = sha256(path);
    for (let round = 0; round < 60; round++) expect(spawnSync(path, { cwd: '/', env: {}, timeout: 20_000 }).status).not.toBe(0);
    expect(await runFile(fileOf(standalone(['echo', 'started'], { rootfs, namespaces })))).toMatchObject({ code: 0, stdout: 'started\n' });
    container.kill('SIGKILL');
    await container.exited;
    const seen = new Set(readFileSync(join(rootfs, 'seen'), 'utf8').trim().split('\n'));
    expect(seen).toContain(SEALED);
    expect([...seen].filter((exe) => exe !== '/bin/busybox' && exe !== SEALED)).toEqual([]);
    expect(sha256(path)).toBe(before);
  });
});

describe('the node of a child that becomes the program itself', () => {
  const program = new NodeProgram(`
    import { child } from '@ctr/runtime';
    child(['tool'], { rootfs: process.argv[2] ?? '', passThrough: true });
  `);

  /** What the dynamic loader of an image says, by a program that is a link to what executes it, or node itself. */
  async function loaded(tool: (path: string, node: string) => void): Promise<{ outcome: Outcome; before: string; after: string }> {
    const rootfs = image();
    const node = join(temporary(), 'node');
    copyFileSync(process.execPath, node);
    const loader = /\/[\w./-]*\/ld-[\w.-]+/.exec(readFileSync(node).subarray(0, 4096).toString('latin1'))?.[0] ?? '/none';
    mkdirSync(join(rootfs, dirname(loader)), { recursive: true });
    const source = join(import.meta.dirname, 'loader.c');
    execFileSync('gcc', ['-O1', '-nostdlib', '-static-pie', '-fPIE', '-fno-stack-protector', '-o', join(rootfs, loader), source]);
    tool(join(rootfs, 'bin/tool'), node);
    const before = sha256(node);
    const outcome = await ended(
      spawn('unshare', ['--uts', '--pid', '--mount', '--fork', node, program.path, rootfs], { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] }),
    );
    return { outcome, before, after: sha256(node) };
  }

  it('is not what a link of the image to /proc/self/exe leads to', async (context) => {
    context.skip(process.arch !== 'x64' || spawnSync('gcc', ['--version']).status !== 0, 'no gcc that makes programs for x86-64');
    const { outcome, before, after } = await loaded((path) => symlinkSync('/proc/self/exe', path));
    // The plan is taken once more, with the rights of the program.
    expect(outcome).toMatchObject({ code: 125, stdout: '', stderr: 'ctr: setting up the host name: EPERM\n' });
    expect(after).toBe(before);
    // The loader would have run: it does for a program of the image that names it.
    const control = await loaded((path, node) => {
      copyFileSync(node, path);
      chmodSync(path, 0o755);
    });
    expect(control.outcome).toMatchObject({ code: 0, stdout: '/bin/tool', stderr: '' });
  });
});
