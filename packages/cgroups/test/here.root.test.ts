import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { nodeProgram, type NodeProgram } from '../../../test/support/node-program.js';
import { layout } from './launched.js';

const exec = promisify(execFile);
const mounts = layout.hierarchies.map(({ mount }) => mount);

let tool: NodeProgram;
beforeAll(async () => {
  tool = await nodeProgram(
    `
    import { createGroup, readLayout } from '@ctr/cgroups';
    const path = process.argv[2] ?? '';
    try {
      const group = await createGroup(path, { pids: 5 });
      await group.remove();
      console.log(JSON.stringify({ mode: readLayout().mode, made: true }));
    } catch (error) {
      console.log(JSON.stringify({ mode: readLayout().mode, kind: error.kind ?? error.code, message: error.message }));
    }`,
    import.meta.dirname,
  );
});
afterAll(() => tool[Symbol.dispose]());

/** What the program says in a mount namespace of its own, after a shell has changed something there. */
async function said(change: string, ...by: readonly string[]): Promise<{ mode: string; kind?: string; made?: boolean; message?: string }> {
  const command = `${change}\nexec ${by.join(' ')} ${process.execPath} ${tool.path} /ctr-test-${process.pid}-here`;
  const { stdout } = await exec('unshare', ['--mount', '--propagation', 'private', 'sh', '-ec', command], { env: tool.env });
  return JSON.parse(stdout) as { mode: string };
}

describe('what is mounted here', () => {
  it('is enough for a group', async () => {
    expect(await said(':')).toMatchObject({ mode: layout.mode, made: true });
  });

  it('can be read-only, as in a container', async () => {
    const remount = mounts.map((mount) => `mount -o remount,bind,ro ${mount}`).join('\n');
    const { mode, kind, message } = await said(remount);
    expect([mode, kind]).toEqual([layout.mode, 'read-only']);
    expect(message).toContain('start that with its control groups writable');
  });

  it('can belong to someone else', async () => {
    const { kind, message } = await said(':', 'setpriv --reuid 12345 --regid 12345 --clear-groups');
    expect(kind).toBe('not-delegated');
    expect(message).toContain('cannot be written by uid 12345');
  });

  it('can be nothing', async () => {
    const umount = mounts.map((mount) => `umount ${mount}`).join('\n');
    expect(await said(umount)).toMatchObject({ mode: 'none', kind: 'not-mounted' });
  });

  it('can be hidden by what is mounted over it', async () => {
    expect(await said('mount -t tmpfs none /sys/fs/cgroup')).toMatchObject({ mode: 'none', kind: 'not-mounted' });
  });

  it('can be version 2 alone, without the controller', async (context) => {
    const unified = layout.hierarchies.find(({ version }) => version === 2);
    if (layout.mode !== 'hybrid' || !unified || unified.controllers.includes('pids')) context.skip('needs a hybrid whose pids controller is of version 1');
    const { mode, kind } = await said(
      `mkdir -p /run/ctr-test-v2\nmount --bind ${unified?.mount} /run/ctr-test-v2\nmount --move /run/ctr-test-v2 /sys/fs/cgroup\nrmdir /run/ctr-test-v2`,
    );
    expect([mode, kind]).toEqual(['v2', 'no-controller']);
  });

  it('can be seen from a cgroup namespace, in which this process is at the top', async () => {
    const command = `exec ${process.execPath} ${tool.path} ctr-test-${process.pid}-here`;
    const { stdout } = await exec('unshare', ['--cgroup', '--mount', '--propagation', 'private', 'sh', '-ec', command], {
      env: tool.env,
    });
    expect(JSON.parse(stdout)).toMatchObject({ mode: layout.mode, made: true });
  });
});
