import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';

import { afterEach, describe, expect, it, vi } from 'vitest';

import { isContainerError, run, start, type ContainerError, type RunOptions, type StartOptions } from '@ctr/runtime';
import { readLayout } from '@ctr/cgroups';

import { sharedImage } from './image.js';
import { groups, groupsOf, watchForLeaks } from './leaks.js';
import { NodeProgram } from './node-program.js';

watchForLeaks();
const image = sharedImage();
const layout = readLayout();

/** Whether a hierarchy has a controller, and of which version it is. */
function versionOf(controller: string): 1 | 2 | undefined {
  return layout.hierarchies.filter(({ controllers }) => controllers.includes(controller)).toSorted((a, b) => b.version - a.version)[0]?.version;
}

/** A file of the only container's group in a hierarchy with this controller. */
function read(controller: string, file: string): string {
  const mount = layout.hierarchies.find(({ controllers, version }) => controllers.includes(controller) && version === versionOf(controller))?.mount;
  const directory = groupsOf(process.pid).find((group) => group.startsWith(`${mount}/ctr/`));
  if (directory === undefined) throw new Error(`there is no group of this process with ${controller}`);
  return readFileSync(`${directory}/${file}`, 'latin1').trim();
}

function sleeper(options: StartOptions = {}): ReturnType<typeof start> {
  return start(['sleep', '1000'], { rootfs: image.path, stdio: 'ignore', ...options });
}

async function failed(promise: Promise<unknown>): Promise<ContainerError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isContainerError(error)) throw new Error('it did not fail as a container', { cause: error });
  return error;
}

/** An orphan that has ended may wait for the host's first process to notice. */
function isRunning(pid: string): boolean {
  return existsSync(`/proc/${pid}`) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
}

const PAGE_BYTES = 4096;
/** So many pages are too few for any container. */
const LOW_PAGES = 10;
const LOW_STARTS = 96;

/** Children of this process that nobody has waited for. */
function zombies(): string[] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=,stat=', '--ppid', String(process.pid)], { encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line.includes(' Z'));
}

describe('limits', () => {
  it('of processes: 2048, or as many as are asked for', async () => {
    {
      await using _ = await sleeper();
      expect(read('pids', 'pids.max')).toBe('2048');
    }
    await using _ = await sleeper({ limits: { pids: 20 } });
    expect(read('pids', 'pids.max')).toBe('20');
    expect(read('pids', 'pids.current')).toBe('1');
  });

  it('of memory and processors', async () => {
    await using container = await sleeper({ limits: { memoryBytes: 64 * 2 ** 20, cpuCores: 0.5, cpuWeight: 50 } });
    if (versionOf('memory') === 1) expect(read('memory', 'memory.limit_in_bytes')).toBe('67108864');
    else expect(read('memory', 'memory.max')).toBe('67108864');
    if (versionOf('cpu') === 1) expect(Number(read('cpu', 'cpu.cfs_quota_us')) / Number(read('cpu', 'cpu.cfs_period_us'))).toBe(0.5);
    else expect(read('cpu', 'cpu.max')).toMatch(/^50000 100000$/);
    expect(read('pids', 'pids.max')).toBe('2048');
    for (const group of groupsOf(process.pid)) expect(readFileSync(`${group}/cgroup.procs`, 'latin1')).toBe(`${container.pid}\n`);
  });

  it('of swap and the part of the processors, by the files of either version', async (context) => {
    if (versionOf('memory') === undefined || versionOf('cpu') === undefined) return context.skip('needs the memory and cpu controllers');
    const limits = {
      memoryBytes: 64 * 2 ** 20,
      swapBytes: 0,
      memoryReservationBytes: 32 * 2 ** 20,
      cpuShares: 512,
      cpuQuotaMicroseconds: 20_000,
      cpuPeriodMicroseconds: 50_000,
    };
    await using _ = await sleeper({ limits });
    if (versionOf('memory') === 1)
      expect([read('memory', 'memory.memsw.limit_in_bytes'), read('memory', 'memory.soft_limit_in_bytes')]).toEqual(['67108864', '33554432']);
    else expect([read('memory', 'memory.swap.max'), read('memory', 'memory.low')]).toEqual(['0', '33554432']);
    if (versionOf('cpu') === 1)
      expect([read('cpu', 'cpu.cfs_quota_us'), read('cpu', 'cpu.cfs_period_us'), read('cpu', 'cpu.shares')]).toEqual(['20000', '50000', '512']);
    else expect([read('cpu', 'cpu.max'), read('cpu', 'cpu.weight')]).toEqual(['20000 50000', '59']);
  });

  it('that cannot be had are an error before anything starts', async () => {
    const limits = versionOf('memory') === 1 ? { memoryHighBytes: 2 ** 25 } : { memorySwappiness: 5 };
    await expect(run(['true'], { rootfs: image.path, limits })).rejects.toMatchObject({ name: 'CgroupError' });
    expect(groupsOf(process.pid)).toEqual([]);
  });

  it('that are none', async () => {
    await using _ = await sleeper({ limits: { pids: 'max', memoryBytes: 'max' } });
    expect(read('pids', 'pids.max')).toBe('max');
  });

  it('are reached inside: a fork beyond the limit fails', async () => {
    const { stderr } = await failed(run(['sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1000 & done'], { rootfs: image.path, limits: { pids: 5 } }));
    expect(stderr).toMatch(/can't fork: Resource temporarily unavailable/);
  });

  it('of a fork bomb, which is gone when the container is', async () => {
    const error = await failed(
      run(['sh', '-c', 'bomb() { bomb | bomb & }; bomb; while :; do :; done'], { rootfs: image.path, limits: { pids: 64 }, timeoutMs: 1000 }),
    );
    expect(error.timedOut).toBe(true);
    expect(error.durationMs).toBeLessThan(10_000);
  });

  it('v1: the release agent is notified, as the original has it', async (context) => {
    if (versionOf('pids') !== 1) return context.skip('the pids controller is not in a v1 hierarchy');
    await using _ = await sleeper();
    expect(read('pids', 'notify_on_release')).toBe('1');
  });

  it('are not for the caller: only the container is in the group', async () => {
    const before = readFileSync('/proc/self/cgroup', 'latin1');
    await using container = await sleeper();
    expect(readFileSync('/proc/self/cgroup', 'latin1')).toBe(before);
    expect(readFileSync(`/proc/${container.pid}/cgroup`, 'latin1')).not.toBe(before);
  });
});

describe('the limit of processes', () => {
  /** Where the group is of version 2 in part, or the host maps ids and it is of version 2, the process before the first one joins as well. */
  const isExact = versionOf('pids') === 1;

  it.each<[what: string, options: RunOptions]>([
    ['as root', {}],
    ['in a user namespace', { namespaces: { user: 'new' } }],
    ['with an own id', { namespaces: { user: 'new' }, ids: 'own' }],
    ['in a time namespace', { namespaces: { time: 'new' } }],
    ['in a network namespace that is joined', { namespaces: { net: { pid: process.pid } } }],
  ])('counts nothing but the container: %s', async (_, options) => {
    const counted = (pids: number, script: string): ReturnType<typeof run> =>
      run(['sh', '-c', script], { rootfs: image.path, ...options, limits: { pids }, reject: false });
    if (isExact) expect(await counted(1, 'echo alone; /bin/true')).toMatchObject({ stdout: 'alone\n', usage: { peakPids: 1 } });
    // Whoever waits for the processes of the set-up has twenty of them to wait for.
    const many = await Promise.all(Array.from({ length: 20 }, () => counted(isExact ? 2 : 3, '/bin/true; echo $?')));
    expect(many.map(({ stdout, stderr }) => stdout + stderr)).toEqual(many.map(() => '0\n'));
  });
});

describe('the memory limit', () => {
  it('kills, and that is told', async () => {
    const error = await failed(run(['tail', '/dev/zero'], { rootfs: image.path, limits: { memoryBytes: 16 * 2 ** 20 } }));
    expect(error).toMatchObject({ oomKilled: true, signal: 'SIGKILL', exitCode: undefined, timedOut: false, isCanceled: false });
    expect(error.message).toBe('"tail /dev/zero" was killed by SIGKILL: it reached its memory limit');
    expect(error.usage.peakMemoryBytes).toBeGreaterThan(15 * 2 ** 20);
    expect(error.usage.peakMemoryBytes).toBeLessThanOrEqual(16 * 2 ** 20);
  });

  it('is told too where it was not the first process that was killed', async () => {
    const result = await run(['sh', '-c', 'tail /dev/zero; echo $?'], { rootfs: image.path, limits: { memoryBytes: 16 * 2 ** 20 } });
    expect(result).toMatchObject({ oomKilled: true, exitCode: 0, stdout: '137\n' });
  });

  it('that is too low for the set-up is told', async () => {
    const error: unknown = await start(['true'], { rootfs: image.path, limits: { memoryBytes: 4096 } }).catch((reason: unknown) => reason);
    expect(error).toEqual(
      new Error(
        'the process ended during its set-up, killed by SIGKILL: it was at its memory limit, and 4096 bytes are too few to set up a container: give it more',
      ),
    );
  });

  it.each([
    ['one after the other', 1],
    ['eight at a time', 8],
  ])('that is too low at any step of the set-up leaves no process and no group: %s', async (_how, atOnce) => {
    const start = async (at: number): Promise<void> => {
      const limits = { memoryBytes: PAGE_BYTES * (1 + (at % LOW_PAGES)) };
      await expect(run(['true'], { rootfs: image.path, limits })).rejects.toThrow(/SIGKILL.*memory limit|ENOMEM/s);
    };
    for (let at = 0; at < LOW_STARTS; at += atOnce) await Promise.all(Array.from({ length: atOnce }, (_, i) => start(at + i)));
    await vi.waitUntil(() => zombies().length === 0, { timeout: 2000, interval: 5 });
    expect(groupsOf(process.pid)).toEqual([]);
  });

  it('that is not reached is not told', async () => {
    expect(await run(['true'], { rootfs: image.path, limits: { memoryBytes: 64 * 2 ** 20 } })).toMatchObject({ oomKilled: false });
  });
});

describe('usage', () => {
  it('is measured by the cgroup if that is asked for', async () => {
    const script = 'sleep 1000 & sleep 1000 & i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; head -c 8000000 /dev/zero > /dev/shm/x';
    const { usage } = await run(['sh', '-c', script], { rootfs: image.path, measure: true });
    expect(usage.source).toBe('cgroup');
    expect(usage.cpuMicroseconds).toBeGreaterThan(1000);
    expect(usage.peakMemoryBytes).toBeGreaterThan(8_000_000);
    expect(usage.peakPids).toBeGreaterThanOrEqual(3);
    expect(usage.peakPids).toBeLessThan(10);
    expect(usage.pidsMaxHits).toBe(0);
    expect(usage.statistics?.memory?.peakBytes).toBe(usage.peakMemoryBytes);
    expect(usage.statistics?.cpu?.usageMicroseconds).toBeGreaterThan(1000);
  });

  it('says how often a process was refused', async () => {
    const { usage } = await run(['sh', '-c', 'sleep 1000 & sleep 1000 & sleep 1000 & :'], { rootfs: image.path, limits: { pids: 2 }, reject: false });
    expect(usage.pidsMaxHits).toBeGreaterThanOrEqual(1);
    expect(usage.statistics).toBeUndefined();
  });
});

describe('the group', () => {
  it('has the name that is given', async () => {
    await using _ = await sleeper({ name: 'web-1' });
    expect(groupsOf(process.pid).every((group) => group.includes('/ctr/web-1.'))).toBe(true);
  });

  it('is none without limits', async () => {
    await using _ = await sleeper({ cgroup: false });
    expect(groupsOf(process.pid)).toEqual([]);
  });

  describe('is removed however the container ends', () => {
    afterEach(() => expect(groupsOf(process.pid)).toEqual([]));

    it('by itself', async () => {
      await run(['true'], { rootfs: image.path });
      await failed(run(['false'], { rootfs: image.path }));
    });
    it('killed', async () => {
      const container = await sleeper();
      expect(container.kill('SIGKILL')).toBe(true);
      await container.exited;
      expect(groupsOf(process.pid)).toEqual([]);
      expect(container.kill('SIGKILL')).toBe(false);
    });
    it('disposed of, twice', async () => {
      const container = await sleeper();
      await container[Symbol.asyncDispose]();
      await container[Symbol.asyncDispose]();
    });
    it('out of time', async () => {
      await failed(run(['sleep', '1000'], { rootfs: image.path, timeoutMs: 100 }));
    });
    it('before its program was there', async () => {
      await expect(sleeper({ cwd: '/missing' })).rejects.toThrow('ENOENT');
      await expect(start(['missing'], { rootfs: image.path })).rejects.toThrow('not found');
    });
    it('cancelled during its set-up', async () => {
      const controller = new AbortController();
      const starting = sleeper({ cancelSignal: controller.signal });
      controller.abort(new Error('stop'));
      await expect(starting).rejects.toThrow('stop');
    });
    it('while others of its processes still run, which are killed', async () => {
      const { stdout } = await run(['sh', '-c', 'for i in 1 2 3; do (trap "" TERM HUP; sleep 1000) & done; echo $!'], {
        rootfs: image.path,
        namespaces: { pid: 'host' },
      });
      expect(isRunning(stdout.trim())).toBe(false);
    });
    it('with groups below it that the container has made', async () => {
      const mount = layout.hierarchies.find(({ controllers }) => controllers.includes('pids'))?.mount ?? '';
      const group = `$(ls -d /groups/ctr/*.${process.pid}.* | head -1)`;
      const mounts = [{ bind: mount, to: '/groups' }];
      const script = `cd ${group} && mkdir -p a/b c && sleep 1000 & sleep 1000 & echo $! > ${group}/a/b/cgroup.procs 2>/dev/null; mkdir -p ${group}/d/e && echo made`;
      expect((await run(['sh', '-c', script], { rootfs: image.path, mounts: [...mounts] })).stdout).toBe('made\n');
    });
  });

  it('of a living owner stays, whatever its name is, when another process looks for leftovers', async () => {
    await using _ = await sleeper();
    const own = groupsOf(process.pid);
    const outcome = await collector.run();
    expect(outcome.stderr).toBe('');
    for (const group of own) expect(outcome.stdout).not.toContain(group);
    expect(groupsOf(process.pid)).toEqual(own);
  });

  it('of an owner that is dead is removed by the first start of another process, and what is nobody’s stays', async () => {
    const dead = `${layout.hierarchies.find(({ controllers }) => controllers.includes('pids'))?.mount}/ctr/dead.4194304.a`;
    mkdirSync(dead, { recursive: true });
    const outcome = await starter.run([image.path]);
    expect(outcome).toMatchObject({ code: 0, stdout: 'ran\n', stderr: '' });
    expect(groups()).not.toContain(dead);
  });
});

const collector = new NodeProgram(`
  import { collectGarbage } from '@ctr/cgroups';
  console.log(await collectGarbage());
`);

const starter = new NodeProgram(`
  import { run } from '@ctr/runtime';
  const { stdout } = await run(['echo', 'ran'], { rootfs: process.argv[2] ?? '' });
  process.stdout.write(stdout);
`);

describe('where control groups cannot do it', () => {
  const limited = new NodeProgram(`
    import { run } from '@ctr/runtime';
    for (const options of [{}, { limits: { memoryBytes: 2 ** 24 } }, { measure: true }, { cgroup: false }]) {
      console.log(await run(['true'], { rootfs: process.argv[2] ?? '', ...options }).then(({ exitCode }) => exitCode, (error) => error.message));
    }
  `);

  /** Runs it in a mount namespace that a script has changed. */
  async function after(script: string): Promise<string[]> {
    const outcome = await limited.run([image.path], { by: ['unshare', '--mount', 'sh', '-c', `${script} && exec "$@"`, 'sh'] });
    expect(outcome.stderr).toBe('');
    return outcome.stdout.trimEnd().split('\n');
  }

  it('a limit is an error that says so where there are none', async () => {
    const none =
      /^no control groups are mounted here, and a limit needs the (pids|memory) controller: mount -t cgroup2 none \/sys\/fs\/cgroup \(as root\), or run without limits/;
    expect(await after('mount -t tmpfs none /sys/fs/cgroup')).toEqual(['0', expect.stringMatching(none), expect.stringMatching(none), '0']);
  });

  it('a limit is an error that says so where the controller is missing', async (context) => {
    const mount = layout.hierarchies.find(({ controllers, version }) => version === 1 && controllers.includes('memory'))?.mount;
    if (mount === undefined) return context.skip('the memory controller is not in a v1 hierarchy, which can be hidden alone');
    const missing = /^no control group hierarchy here has the memory controller \(there are: .*\): see \/proc\/cgroups: /;
    expect(await after(`mount -t tmpfs none ${mount}`)).toEqual(['0', expect.stringMatching(missing), expect.stringMatching(missing), '0']);
  });

  it('a limit is an error that says so where they are read-only', async (context) => {
    const mount = layout.hierarchies.find(({ controllers }) => controllers.includes('pids'))?.mount;
    if (mount === undefined) return context.skip('there is no pids controller');
    // The limit of pids that nobody has asked for is not worth an error; what is asked of a controller that is elsewhere can be had.
    const memory = versionOf('memory') === 2 ? 'read-only' : '0';
    const readonly = /read-only, so no (memory and )?(pids|memory) group can be made/;
    expect((await after(`mount -o remount,bind,ro ${mount}`)).map((line) => (readonly.test(line) ? 'read-only' : line))).toEqual([
      '0',
      memory,
      'read-only',
      '0',
    ]);
  });
});

describe('the group above', () => {
  const parent = `/ctr-test-above-${process.pid}`;
  const above = layout.hierarchies.map(({ mount }) => `${mount}${parent}`);

  afterEach(() => {
    for (const directory of above) {
      for (const below of [`${directory}/jobs`, directory]) if (existsSync(below)) rmdirSync(below);
    }
  });

  it('is the one that is asked for, where names are looked up and limits hold, too', async () => {
    const options: StartOptions = { cgroupParent: `${parent}/jobs`, name: 'below' };
    const container = await sleeper(options);
    const lines = readFileSync(`/proc/${container.pid}/cgroup`, 'latin1').split('\n');
    expect(lines.filter((line) => line.includes(`${parent}/jobs/below.`))).not.toEqual([]);
    expect(lines.some((line) => line.includes(':/ctr/'))).toBe(false);
    await expect(sleeper(options)).rejects.toThrow(/runs already/);
    container.kill('SIGKILL');
    await container.exited;
    for (const directory of above)
      if (existsSync(directory)) expect(readdirSync(`${directory}/jobs`, { withFileTypes: true }).filter((entry) => entry.isDirectory())).toEqual([]);
  });

  it('cannot be one that leads elsewhere, nor be had without a cgroup', async () => {
    for (const cgroupParent of ['', '/..', '../x', '/a//b', '/cgroup.procs', '/a\nb'])
      await expect(sleeper({ cgroupParent })).rejects.toBeInstanceOf(TypeError);
    await expect(sleeper({ cgroupParent: 7 as unknown as string })).rejects.toBeInstanceOf(TypeError);
    await expect(sleeper({ cgroupParent: parent, cgroup: false })).rejects.toThrow(/needs a cgroup/);
    expect(above.filter(existsSync)).toEqual([]);
  });
});
