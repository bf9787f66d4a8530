import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { create, kill, list, OciError, pause, ps, remove, resume, start, state, stats, update } from '@ctr/oci';
import { describe, expect, it } from 'vitest';

import { bundleOf, cgroupsBelow, configOf, created, newId, place, ran } from './container.js';

const at = place();
const sleeper = ['sleep', '1000'];

describe('a container', () => {
  it('is created, started, ends and is removed, and nothing is left of it', async () => {
    const { id, child, output, root } = await created(at, ['sh', '-c', 'echo hello; exit 7'], { annotations: { 'org.example': 'x' } });
    expect(state(id, root)).toMatchObject({ id, status: 'created', pid: child.pid, rootfs: at.rootfs, annotations: { 'org.example': 'x' } });
    expect(output.text).toBe('');
    await start(id, root);
    expect((await child.exited).code).toBe(7);
    expect(output.text).toBe('hello\n');
    expect(state(id, root)).toMatchObject({ status: 'stopped', pid: 0 });
    await remove(id, root);
    expect(existsSync(join(at.root, id))).toBe(false);
    expect(cgroupsBelow(at.cgroup)).toEqual([]);
    expect(() => state(id, root)).toThrow('container does not exist');
  });

  it('waits for its start as a sealed few pages of its own, in which no file of the host is open', async () => {
    const { child } = await created(at, sleeper);
    const fds = readdirSync(`/proc/${child.pid}/fd`).map(Number);
    expect(fds).toEqual([0, 1, 2, 3, 4, 5]);
    expect(Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))?.[1])).toBeLessThan(1024);
  });

  it('is started once', async () => {
    const { id, child, root } = await created(at, sleeper);
    await start(id, root);
    expect(state(id, root).status).toBe('running');
    await expect(start(id, root)).rejects.toThrow('cannot start an already running container');
    kill(id, 'SIGKILL', root);
    await child.exited;
    await expect(start(id, root)).rejects.toThrow('cannot start a container that has stopped');
  });

  it('is removed while it runs only by force', async () => {
    const { id, child, root } = await created(at, sleeper);
    await start(id, root);
    await expect(remove(id, root)).rejects.toThrow(`cannot delete container ${id} that is not stopped: running`);
    await remove(id, { ...root, force: true });
    expect((await child.exited).signal).toBe('SIGKILL');
    expect(existsSync(join(at.root, id))).toBe(false);
  });

  it('that was never started is removed as it is', async () => {
    const { id, child, root } = await created(at, sleeper);
    await remove(id, root);
    expect((await child.exited).signal).toBe('SIGKILL');
  });

  it('runs as soon as its start is over, whoever looks', async () => {
    for (let i = 0; i < 60; i++) {
      const { id, root } = await created(at, sleeper);
      await start(id, root);
      expect(state(id, root).status).toBe('running');
      await remove(id, { ...root, force: true });
    }
  });

  it('gets signals while it runs, and none after', async () => {
    const { id, child, root } = await created(at, ['sh', '-c', 'trap "exit 5" USR1; echo ready; while :; do sleep 0.01; done']);
    await start(id, root);
    kill(id, 'SIGUSR1', root);
    // Before the trap is set the signal is ignored by a first process, and it may end between two looks at it.
    while (state(id, root).status === 'running') {
      kill(id, 10, { ...root, all: true });
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect((await child.exited).code).toBe(5);
    expect(() => kill(id, 'SIGTERM', root)).toThrow('container not running');
    kill(id, 'SIGTERM', { ...root, all: true });
  });

  it('is one of its id', async () => {
    const { id, root } = await created(at, sleeper);
    const bundle = bundleOf(at, configOf(at, sleeper));
    await expect(create(bundle, id, root)).rejects.toThrow('already exists');
    expect(state(id, root).status).toBe('created');
    const other = newId();
    const both = await Promise.allSettled([create(bundle, other, { ...root, stdio: ['ignore', 'ignore', 'ignore'] }), create(bundle, other, root)]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    await remove(other, root);
    for (const wrong of ['', '.', '..', 'a/b', '.x', 'a\0', 'a\n', 'x'.repeat(1025)])
      await expect(create(bundle, wrong, root)).rejects.toThrow('invalid container ID');
  });

  it('that is not there is told of in words that engines know', async () => {
    const root = { root: at.root };
    for (const act of [() => state('none', root), () => kill('none', 15, root), () => ps('none', root)]) expect(act).toThrow('container does not exist');
    for (const act of [start, remove, pause, resume]) await expect(act('none', root)).rejects.toThrow('container does not exist');
    await remove('none', { ...root, force: true });
    expect(list({ root: '/nowhere' })).toEqual({ containers: [], broken: [] });
  });
});

describe('what fails is told, and nothing is left', () => {
  it.each([
    ['a program that is nowhere', ['nosuch'], 'exec: "nosuch": executable file not found in $PATH'],
    ['a path that is not there', ['/nosuch'], 'no such file or directory'],
    ['a file that is no program', ['/etc/passwd'], 'permission denied'],
    ['a directory', ['/etc'], /exec: "\/etc".*permission denied.*it is a directory/s],
    ['a name that only a directory has', ['etc'], 'exec: "etc": executable file not found in $PATH'],
  ])('%s', async (_, args, message) => {
    await expect(ran(at, args, { process: { env: ['PATH=/:/bin'] } })).rejects.toThrow(message);
    expect(cgroupsBelow(at.cgroup)).toEqual([]);
    expect(readdirSync(at.root)).toEqual([]);
  });

  it('a directory in PATH is passed over for the program behind it', async () => {
    expect(
      await ran(at, ['echo', 'found'], {
        process: { env: ['PATH=/tmp:/bin'] },
        mounts: [{ destination: '/tmp/echo', type: 'tmpfs' }],
        root: { path: at.rootfs },
      }),
    ).toMatchObject({
      output: 'found\n',
    });
  });

  it('a program that is gone when the container is started', async () => {
    const { id, child, root } = await created(at, ['/bin/vanishing'], {
      root: { path: at.rootfs },
      mounts: [{ destination: '/bin/vanishing', type: 'bind', source: bundleFile(), options: ['bind'] }],
    });
    await expect(start(id, root)).rejects.toThrow(/execve\("\/bin\/vanishing".*ENOEXEC/s);
    expect((await child.exited).code).toBe(125);
    expect(state(id, root).status).toBe('stopped');
  });

  function bundleFile(): string {
    const file = join(bundleOf(at, configOf(at, sleeper)), 'neither');
    writeFileSync(file, 'neither a script nor a program', { mode: 0o755 });
    return file;
  }
});

describe('what is kept of a container', () => {
  it('names its process by more than the pid', async () => {
    const { id, root } = await created(at, sleeper);
    await start(id, root);
    const file = join(at.root, id, 'state.json');
    const kept = JSON.parse(readFileSync(file, 'utf8')) as { process: { startTime: string } };
    writeFileSync(file, JSON.stringify({ ...kept, process: { ...kept.process, startTime: '1' } }));
    expect(state(id, root).status).toBe('stopped');
    expect(() => kill(id, 'SIGTERM', root)).toThrow('container not running');
    writeFileSync(file, JSON.stringify(kept));
    expect(state(id, root).status).toBe('running');
  });

  it.each([
    ['nothing', ''],
    ['half of it', '{"version":1,"id":'],
    ['something else', '[]'],
    [
      'a pid of everybody',
      JSON.stringify({
        version: 1,
        ociVersion: '1',
        id: 'ID',
        bundle: '',
        rootfs: '',
        created: '',
        annotations: {},
        last: [],
        stepCount: 0,
        process: { pid: 1, startTime: '1' },
        places: [],
      }),
    ],
    ['a later version', '{"version":2}'],
  ])('and is %s kills nothing', async (_, text) => {
    const { id, child, root } = await created(at, sleeper);
    const file = join(at.root, id, 'state.json');
    const kept = readFileSync(file);
    writeFileSync(file, text.replace('ID', id));
    expect(() => state(id, root)).toThrow(OciError);
    expect(() => kill(id, 'SIGKILL', root)).toThrow('its state is broken');
    expect(list(root).broken.map((each) => each.id)).toEqual([id]);
    await expect(remove(id, root)).rejects.toThrow('its state is broken');
    expect(child.kill(0)).toBe(true);
    writeFileSync(file, kept);
  });
});

describe('a group of processes', () => {
  it.each([false, true])('ends by SIGKILL while it is paused: all %s', async (all) => {
    const { id, child, root } = await created(at, sleeper);
    await start(id, root);
    await pause(id, root);
    kill(id, 'SIGTERM', { ...root, all });
    expect(state(id, root).status).toBe('paused');
    kill(id, 'SIGKILL', { ...root, all });
    expect((await child.exited).signal).toBe('SIGKILL');
    expect(state(id, root).status).toBe('stopped');
  });

  it('is listed, stopped, let go on, limited and measured', async () => {
    const { id, root } = await created(at, ['sh', '-c', 'sleep 1000 & sleep 1000 & wait']);
    await start(id, root);
    while (ps(id, root).length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(list(root).containers.map((each) => [each.id, each.status])).toEqual([[id, 'running']]);
    await pause(id, root);
    expect(state(id, root).status).toBe('paused');
    await expect(pause(id, root)).rejects.toThrow('container not running');
    await resume(id, root);
    expect(state(id, root).status).toBe('running');
    await expect(resume(id, root)).rejects.toThrow('container not paused');
    await update(id, { pids: { limit: 50 } }, root);
    expect(stats(id, root)).toMatchObject({ type: 'stats', id, data: { pids: { current: 3, limit: 50 } } });
    await pause(id, root);
    await remove(id, { ...root, force: true });
  });
});
