// Children that a launched program gives to this process by CLONE_PARENT of clone(2), without having been asked for any.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';

import { call, cloneFlags, continueInChild, label, launch, openFd, openFlags, signals, type Child, type Plan, type Step } from '@ctr/syscall';
import { describe, expect, it, onTestFinished } from 'vitest';

import { children } from './own.js';
import { program } from './program.js';

/** Gives so many children that end at once, then ends. */
function giving(count: number, before: readonly Step[] = []): Plan {
  const end = label('a child, or the end');
  const clone = (): Step => ({
    call: 'clone',
    args: [cloneFlags.CLONE_PARENT | signals.SIGCHLD, 0, null, null, null],
    purpose: 'a child for the parent',
    jump: { when: '==', to: end },
  });
  return [...before, ...continueInChild(), ...Array.from({ length: count }, clone), end, { call: 'exit_group', args: [0], purpose: 'given' }];
}

/** The first process of a new pid namespace, and the steps that lead there. */
async function namespace(): Promise<{ readonly first: Child; readonly join: readonly Step[] }> {
  const first = await launch([...continueInChild({ namespaces: cloneFlags.CLONE_NEWPID }), ...program('/bin/sleep', '1000')]);
  const file = openFd(`/proc/${first.pid}/ns/pid`, { flags: openFlags.O_RDONLY });
  onTestFinished(() => {
    file.close();
    first.kill('SIGKILL');
  });
  return { first, join: [{ call: 'setns', args: [file, cloneFlags.CLONE_NEWPID], purpose: 'join the namespace' }] };
}

async function onlyChild(pid: number): Promise<void> {
  while (children().some((child) => !child.startsWith(`${pid} `))) await setImmediate();
}

describe('children that a program gives away', () => {
  it('are waited for, and keep no pid namespace from ending', async () => {
    const { first, join } = await namespace();
    const child = await launch(giving(20, join));
    expect(await child.exited).toMatchObject({ code: 0 });
    await onlyChild(first.pid);
    first.kill('SIGKILL');
    expect(await first.exited).toMatchObject({ signal: 'SIGKILL' });
  });

  it('are waited for where they end with the namespace', async () => {
    const { first, join } = await namespace();
    const end = label('a child that stays');
    const sleep: Step = { call: 'execve', args: ['/bin/sleep', ['sleep', '1000'], []], purpose: 'it is not announced' };
    const clone: Step = {
      call: 'clone',
      args: [cloneFlags.CLONE_PARENT | signals.SIGCHLD, 0, null, null, null],
      purpose: 'a child for the parent',
      jump: { when: '==', to: end },
    };
    const child = await launch([...join, ...continueInChild(), clone, { call: 'exit_group', args: [0], purpose: 'given' }, end, sleep]);
    await child.exited;
    expect(children().filter((one) => one.includes('sleep')).length).toBeGreaterThan(1);
    first.kill('SIGKILL');
    expect(await first.exited).toMatchObject({ signal: 'SIGKILL' });
  });

  it('are waited for in the session of the program, though its pids are those of the host', async () => {
    const session: Step = { call: 'setsid', args: [], purpose: 'a session' };
    const plan = giving(5);
    const after = plan.findIndex(({ call: name }) => name === 'clone') + 4;
    const child = await launch([...plan.slice(0, after), session, ...plan.slice(after)]);
    await child.exited;
    await onlyChild(0);
  });

  it('are left alone where they could be those of somebody else', async () => {
    const child = await launch(giving(3));
    await child.exited;
    // One more turn of what waits for others.
    const { first, join } = await namespace();
    await (
      await launch(giving(1, join))
    ).exited;
    const strangers = (): string[] => children().filter((one) => one.endsWith(' Z') && !one.startsWith(`${first.pid} `));
    while (strangers().length > 3) await setImmediate();
    expect(strangers()).toHaveLength(3);
    for (const one of strangers()) call({ call: 'wait4', args: [Number(one.split(' ')[0]), null, 0, null], purpose: 'a child of the test' });
    expect(strangers()).toEqual([]);
  });

  it('are none of node:child_process, also in a namespace of their own', async () => {
    const { join } = await namespace();
    const others = Array.from({ length: 20 }, async (_, code) => {
      const own = code % 2 === 0 ? ['unshare', '--user', '--map-root-user'] : [];
      const [name, ...words] = [...own, 'setsid', 'sh', '-c', `exit ${code}`];
      const [ended] = (await once(spawn(name, words), 'exit')) as [number];
      return ended;
    });
    for (let round = 0; round < 5; round++) await (await launch(giving(3, join))).exited;
    expect(await Promise.all(others)).toEqual(Array.from({ length: 20 }, (_, code) => code));
  });
});
