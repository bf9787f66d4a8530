// Fields of a configuration as runc of today has them, where the installed one (1.1.5) does not know them or cannot be compared with by what the program sees.
import { spawn } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { defaultConfig, exec, start, state, type Config } from '@ctr/oci';
import { describe, expect, it, onTestFinished } from 'vitest';

import { bundleOf, configOf, created, newId, Output, place, ran } from './container.js';
import { ctrOci } from './ctr-oci.js';

const at = place();
const namespaces = defaultConfig().linux?.namespaces ?? [];
const mappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
const users: Config['linux'] = { namespaces: [...namespaces, { type: 'user' }], uidMappings: mappings, gidMappings: mappings };

/** A process in a user namespace of its own, with these mappings. */
async function userNamespace(): Promise<string> {
  const child = spawn('unshare', ['--user', 'sh', '-c', 'echo ready; exec sleep 1000'], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  for (const file of ['uid_map', 'gid_map']) writeFileSync(`/proc/${child.pid}/${file}`, '0 100000 65536');
  return `/proc/${child.pid}/ns/user`;
}

describe('a hook of poststart that fails', () => {
  it('is an error of start, after which the container is gone, and hooks of poststop have been run', async () => {
    const file = join(at.directory, newId());
    const poststop = [{ path: '/bin/sh', args: ['sh', '-c', `cat > ${file}`] }];
    const { id, child, root } = await created(at, ['sleep', '1000'], { hooks: { poststart: [{ path: '/bin/false' }], poststop } });
    await expect(start(id, root)).rejects.toThrow('error running poststart hook #0');
    expect((await child.exited).signal).toBe('SIGKILL');
    expect(() => state(id, root)).toThrow('container does not exist');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ id, status: 'stopped' });
  });
});

describe('a hook that names no environment', () => {
  const show = (file: string, env?: readonly string[]) => [{ path: '/bin/sh', args: ['sh', '-c', `/bin/env > ${file}`], ...(env && { env }) }];

  it('has that of the runtime', async () => {
    const file = join(at.directory, newId());
    const bundle = bundleOf(at, configOf(at, ['true'], { hooks: { createRuntime: show(file) } }));
    await ctrOci(['--root', at.root, 'run', '--bundle', bundle, newId()], { env: { FROM_THE_CALLER: 'yes' } });
    expect(readFileSync(file, 'utf8').split('\n')).toContain('FROM_THE_CALLER=yes');
  });

  it('has that of the program, if it is one of startContainer', async () => {
    const mounts = [...(defaultConfig().mounts ?? []), { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' }];
    const { output } = await ran(at, ['cat', '/tmp/environment'], {
      mounts,
      process: { env: ['PATH=/bin', 'OF_THE_PROGRAM=yes'] },
      hooks: { startContainer: show('/tmp/environment') },
    });
    expect(output.split('\n')).toEqual(expect.arrayContaining(['PATH=/bin', 'OF_THE_PROGRAM=yes', 'HOME=/root']));
    expect(output).not.toContain('LANG=');
  });

  it('has none, if it names an empty one', async () => {
    const file = join(at.directory, newId());
    await ran(at, ['true'], { hooks: { createRuntime: show(file, []) } });
    expect(readFileSync(file, 'utf8')).not.toMatch(/^(PATH|HOME)=/m);
  });
});

describe('HOME that is empty', () => {
  it('is looked up for the program, and for one of exec', async () => {
    const { id, child, output, root } = await created(at, ['sh', '-c', 'echo $HOME'], {
      process: { env: ['PATH=/bin', 'HOME='], user: { uid: 1000, gid: 1000 } },
    });
    const second = new Output();
    const show = await exec(id, (own) => ({ ...own, args: ['sh', '-c', 'echo $HOME'], user: { uid: 0, gid: 0 } }), {
      ...root,
      stdio: ['ignore', second.fd, second.fd],
    });
    await show.exited;
    await start(id, root);
    await child.exited;
    expect([output.text, second.text]).toEqual(['/home/user\n', '/root\n']);
  });
});

describe('a time namespace', () => {
  const timeOffsets = { monotonic: { secs: 7881, nanosecs: 2 }, boottime: { secs: 1337, nanosecs: 3 } };
  const shown = /^monotonic +7881 +2\nboottime +1337 +3\n$/;

  it('has its offsets in a user namespace whose root is nobody outside', async () => {
    const linux = { ...users, namespaces: [...(users.namespaces ?? []), { type: 'time' as const }], timeOffsets };
    expect((await ran(at, ['cat', '/proc/self/timens_offsets'], { linux })).output).toMatch(shown);
  });

  it('has its offsets where the user namespace is joined', async () => {
    const linux = { namespaces: [...namespaces, { type: 'user' as const, path: await userNamespace() }, { type: 'time' as const }], timeOffsets };
    expect((await ran(at, ['cat', '/proc/self/timens_offsets'], { linux })).output).toMatch(shown);
  });
});

it('mounts whose owners are mapped without maps of their own have those of the user namespace that is joined', async (context) => {
  const from = mkdtempSync(join(at.directory, 'from-'));
  writeFileSync(join(from, 'file'), '');
  chownSync(join(from, 'file'), 0, 0);
  const mounts = [...(defaultConfig().mounts ?? []), { destination: '/tmp', type: 'bind', source: from, options: ['bind', 'idmap'] }];
  const linux = { namespaces: [...namespaces, { type: 'user' as const, path: await userNamespace() }] };
  try {
    expect((await ran(at, ['stat', '-c', '%u:%g', '/tmp/file'], { mounts, linux })).output).toBe('0:0\n');
  } catch (error) {
    if (String(error).includes('EINVAL')) context.skip('the file system of the temporary directory cannot be id-mapped');
    throw error;
  }
});

it('a NOTIFY_SOCKET that nobody listens on keeps no container from its start', async () => {
  const log = join(at.directory, newId());
  const bundle = bundleOf(at, configOf(at, ['sh', '-c', 'echo runs']));
  for (const socket of [join(at.directory, 'nobody'), '@nobody-here'])
    expect(await ctrOci(['--log', log, '--root', at.root, 'run', '--bundle', bundle, newId()], { env: { NOTIFY_SOCKET: socket } })).toEqual({
      code: 0,
      stdout: 'runs\n',
      stderr: '',
    });
  expect(readFileSync(log, 'utf8')).toContain('nobody is told that the program is ready');
});

it('limits of memory that kernels do not have any more have no effect, in a configuration and in update', async () => {
  const resources = { memory: { limit: 2 ** 26, kernel: 2 ** 25, kernelTCP: 2 ** 25 } };
  const { id, root } = await created(at, ['sleep', '1000'], { linux: { resources } });
  await start(id, root);
  const file = join(at.directory, newId());
  writeFileSync(file, JSON.stringify(resources));
  expect(await ctrOci(['--root', at.root, 'update', id, '--resources', file])).toMatchObject({ code: 0, stderr: '' });
});
