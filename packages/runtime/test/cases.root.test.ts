// What may go wrong around a container that is run, case by case; docs/faults.md says which file has which of them.
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { plan, run, start, type ContainerOptions } from '@ctr/runtime';

import { sharedImage } from './image.js';
import { groupsOf, watchForLeaks } from './leaks.js';
import { ended, NodeProgram, type Outcome } from './node-program.js';

watchForLeaks();
const image = sharedImage();

async function sh(script: string, options: ContainerOptions = {}): Promise<string> {
  const { stdout, stderr } = await run(['sh', '-c', script], { rootfs: image.path, ...options });
  return stdout + stderr;
}

const refused = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'it worked',
    (error: Error) => error.message,
  );

describe('a directory to start in', () => {
  it('that the user may not enter is told, and the program does not start elsewhere', async () => {
    const options = { rootfs: image.path, mounts: [{ tmpfs: '/closed' }], user: { uid: 1000, gid: 1000 } };
    expect(await refused(run(['pwd'], { ...options, cwd: '/closed/in' }))).toMatch(/"\/closed\/in".* = ENOENT .*the directory to start in/);
    expect((await run(['pwd'], { ...options, cwd: '/closed' })).stdout).toBe('/closed\n');
  });
});

describe('a tmpfs that is full', () => {
  it('is told to the program, and takes nothing of the disk', async () => {
    const free = (): number => statfsSync(image.path).bfree;
    const before = free();
    const script = 'dd if=/dev/zero of=/t/x bs=1M count=50 2>&1 | grep -v records; wc -c < /t/x';
    expect(await sh(script, { mounts: [{ tmpfs: '/t', sizeBytes: 2 ** 20 }] })).toMatch(/^dd: .*No space left on device\n(.* copied.*\n)?1048576\n$/);
    expect(Math.abs(free() - before) * statfsSync(image.path).bsize).toBeLessThan(40_000_000);
  });
});

describe('a fork bomb', () => {
  it('below its limit leaves the host alone, and is gone once it is killed', async () => {
    const container = await start(['sh', '-c', 'bomb() { while :; do sleep 1000 & done; }; bomb & bomb & wait'], {
      rootfs: image.path,
      stdio: 'ignore',
      limits: { pids: 64 },
    });
    expect(await sh('echo fine')).toBe('fine\n');
    const groups = groupsOf(process.pid);
    expect(groups.length).toBeGreaterThan(0);
    container.kill('SIGKILL');
    await container.exited;
    expect(groups.filter(existsSync)).toEqual([]);
  });

  it('is told of by the number of processes there were', async () => {
    const { usage, stdout } = await run(['sh', '-c', 'i=0; while [ $i -lt 30 ]; do sleep 0.1 & i=$((i+1)); done 2>/dev/null; wait; echo $i'], {
      rootfs: image.path,
      limits: { pids: 10 },
      reject: false,
    });
    // What cannot fork ends with an error of its own.
    expect(['', '30\n']).toContain(stdout);
    expect([undefined, 10]).toContain(usage.peakPids);
  });
});

// Signals for the host's process, some thousand in a second: every call that waits, waits again.
const storm = new NodeProgram(`
  import { run } from '@ctr/runtime';
  import { spawn } from 'node:child_process';
  process.on('SIGUSR2', () => undefined);
  const interrupter = spawn('sh', ['-c', 'while kill -USR2 $0; do :; done', String(process.pid)], { stdio: 'ignore' });
  let received = 0;
  process.on('SIGUSR2', () => received++);
  const ends: Record<string, number> = {};
  for (let i = 0; i < 50; i++) {
    const some = Array.from({ length: 4 }, () => run(['echo', 'x'], { rootfs: process.argv[2] ?? '' }).then(({ stdout }) => stdout, String));
    for (const end of await Promise.all(some)) ends[end] = (ends[end] ?? 0) + 1;
  }
  interrupter.kill('SIGKILL');
  console.log(JSON.stringify({ ends, many: received > 200 }));
`);

describe('signals without end', () => {
  it('fail no launch', { timeout: 60_000 }, async () => {
    const { stdout, stderr } = await storm.run([image.path]);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ ends: { 'x\n': 200 }, many: true });
  });
});

const attempt = new NodeProgram(`
  import { run } from '@ctr/runtime';
  import { execFileSync } from 'node:child_process';
  const [rootfs = '', options = '{}'] = process.argv.slice(2);
  // Node itself needs some threads before.
  if (process.env.NPROC) execFileSync('prlimit', ['--pid', String(process.pid), '--nproc=' + process.env.NPROC]);
  await run(['sh', '-c', 'echo $$; id -u'], { rootfs, ...JSON.parse(options) }).then(
    ({ stdout }) => console.log(stdout.trimEnd().split('\\n').join(' ')),
    (error: Error) => console.log(error.message.split('\\n').join(' | ')),
  );
`);

/** A run in a process that is started by others, in a mount namespace of its own that a script has set up. */
function after(script: string, options: ContainerOptions = {}, as: readonly string[] = []): Promise<Outcome> {
  const by = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', `${script}; exec "$@"`, 'sh', ...as];
  return attempt.run([image.path, JSON.stringify(options)], { by });
}

describe('the limits of the caller', () => {
  it('on open files: says which limit it is', async () => {
    // How many files Node needs to read the program differs with its version.
    let limit = 19;
    let outcome;
    do outcome = await after(`ulimit -n ${++limit}`);
    while (outcome.stderr.includes('EMFILE') && limit < 48);
    expect(outcome.stderr).toBe('');
    expect(outcome.stdout).toMatch(/ = EMFILE .*hint: .*ulimit -n\n$/);
  });

  it('on open files: those that Node has, and some twenty, are enough', async () => {
    expect((await after('ulimit -n 48')).stdout).toBe('1 0\n');
  });

  it('on processes: says which limit it is', async () => {
    // It counts for users other than root: the threads of Node alone are more than one.
    const as = ['setpriv', '--reuid=54999', '--regid=54999', '--clear-groups'];
    const { stdout, stderr } = await after(':', {}, [...as, 'env', 'NPROC=1']);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^posix_spawn\(.* = EAGAIN .*hint: a limit on processes is reached: see ulimit -u and the pids.max of the cgroups above\n$/);
  });
});

describe('a /proc', () => {
  it('that hides the processes of others does no harm', async () => {
    // Another instance of it: to mount the one there is again would change it for all.
    expect((await after('mount -t proc -o hidepid=2 proc /proc')).stdout).toBe('1 0\n');
  });

  it('that is mounted over in part does no harm to root, and is named to others', async () => {
    const cover = 'mount -t tmpfs tmpfs /proc/scsi';
    expect((await after(cover)).stdout).toBe('1 0\n');
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    expect((await after(cover, {}, nobody)).stdout).toMatch(/^(1 0|.* = EPERM .*mounted over.*)\n$/);
  });

  it('that is not there is missed by name', async () => {
    const { stdout, stderr } = await after('umount -l /proc');
    expect(stdout + stderr).toMatch(/\/proc is not mounted here, and ctr needs it/);
  });
});

describe('where cgroups are', () => {
  it.each([
    ['not mounted', 'for m in $(grep " - cgroup" /proc/self/mountinfo | cut -d" " -f5 | tac); do umount -l $m; done'],
    ['read-only', 'for m in $(grep " - cgroup" /proc/self/mountinfo | cut -d" " -f5); do mount -o remount,bind,ro $m; done'],
  ])('%s, a container that nobody has asked limits for still runs', async (_, script) => {
    expect(await after(script)).toMatchObject({ stdout: '1 0\n', stderr: '' });
  });
});

describe('a profile of system calls', () => {
  it.each(['execve', 'write', 'exit_group'])('that refuses %s, which the set-up still needs, is refused itself', async (name) => {
    const seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: [name], action: 'SCMP_ACT_ERRNO' }] } as const;
    expect(() => plan(['true'], { seccomp })).toThrow(new RegExp(`^seccomp: the profile answers ${name} with EPERM, which has to be made after it is loaded`));
    expect(await refused(run(['true'], { rootfs: image.path, seccomp }))).toMatch(/^seccomp: /);
  });
});

describe('output', () => {
  it('is not lost by a reader that is slow', async () => {
    const running = run(['sh', '-c', 'i=0; while [ $i -lt 3000 ]; do echo "line $i"; i=$((i+1)); done; head -c 300000 /dev/zero | tr "\\0" x'], {
      rootfs: image.path,
    });
    let length = 0;
    for await (const chunk of running.stdout ?? []) {
      length += (chunk as Buffer).length;
      if (length < 40_000) await delay(1);
    }
    const { stdout } = await running;
    expect([length, stdout.length]).toEqual([stdout.length, 300_000 + Array.from({ length: 3000 }, (_, i) => `line ${i}\n`.length).reduce((a, b) => a + b)]);
  });

  it('that nobody reads does not keep a container from being killed', async () => {
    const container = await start(['sh', '-c', 'yes'], { rootfs: image.path, stdio: 'ignore', timeoutMs: 200 });
    expect(await container.exited).toMatchObject({ timedOut: true, signal: 'SIGKILL' });
    const running = run(['yes'], { rootfs: image.path, timeoutMs: 200, maxBufferBytes: 1000, reject: false });
    expect(await running).toMatchObject({ timedOut: true, outputTruncated: true });
  });
});

describe('the clock', () => {
  it('of the wall does not matter to what is timed', async () => {
    // A process whose own wall clock is wrong: what ctr measures is the time since boot.
    expect(readFileSync(new URL('../src/container.ts', import.meta.url), 'utf8')).not.toMatch(/Date\.now|new Date/);
    expect((await ended(attempt.start([image.path, JSON.stringify({ namespaces: { time: 'new' } })]))).stdout).toBe('1 0\n');
  });
});
