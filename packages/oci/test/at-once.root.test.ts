// Several who change a container at once: in a Node process, and as processes of their own.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { create, exec, OciError, remove, start, state, type Hook } from '@ctr/oci';
import { describe, expect, it } from 'vitest';

import { bundleOf, cgroupsBelow, configOf, created, newId, place, type Changes } from './container.js';
import { ctrOci, shell } from './ctr-oci.js';

const at = place();
const sleeper = ['sleep', '1000'];
const quiet = { stdio: ['ignore', 'ignore', 'ignore'] } as const;

/** A hook that says that it runs, and waits until it is told to go on. */
function held(): { readonly hook: Hook; readonly running: () => Promise<string>; readonly letGo: () => void } {
  const directory = mkdtempSync(join(at.directory, 'held-'));
  const [running, go] = [join(directory, 'running'), join(directory, 'go')];
  execFileSync('mkfifo', [running, go]);
  const line = `echo $$ > ${running}; read line < ${go}`;
  return {
    hook: { path: '/bin/sh', args: ['sh', '-c', line], env: ['PATH=/bin:/usr/bin'] },
    running: () => textOf(running),
    letGo: () => writeFileSync(go, 'go\n'),
  };
}

/** What somebody writes to a fifo, once somebody does. */
async function textOf(fifo: string): Promise<string> {
  const reader = spawn('cat', [fifo]);
  let text = '';
  reader.stdout.on('data', (bytes) => (text += String(bytes)));
  await once(reader, 'close');
  return text.trim();
}

/** Whether a process is there; one that nobody has waited for is not. */
function runs(pid: string): boolean {
  return existsSync(`/proc/${pid}/stat`) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
}

function isGone(id: string): void {
  expect(existsSync(join(at.root, id))).toBe(false);
  expect(cgroupsBelow(at.cgroup)).toEqual([]);
}

describe('a container that is being made', () => {
  const creating = (hook: Hook, changes: Changes = {}) => {
    const id = newId();
    return { id, child: create(bundleOf(at, configOf(at, sleeper, { hooks: { createRuntime: [hook] }, ...changes })), id, { root: at.root, ...quiet }) };
  };

  it('is deleted as soon as it is made', async () => {
    const { hook, running, letGo } = held();
    const { id, child } = creating(hook);
    await running();
    expect(state(id, { root: at.root })).toMatchObject({ status: 'creating', pid: 0 });
    const removed = remove(id, { root: at.root, force: true });
    letGo();
    expect((await (await child).exited).signal).toBe('SIGKILL');
    await removed;
    isGone(id);
  });

  it('is no container yet for whoever wants to do something with it', async () => {
    const { hook, running, letGo } = held();
    const { id, child } = creating(hook);
    await running();
    await expect(exec(id, (own) => own, { root: at.root })).rejects.toThrow(OciError);
    const started = start(id, { root: at.root });
    letGo();
    await child;
    await started;
    expect(state(id, { root: at.root }).status).toBe('running');
    await remove(id, { root: at.root, force: true });
  });

  it('and is given up ends its hook, with what that has started', async () => {
    const { hook, running } = held();
    const controller = new AbortController();
    const id = newId();
    const bundle = bundleOf(at, configOf(at, sleeper, { hooks: { createRuntime: [hook] } }));
    const child = create(bundle, id, { root: at.root, ...quiet, cancelSignal: controller.signal });
    const pid = await running();
    controller.abort(new Error('given up'));
    await expect(child).rejects.toThrow('given up');
    while (runs(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
    isGone(id);
  });

  it('by a process that is killed is ended with its hook, and deleted', async () => {
    const { hook, running } = held();
    const id = newId();
    const bundle = bundleOf(at, configOf(at, sleeper, { hooks: { createRuntime: [hook] } }));
    const outcome = shell(`exec $CTR_OCI --root ${at.root} create ${id}`, { cwd: bundle });
    const pid = await running();
    const parent = /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '';
    process.kill(Number(parent), 'SIGKILL');
    expect((await outcome).code).toBe(null);
    expect((await ctrOci(['--root', at.root, 'delete', '--force', id])).code).toBe(0);
    while (runs(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
    isGone(id);
  });
});

describe('a container', () => {
  it('is deleted while a hook of its start runs inside', async () => {
    // It says so on the first stream of the container; what it waits for never comes.
    const { id, child, root } = await created(at, sleeper, {
      hooks: { startContainer: [{ path: '/bin/sh', args: ['sh', '-c', 'echo runs > /tmp/log/running; exec sleep 1000'] }] },
      ...logged(),
    });
    const started = start(id, root);
    const failed = started.then(
      () => 'started',
      (error: Error) => error.message,
    );
    expect(await textOf(join(log, 'running'))).toBe('runs');
    await remove(id, { ...root, force: true });
    expect(await failed).toBe('error running startContainer hook #0: signal: SIGKILL');
    expect((await child.exited).signal).toBe('SIGKILL');
    isGone(id);
  });

  it('is deleted by two at once, and each is told rightly', async () => {
    for (let round = 0; round < 5; round++) {
      const { id, root } = await created(at, sleeper);
      const all = await Promise.allSettled([remove(id, root), remove(id, root), remove(id, { ...root, force: true })]);
      const errors = all.flatMap((each) => (each.status === 'rejected' ? [(each.reason as Error).message] : []));
      expect(errors.length).toBeLessThanOrEqual(2);
      for (const message of errors) expect(message).toBe(`container does not exist: ${JSON.stringify(id)}`);
      isGone(id);
    }
  });

  it('is made by one of many processes that want its id, and by the next when that has deleted it', async () => {
    const id = newId();
    const bundle = bundleOf(at, configOf(at, sleeper));
    const line = `for i in 1 2 3 4; do { $CTR_OCI --root ${at.root} create ${id} >/dev/null 2>${bundle}/error$i </dev/null; echo $?; } & done; wait`;
    expect((await shell(line, { cwd: bundle })).stdout.trim().split('\n').toSorted()).toEqual(['0', '1', '1', '1']);
    const errors = [1, 2, 3, 4].map((i) => readFileSync(join(bundle, `error${i}`), 'utf8')).filter((text) => text !== '');
    expect(new Set(errors)).toEqual(new Set([`ctr-oci: create failed: container with given ID already exists: ${id}\n`]));
    expect((await ctrOci(['--root', at.root, 'delete', id])).code).toBe(0);
    const again = await create(bundle, id, { root: at.root, ...quiet });
    await remove(id, { root: at.root });
    expect((await again.exited).signal).toBe('SIGKILL');
    isGone(id);
  });

  it('is made and deleted by many without end, and none gets what is another’s', async () => {
    const id = newId();
    const bundle = bundleOf(at, configOf(at, sleeper));
    const words: string[] = [];
    const told = (error: unknown): void => void words.push((error as Error).message.replace(/(exists?)(:.*)$/, '$1'));
    const lanes = Array.from({ length: 4 }, async (_, lane) => {
      for (let i = 0; i < 12; i++)
        await (lane % 2 === 0 ? create(bundle, id, { root: at.root, ...quiet }) : remove(id, { root: at.root, force: true })).catch(told);
    });
    await Promise.all(lanes);
    await remove(id, { root: at.root, force: true });
    expect([...new Set(words)].filter((word) => !['container with given ID already exists', 'container does not exist'].includes(word))).toEqual([]);
    isGone(id);
  });

  it('is deleted while processes are started in it: each runs and is killed, or is told of', async () => {
    for (let round = 0; round < 4; round++) {
      const { id, root } = await created(at, sleeper);
      await start(id, root);
      const children = Array.from({ length: 8 }, () => exec(id, (own) => ({ ...own, args: sleeper }), { ...root, ...quiet }));
      const ends = Promise.allSettled(children.map(async (child) => (await (await child).exited).signal));
      if (round > 0) await children[round - 1];
      await remove(id, { ...root, force: true });
      for (const end of await ends) expect(end.status === 'rejected' ? end.reason : end.value).toSatisfy((what) => what === 'SIGKILL' || what instanceof Error);
      isGone(id);
    }
  });
});

let log = '';
function logged(): Changes {
  log = mkdtempSync(join(at.directory, 'log-'));
  execFileSync('mkfifo', [join(log, 'running')]);
  return {
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' },
      { destination: '/tmp/log', type: 'bind', source: log, options: ['bind'] },
    ],
  };
}

it('leaves nothing in the state directory but its containers', () => {
  expect(readdirSync(at.root)).toEqual([]);
});
