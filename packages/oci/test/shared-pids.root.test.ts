// Containers that share the pids of others: the end of the first process is not that of the others then. runc does so since 1.1.10; the one that the tests compare with, 1.1.5, leaves them.
import { spawn, type ChildProcess } from 'node:child_process';

import { defaultConfig, exec, kill, ps, remove, start, state, type Linux } from '@ctr/oci';
import { beforeAll, afterAll, describe, expect, it } from 'vitest';

import { created, place } from './container.js';

const at = place();
const own = defaultConfig().linux?.namespaces ?? [];
let other: ChildProcess;
beforeAll(() => void (other = spawn('sleep', ['1000'])));
afterAll(() => void other.kill('SIGKILL'));

const shared: readonly [name: string, namespaces: () => NonNullable<Linux['namespaces']>][] = [
  ['of the host', () => own.filter(({ type }) => type !== 'pid')],
  ['of another process', () => own.map((each) => (each.type === 'pid' ? { ...each, path: `/proc/${other.pid}/ns/pid` } : each))],
];

describe.each(shared)('a container with the pids %s', (_, namespaces) => {
  async function withOther() {
    const container = await created(at, ['sleep', '1000'], { linux: { namespaces: namespaces() } });
    await start(container.id, container.root);
    const second = await exec(container.id, (process) => ({ ...process, args: ['sleep', '1000'] }), {
      ...container.root,
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    return { ...container, second };
  }

  it('has not ended with its first process: to delete it is an error, and kills nobody', async () => {
    const { id, root, child, second } = await withOther();
    kill(id, 'SIGTERM', root);
    expect((await child.exited).signal).toBe('SIGTERM');
    expect(state(id, root)).toMatchObject({ status: 'stopped', pid: 0 });
    await expect(remove(id, root)).rejects.toThrow(`cannot delete container ${id} that is not stopped: 1 of its processes still run (${second.pid})`);
    expect(ps(id, root)).toEqual([second.pid]);
    second.kill('SIGKILL');
    await second.exited;
    await remove(id, root);
    expect(() => state(id, root)).toThrow('container does not exist');
  });

  it('ends as a whole by SIGKILL, whether its first process is still there or not, and can be deleted at once then', async () => {
    for (const isFirst of [true, false]) {
      const { id, root, child, second } = await withOther();
      if (!isFirst) {
        kill(id, 'SIGTERM', root);
        await child.exited;
        expect(() => kill(id, 'SIGTERM', root)).toThrow('container not running');
      }
      kill(id, 'SIGKILL', root);
      await remove(id, root);
      expect((await second.exited).signal).toBe('SIGKILL');
      await child.exited;
    }
  });

  it('ends as a whole when it is deleted by force', async () => {
    const { id, root, child, second } = await withOther();
    child.kill('SIGKILL');
    await child.exited;
    await remove(id, { ...root, force: true });
    expect((await second.exited).signal).toBe('SIGKILL');
  });

  it('is not running any more when it is empty', async () => {
    const { id, root, child, second } = await withOther();
    for (const each of [child, second]) {
      each.kill('SIGKILL');
      await each.exited;
    }
    expect(() => kill(id, 'SIGKILL', root)).toThrow('container not running');
    await remove(id, root);
  });
});
