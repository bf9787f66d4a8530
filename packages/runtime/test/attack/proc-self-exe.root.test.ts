// Until the program is executed, what runs for a container is a small, sealed file, and never the host's node: nothing in a container gets hold of that to overwrite it.
import { readFileSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { plan, run, start, type ContainerOptions } from '@ctr/runtime';
import { launch, waitForHost } from '@ctr/syscall';

import { image, sharedImage } from '../image.js';
import { watchForLeaks } from '../leaks.js';
import { sha256, watchTheHost } from './host.js';

watchForLeaks();
watchTheHost();
const shared = sharedImage();

/** What a process executes, keeps of its files over execve, and has mapped: of which files, and how many bytes. */
function sample(pid: number): { exe: string; leaking: string[]; mapped: string[]; mappedBytes: number } {
  const leaking = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    const flags = /^flags:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1'))?.[1] ?? '0';
    return Number(fd) > 2 && (Number.parseInt(flags, 8) & 0o2000000) === 0 ? [`${fd} ${readlinkSync(`/proc/${pid}/fd/${fd}`)}`] : [];
  });
  const maps = readFileSync(`/proc/${pid}/maps`, 'latin1').trimEnd().split('\n');
  const mapped = maps.flatMap((line) => line.split(/\s+/).slice(5, 6)).filter((name) => name.startsWith('/'));
  const mappedBytes = Number(/^VmSize:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) * 1024;
  return { exe: readlinkSync(`/proc/${pid}/exe`), leaking, mapped, mappedBytes };
}

describe('at each step of the set-up', () => {
  it.each<[string, ContainerOptions]>([
    ['of a container', {}],
    ['with an init, another user and mounts', { init: true, user: { uid: 1000, gid: 1000 }, mounts: [{ tmpfs: '/tmp' }] }],
    ['in the namespaces of the host', { namespaces: { net: 'host', pid: 'host', ipc: 'host' } }],
  ])('%s, a sealed file is executed, which has nothing of the memory of Node, and all that is open will be closed', async (_, options) => {
    const steps = plan(['true'], { rootfs: shared.path, cgroup: false, ...options });
    // From there on two processes go on, one of which does not report to the host.
    const last = steps.findIndex(({ call, purpose }) => call === 'execve' || purpose === 'a process for the program');
    let [looked, at] = [0, 0];
    for (at = 0; at < last; at += 5) {
      const probed = steps.toSpliced(at, 0, ...waitForHost('look at this process'));
      const child = await launch(probed, {
        stdio: ['ignore', 'ignore', 'ignore'],
        onWaiting: (pid) => {
          looked++;
          const { exe, leaking, mapped, mappedBytes } = sample(pid);
          expect(exe).toMatch(/^\/memfd:\S+ \(deleted\)$/);
          expect(leaking).toEqual([]);
          expect(mapped.filter((name) => !name.startsWith('/memfd:'))).toEqual([]);
          expect(mappedBytes).toBeLessThan(2 ** 20);
        },
      });
      expect((await child.exited).code).toBe(0);
    }
    expect(looked).toBeGreaterThan(at / 5 / 2);
  });
});

describe('a program that is the one that executes it', () => {
  const before = sha256(process.execPath);

  it.each([
    ['a link', (rootfs: string) => symlinkSync('/proc/self/exe', join(rootfs, 'bin/tool'))],
    ['a link to a thread', (rootfs: string) => symlinkSync('/proc/thread-self/exe', join(rootfs, 'bin/tool'))],
    ['a link to the first process', (rootfs: string) => symlinkSync('/proc/1/exe', join(rootfs, 'bin/tool'))],
    ['a script', (rootfs: string) => writeFileSync(join(rootfs, 'bin/tool'), '#!/proc/self/exe\n', { mode: 0o755 })],
    [
      'a script of a script',
      (rootfs: string) => {
        writeFileSync(join(rootfs, 'bin/inner'), '#!/proc/self/exe inner\n', { mode: 0o755 });
        writeFileSync(join(rootfs, 'bin/tool'), '#!/bin/inner\n', { mode: 0o755 });
      },
    ],
  ])('does nothing: %s', async (_, make) => {
    const rootfs = image();
    make(rootfs);
    for (const options of [{}, { namespaces: { user: 'new' } }, { init: true }] as const) {
      const { stdout, exitCode, signal } = await run(['tool', '-c', 'echo started'], { rootfs, reject: false, ...options }).catch((error: unknown) => {
        // An init is not even to be looked at.
        expect(String(error)).toMatch(/"\/bin\/tool".* = EACCES /);
        return { stdout: '', exitCode: 126, signal: undefined };
      });
      expect([stdout, signal]).toEqual(['', undefined]);
      expect(exitCode).not.toBe(0);
    }
    await expect(run(['/proc/self/exe'], { rootfs })).rejects.toThrow(/^"\/proc\/self\/exe" |ended during its set-up|= EACCES/);
    expect(sha256(process.execPath)).toBe(before);
  });

  it('is found by nobody in the container that is joined, nor opened to be written', async () => {
    const rootfs = image();
    // A link to what executes it, which is what it is until it is found that there is no program.
    symlinkSync('/proc/self/exe', join(rootfs, 'bin/tool'));
    const script = 'while :; do for process in /proc/[0-9]*; do readlink $process/exe; (: >> $process/exe) && echo written; done >> /seen 2>> /refused; done';
    await using container = await start(['sh', '-c', script], { rootfs, stdio: 'ignore' });
    const namespaces = { pid: { pid: container.pid }, mount: { pid: container.pid } };
    for (let round = 0; round < 100; round++) await run(['tool'], { reject: false, namespaces }).catch(() => undefined);
    expect((await run(['true'], { namespaces })).exitCode).toBe(0);
    container.kill('SIGKILL');
    await container.exited;
    // The sealed file is what is executed by its link, once more and to no effect.
    const seen = new Set(readFileSync(join(rootfs, 'seen'), 'utf8').trim().split('\n'));
    expect(seen).toContain('/bin/busybox');
    expect([...seen].filter((path) => path !== '/bin/busybox' && path !== '/memfd:ctr (deleted)')).toEqual([]);
    expect(readFileSync(join(rootfs, 'refused'), 'utf8')).toMatch(/Text file busy/);
    expect(sha256(process.execPath)).toBe(before);
  });

  it("is the program itself once that runs, whose file is the image's", async () => {
    expect((await run(['readlink', '/proc/self/exe'], { rootfs: shared.path })).stdout).toBe('/bin/busybox\n');
  });
});
