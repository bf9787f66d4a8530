// What can go wrong at each step of a container's set-up: it is told, nothing is left then, and the next one works.
import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { plan, type ContainerOptions } from '@ctr/runtime';
import { call, errnos, fail, Fd, launch, type Step } from '@ctr/syscall';

import type { Chosen, Fault, Outcomes } from './fault-points.js';
import { isWholeRun, record } from '../../../tools/fault-record.mjs';
import { sharedImage } from './image.js';
import { watchForLeaks } from './leaks.js';
import { NodeProgram } from './node-program.js';
import { asNobody } from './nobody.js';

watchForLeaks();
const image = sharedImage();
const program = new NodeProgram(new URL('./fault-program.ts', import.meta.url));

const errors: readonly Fault[] = ['EPERM', 'ENOMEM', 'ENOSYS', 'EMFILE', 'EINTR', 'EBUSY', 'ENOSPC', 'EAGAIN'];

/** A container, and every how many steps a fault is tried when there is not time for all: the first two errors and SIGKILL, and the others. */
interface Variant {
  readonly what: string;
  readonly options: () => ContainerOptions;
  readonly by: readonly string[];
  readonly often: number;
  readonly seldom: number;
}

const variants: readonly Variant[] = [
  { what: 'the default plan', options: () => ({}), by: [], often: 1, seldom: 7 },
  { what: 'the plan of an ordinary user', options: () => ({}), by: asNobody, often: 1, seldom: 7 },
  { what: 'with a root', options: () => ({ rootfs: image.path }), by: [], often: 5, seldom: 11 },
  {
    what: 'with all there is',
    options: () => ({
      rootfs: image.path,
      init: true,
      terminal: { columns: 80, rows: 24 },
      user: { uid: 1000, gid: 1000 },
      mounts: [{ tmpfs: '/tmp' }, { bind: '/usr', to: '/data' }],
      namespaces: { time: 'new' },
    }),
    by: [],
    often: 3,
    seldom: 11,
  },
];

describe.each(variants)('at each step: $what', ({ what, options, by, often, seldom }) => {
  const attempt = async (faults: readonly Fault[]): Promise<void> => {
    const chosen = faults.map((fault, i): Chosen => {
      const every = isWholeRun ? 1 : fault === 'SIGKILL' || errors.indexOf(fault) === 0 || errors.indexOf(fault) === 1 ? often : seldom;
      return { fault, every, from: i % every };
    });
    const { stdout, stderr, code } = await program.run([JSON.stringify([options(), chosen])], { by });
    expect([stderr, code]).toEqual(['', 0]);
    const found = JSON.parse(stdout) as Outcomes[];
    for (const { fault, points, told, tolerated, offTheWay, leftBehind } of found)
      record({ plan: what, fault, points, told, tolerated, offTheWay: offTheWay.length, leftBehind: leftBehind.length, collected: undefined });
    expect(found.flatMap(({ fault, wrong, leftBehind }) => [...wrong, ...leftBehind].map((text) => `${fault} ${text}`))).toEqual([]);
    // Most steps are on the way that succeeds; which these are does not depend on what goes wrong at one of them.
    for (const { points, offTheWay } of found) expect(offTheWay.length).toBeLessThan(points * 0.5);
    const [first] = found;
    if (first && chosen[0]?.every === 1) for (const { offTheWay } of found) expect(offTheWay.filter((at) => !first.offTheWay.includes(at))).toEqual([]);
  };

  const timeout = isWholeRun ? 300_000 : 60_000;

  it('an error: it is told, nothing is left', { timeout }, async () => {
    await attempt(errors);
  });

  it.each(['SIGKILL', 'SIGSEGV', 'SIGSTOP'] as const)('%s of the process: that is told, nothing is left', { timeout }, async (signal) => {
    await attempt([signal]);
  });
});

describe('overlayfs', () => {
  it('is not needed: where it is refused, the programs of the host are read-only', async () => {
    const steps = plan(['sh', '-c', 'touch /usr/bin/x; ls -d /usr/bin; grep -c overlay /proc/mounts; touch /tmp/x && echo written'], { cgroup: false });
    const refused = steps.flatMap((step): Step[] => {
      const otherwise = step.call === 'fsopen' && step.args[0] === 'overlay' ? step.onFailure : undefined;
      return otherwise ? [{ ...fail(errnos.EPERM, 'overlayfs is refused'), onFailure: otherwise }, step] : [step];
    });
    expect(refused.length).toBeGreaterThan(steps.length);
    using output = new Fd(call({ call: 'memfd_create', args: ['output', 1], purpose: 'the output of a test' }));
    const child = await launch(refused, { stdio: ['ignore', output, output] });
    expect((await child.exited).code).toBe(0);
    expect(readFileSync(`/proc/self/fd/${output.number}`, 'utf8')).toBe("touch: cannot touch '/usr/bin/x': Read-only file system\n/usr/bin\n0\nwritten\n");
  });
});
