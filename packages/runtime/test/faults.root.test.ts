// What can go wrong at each step of a container's set-up: nothing is left then, and the next one works.
import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { plan, run, type ContainerOptions } from '@ctr/runtime';
import { groupName, planGroup, removeGroup } from '@ctr/cgroups';
import {
  call,
  errnos,
  fail,
  Fd,
  isSyscallError,
  launch,
  signals,
  waitForHost,
  type ErrnoName,
  type Exit,
  type LaunchOptions,
  type Plan,
  type Step,
} from '@ctr/syscall';

import { sharedImage } from './image.js';
import { leftovers, sameAs, watchForLeaks } from './leaks.js';

watchForLeaks();
const image = sharedImage();

type Signal = 'SIGKILL' | 'SIGSEGV' | 'SIGSTOP';

/** A container, and the faults that are tried at each of its steps. */
interface Variant {
  readonly what: string;
  readonly options: () => ContainerOptions;
  readonly errors: readonly ErrnoName[];
  readonly signals: readonly Signal[];
}

const variants: readonly Variant[] = [
  {
    what: 'with a root',
    options: () => ({ rootfs: image.path }),
    errors: ['EPERM', 'ENOENT', 'EIO', 'ENOMEM', 'EACCES', 'EBUSY', 'EINVAL', 'ENOSPC'],
    signals: ['SIGKILL', 'SIGSEGV', 'SIGSTOP'],
  },
  { what: "with the host's userland", options: () => ({}), errors: ['EPERM'], signals: ['SIGKILL'] },
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
    errors: ['EPERM'],
    signals: ['SIGKILL', 'SIGSTOP'],
  },
];

/** What is put in front of a step, how the plan is launched then, how many at a time, and what is told. */
interface Fault {
  readonly steps: () => Step[];
  readonly options?: LaunchOptions;
  readonly atOnce: number;
  readonly told: string;
}

function errorFault(name: ErrnoName): Fault {
  return { steps: () => [fail(errnos[name], 'a fault')], atOnce: 4, told: `${name}: a fault` };
}

const signalFaults: Readonly<Record<Signal, Fault>> = {
  // Whatever its namespace is, the host can kill it; inside, the first process of a pid namespace is safe from itself.
  SIGKILL: {
    steps: () => waitForHost('kill'),
    options: { onWaiting: (pid) => signalled(pid, 'SIGKILL') },
    atOnce: 1,
    told: 'the process ended during its set-up, killed by SIGKILL',
  },
  // Returns from a signal that there never was: the kernel finds no such frame on the stack, and forces the signal even on the first process of a pid namespace.
  SIGSEGV: { steps: () => [{ call: 'rt_sigreturn', args: [], purpose: 'a crash' }], atOnce: 1, told: 'the process ended during its set-up, killed by SIGSEGV' },
  SIGSTOP: {
    steps: () => waitForHost('stop'),
    options: { onWaiting: (pid) => signalled(pid, 'SIGSTOP'), setupTimeoutMs: 200 },
    atOnce: 16,
    told: 'the set-up of the process did not end within 200 ms',
  },
};

/** The process is given its signal, and no answer. */
function signalled(pid: number, signal: NodeJS.Signals): Promise<void> {
  process.kill(pid, signal);
  return new Promise(() => undefined);
}

describe.each(variants)('at each step of a container $what', ({ options, errors, signals: names }) => {
  // Below an init process the host is told of the program's end by that, as a shell would tell it; and of the end of init itself by its exit code alone.
  const isBelowInit = options().init === true;
  const byInit = (code: number): string[] => (isBelowInit ? [`exit code ${code}`, `the process ended during its set-up, with exit code ${code}`] : []);

  it.each(errors)('%s: the error is told, nothing is left', async (name) => {
    const fault = errorFault(name);
    const counts = await atEach(fault, options());
    expectOnly(counts, [fault.told], ['exit code 0', ...byInit(125)]);
    await nextRunWorks(options());
  });

  it.each(names)('%s of the process: that is told, nothing is left', async (name) => {
    const fault = signalFaults[name];
    const counts = await atEach(fault, options());
    expectOnly(counts, [fault.told, ...byInit(128 + signals[name])], ['exit code 0', name, ...byInit(125)]);
    // After the set-up it is the end of the program.
    expect(counts[name] ?? 0).toBeLessThan(10);
    await nextRunWorks(options());
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

/** A fault before each step, some at a time; how often each end came about. Nothing is left after any. */
async function atEach(fault: Fault, options: ContainerOptions): Promise<Record<string, number>> {
  const before = leftovers();
  const counts: Record<string, number> = {};
  const count = planGroup(groupName(), { pids: 20 }).steps.length + plan(['/bin/true'], { ...options, cgroup: false }).length;
  for (let k = 0; k < count; k += fault.atOnce) {
    const some = Array.from({ length: Math.min(fault.atOnce, count - k) }, (_, i) => launchWith(fault, options, k + i));
    for (const end of await Promise.all(some)) counts[end] = (counts[end] ?? 0) + 1;
    await sameAs(before);
  }
  return counts;
}

/** Launches a container's plan, in a group, with a fault before a step, and cleans up as `start` does; what it came to. */
async function launchWith(fault: Fault, options: ContainerOptions, at: number): Promise<string> {
  const group = planGroup(groupName(), { pids: 20 });
  const steps = plan(['/bin/true'], { ...options, cgroup: false });
  const whole: Plan = [...group.steps, ...steps].toSpliced(at, 0, ...fault.steps());
  let master: Fd | undefined;
  const onFile = (file: Fd): void => {
    master = file;
  };
  try {
    const child = await launch(whole, { stdio: ['ignore', 'ignore', 'ignore'], onFile, ...fault.options });
    const exit: Exit = await child.exited;
    await removeGroup(group.directories);
    return exit.signal ?? `exit code ${exit.code}`;
  } catch (error) {
    group.undo(error);
    return isSyscallError(error) ? `${error.code}: ${error.purpose}` : (error as Error).message;
  } finally {
    master?.close();
  }
}

/** Most steps are taken on the way that succeeds, and end so; the rest are those of other ways, and what follows the program. */
function expectOnly(counts: Record<string, number>, most: readonly string[], rest: readonly string[]): void {
  expect(Object.keys(counts).filter((end) => !most.includes(end) && !rest.includes(end))).toEqual([]);
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  expect(most.reduce((sum, end) => sum + (counts[end] ?? 0), 0)).toBeGreaterThan(all * 0.6);
}

async function nextRunWorks(options: ContainerOptions): Promise<void> {
  const { terminal: _, ...rest } = options;
  expect((await run(['true'], rest)).exitCode).toBe(0);
}
