// Names in a root, or in a directory that two containers share, are exchanged while containers are set up: no mount and no file is made outside, and nothing is left unprotected.
import { lstatSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { plan, run, start, type ContainerOptions } from '@ctr/runtime';
import { parseMountinfo } from '@ctr/fs';
import { compile, launch, resultOf, type Arg, type Step } from '@ctr/syscall';

import { record, rounds } from '../../../../tools/race-record.mjs';
import { image, temporary } from '../image.js';
import { watchForLeaks } from '../leaks.js';
import { exchanging } from './exchange.js';
import { canary, listing, watchTheHost } from './host.js';

watchForLeaks();
watchTheHost();

const ROUNDS = rounds(200);

/** Starts containers one after the other while two names are exchanged; how often each outcome was seen. */
async function race(
  directory: string,
  [a, b]: readonly [string, string],
  look: (round: number) => Promise<string>,
  count = ROUNDS,
): Promise<Record<string, number>> {
  const tally: Record<string, number> = {};
  await using _exchange = await exchanging(directory, a, b);
  for (let round = 0; round < count; round++) {
    const seen = await look(round);
    tally[seen] = (tally[seen] ?? 0) + 1;
  }
  console.info(`${name()}: ${JSON.stringify(tally)}`);
  return tally;
}

/** What a container prints, or the errno of what refused it. */
function outcome(command: readonly [string, ...string[]], options: ContainerOptions): Promise<string> {
  return run(command, options).then(
    ({ stdout }) => stdout.trim(),
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );
}

const targets: [string, (outside: string) => string][] = [
  ['absolute', (outside) => outside],
  ['relative', (outside) => `../../../../../../../../..${outside}`],
];
/** That the root was left cannot be told from a rename that comes in between, where a link has a `..` in it; after many attempts that is an error, too. */
const refusals = ['ENOENT', 'ELOOP', 'EAGAIN'];

/** Both states of the names were met, that of the attack with these outcomes, and there were no others. */
function expectBoth(tally: Record<string, number>, harmless: string, attacked = refusals): void {
  const { [harmless]: started = 0, ...others } = tally;
  const met = sum(attacked.map((seen) => others[seen] ?? 0));
  expect(Object.keys(others).filter((seen) => !attacked.includes(seen))).toEqual([]);
  expect(started).toBeGreaterThan(0);
  expect(met).toBeGreaterThan(0);
  const row = { race: name(), rounds: started + met, met, gotThrough: sum(Object.values(others)) - met };
  // What is outside is still to be looked at.
  onTestFinished(({ task }) => {
    if (task.result?.state === 'pass') record(row);
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function name(): string {
  return expect.getState().currentTestName?.replaceAll(' > ', ': ') ?? '';
}

describe('a place that is now a directory and now a link to the host', () => {
  it.each(targets.flatMap(([what, target]) => ['place', 'dev', 'proc', 'sys'].map((name) => [name, what, target] as const)))(
    '/%s: nothing is mounted or made outside: %s',
    async (name, _what, target) => {
      const outside = canary(temporary());
      const rootfs = image();
      mkdirSync(join(rootfs, 'place'));
      symlinkSync(target(outside), join(rootfs, 'other'));
      const before = listing(outside);
      const options: ContainerOptions = { rootfs, ...(name === 'place' && { mounts: [{ tmpfs: '/place' }] }) };
      expectBoth(await race(rootfs, [name, 'other'], () => outcome(['/bin/busybox', 'echo', 'started'], options), rounds(100)), 'started');
      expect(listing(outside)).toEqual(before);
      for (const place of ['place', 'other', 'dev', 'proc', 'sys'].map((directory) => join(rootfs, directory)))
        if (lstatSync(place).isDirectory()) expect(readdirSync(place)).toEqual([]);
    },
  );

  it.each(targets)('what is missing below it is made in it, and never outside: %s', async (_what, target) => {
    const outside = canary(temporary());
    const [rootfs, volume] = [image(), temporary()];
    for (const name of ['here', 'there']) mkdirSync(join(volume, name));
    symlinkSync(target(outside), join(volume, 'link'));
    const before = listing(outside);
    const tally = await race(volume, ['here', 'link'], (round) =>
      outcome(['echo', 'started'], {
        rootfs,
        mounts: [
          { bind: volume, to: '/volume' },
          { tmpfs: `/volume/here/${round}/new` },
          { bind: join(rootfs, 'etc/passwd'), to: `/volume/here/${round}/file` },
        ],
      }),
    );
    expectBoth(tally, 'started', [...refusals, 'ENOTDIR']);
    expect(listing(outside)).toEqual(before);
  });

  it('a file that is now a link: what is mounted on it covers nothing outside', async () => {
    const outside = canary(temporary());
    const rootfs = image();
    writeFileSync(join(rootfs, 'etc/file'), '');
    symlinkSync(join(outside, 'passwd'), join(rootfs, 'etc/link'));
    const before = listing(outside);
    const tally = await race(join(rootfs, 'etc'), ['file', 'link'], () =>
      outcome(['echo', 'started'], { rootfs, mounts: [{ bind: join(rootfs, 'etc/group'), to: '/etc/file' }] }),
    );
    expectBoth(tally, 'started');
    expect(listing(outside)).toEqual(before);
  });
});

describe('a working directory and a program that are now links to an open file', () => {
  it('the working directory is in the container', async () => {
    const rootfs = image();
    mkdirSync(join(rootfs, 'place'));
    symlinkSync('/proc/self/fd/4', join(rootfs, 'other'));
    const tally = await race(rootfs, ['place', 'other'], () =>
      outcome(['sh', '-c', 'case $(readlink /proc/self/cwd) in /place|/other) echo started;; *) readlink /proc/self/cwd;; esac'], { rootfs, cwd: '/place' }),
    );
    expectBoth(tally, 'started');
  });

  it('the program is of the container', async () => {
    const rootfs = image();
    // A script would be looked up once more by its interpreter.
    const tool: Step[] = [
      { call: 'write', args: [1, 'started', 7], purpose: 'the one of the image' },
      { call: 'exit_group', args: [0], purpose: 'the end' },
    ];
    writeFileSync(join(rootfs, 'bin/tool'), compile(tool), { mode: 0o755 });
    symlinkSync('/proc/self/fd/4/../../../bin/true', join(rootfs, 'bin/other'));
    expectBoth(await race(join(rootfs, 'bin'), ['tool', 'other'], () => outcome(['/bin/tool'], { rootfs })), 'started');
  });
});

describe('a /proc or /sys that is moved away and back', () => {
  /** The root, and the options of a container in it. */
  function withTwo(): string {
    const rootfs = image();
    mkdirSync(join(rootfs, 'other'));
    return rootfs;
  }

  /** Where the proc (or sysfs) of a process is, and how many of its parts are covered or read-only. */
  function protection(pid: number, type = 'proc'): { at: string; covers: number } {
    const mounts = parseMountinfo(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'));
    const whole = mounts.find((mount) => mount.type === type && mount.root === '/');
    return { at: whole?.mountPoint ?? 'nowhere', covers: mounts.filter(({ parent }) => parent === whole?.id).length };
  }

  async function started(options: ContainerOptions, type?: string): Promise<{ at: string; covers: number }> {
    await using container = await start(['/bin/busybox', 'sleep', '1000'], { ...options, stdio: 'ignore' });
    return protection(container.pid, type);
  }

  it.each([
    ['proc', 'proc'],
    ['sys', 'sysfs'],
  ])('hides and protects all that it has to: /%s', async (name, type) => {
    const rootfs = withTwo();
    const { at, covers } = await started({ rootfs }, type);
    expect(at).toBe(`/${name}`);
    expect(covers).toBeGreaterThan(type === 'proc' ? 5 : 0);
    const tally = await race(rootfs, [name, 'other'], async () => {
      const seen = await started({ rootfs }, type);
      return `${seen.at} ${seen.covers === covers ? 'protected' : 'open'}`;
    });
    // By its name of the moment: that it was moved while it was set up.
    expectBoth(tally, `/${name} protected`, ['/other protected']);
  });

  it('would not if they were looked for below the root: the window is hit', async () => {
    const rootfs = withTwo();
    const { covers } = await started({ rootfs });
    let round = 0;
    const tally = await race(rootfs, ['proc', 'other'], async () => {
      const steps = belowTheRoot(plan(['/bin/busybox', 'sleep', '1000'], { rootfs, cgroup: false, hostname: `race-${round++}` }));
      await using child = await launch(steps, { stdio: ['ignore', 'ignore', 'ignore'] });
      return protection(child.pid).covers === covers ? 'protected' : 'open';
    });
    const met = tally['open'] ?? 0;
    expect(met).toBeGreaterThan(0);
    record({ race: name(), rounds: ROUNDS, met, gotThrough: undefined });
  });
});

describe('a bind mount that is moved away and back', () => {
  /** A volume with a file that is to be hidden and a directory that is to be read-only, and the options of a container that has it. */
  function withVolume(): { rootfs: string; options: ContainerOptions } {
    const [rootfs, volume] = [image(), temporary()];
    for (const name of ['volume', 'other']) mkdirSync(join(rootfs, name));
    mkdirSync(join(volume, 'constant'));
    writeFileSync(join(volume, 'secret'), 'seen');
    return {
      rootfs,
      options: { rootfs, mounts: [{ bind: volume, to: '/volume' }], maskedPaths: ['/volume/secret'], readonlyPaths: ['/volume/constant'] },
    };
  }

  /** By the mounts of a container: where it is, and whether what is to be covered is. */
  function seen(mountinfo: string): string {
    const mounts = parseMountinfo(mountinfo);
    const volume = mounts.find(({ mountPoint }) => mountPoint === '/volume' || mountPoint === '/other');
    const covers = mounts.filter(({ parent }) => parent === volume?.id);
    return `${volume?.mountPoint} ${covers.length === 2 ? 'protected' : 'open'}`;
  }

  it('hides and protects all that it has to', async () => {
    const { rootfs, options } = withVolume();
    const tally = await race(rootfs, ['volume', 'other'], async () => seen((await run(['cat', '/proc/self/mountinfo'], options)).stdout));
    expectBoth(tally, '/volume protected', ['/other protected']);
  });

  it('would not if that were looked for below the root: the window is hit', async () => {
    const { rootfs, options } = withVolume();
    let round = 0;
    const tally = await race(rootfs, ['volume', 'other'], async () => {
      const steps = belowTheRoot(plan(['/bin/busybox', 'sleep', '1000'], { ...options, cgroup: false, hostname: `race-${round++}` }), 'volume');
      await using child = await launch(steps, { stdio: ['ignore', 'ignore', 'ignore'] });
      return seen(readFileSync(`/proc/${child.pid}/mountinfo`, 'utf8')).replace(/.* /, '');
    });
    const met = tally['open'] ?? 0;
    expect(met).toBeGreaterThan(0);
    record({ race: name(), rounds: ROUNDS, met, gotThrough: undefined });
  });
});

/** Makes a plan look for what is to be hidden in the root, by its path, instead of in the mount that it has made. */
function belowTheRoot(steps: readonly Step[], mount = 'proc'): readonly Step[] {
  const root = steps.find(({ as }) => as === 'root');
  for (const step of steps) {
    const i = { openat2: 0, open_tree: 0, move_mount: 2 }[step.call as string];
    if (!root || i === undefined || !isMount(step.args[i], mount) || step.args[i + 1] === '') continue;
    // What is moved away between two calls is no error here.
    const tolerates = Array.isArray(step.tolerates) ? [...(step.tolerates as readonly string[]), 'ENOENT'] : ['ENOENT'];
    Object.assign(step, { args: step.args.toSpliced(i, 2, resultOf(root), `${mount}/${String(step.args[i + 1])}`), tolerates });
  }
  return steps;
}

function isMount(at: Arg | undefined, name: string): boolean {
  return typeof at === 'object' && at !== null && 'kind' in at && at.kind === 'result' && at.step.as === name;
}
