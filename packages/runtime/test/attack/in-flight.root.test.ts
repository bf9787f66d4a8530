// A program that has files on their way, by a socket that nobody reads, so that the kernel refuses those of its user: other containers of the same ids start nevertheless.
import { existsSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { run, type ContainerOptions } from '@ctr/runtime';

import { watchForLeaks } from '../leaks.js';
import { NodeProgram } from '../node-program.js';

watchForLeaks();

const python = '/usr/bin/python3';
/** What the callers here may have open, and have on its way. */
const LIMIT = 200;
const limited = ['prlimit', `--nofile=${LIMIT}:${LIMIT}`];

const caller = new NodeProgram(`
  import { run } from '@ctr/runtime';
  const [json = ''] = process.argv.slice(2);
  const { stdout } = await run(['echo', 'begun'], JSON.parse(json));
  process.stdout.write(stdout);
`);

/** Sends more files than the callers may have on their way, and says so. */
const send = `
import signal, socket
kept = []
for _ in range(4):
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    kept.append((a, b))
    socket.send_fds(a, [b'x'], [0] * 250)
print('sent', flush=True)
signal.pause()
`;

/** Sends one. */
const sendOne = `
import errno, resource, socket
resource.setrlimit(resource.RLIMIT_NOFILE, (${LIMIT}, ${LIMIT}))
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
try:
    socket.send_fds(a, [b'x'], [0])
    print('passed')
except OSError as error:
    print(errno.errorcode[error.errno])
`;

const mapped: ContainerOptions = { namespaces: { user: 'new' }, ids: 'granted' };
const asRoot: ContainerOptions = { namespaces: { user: 'new' }, ids: 'own' };
const belowInit: ContainerOptions = { init: true, namespaces: { pid: 'host' }, user: { uid: 100_000, gid: 100_000 } };

describe.skipIf(!existsSync(python))('a container starts though another one has more files on their way than a user may have', () => {
  it.each([
    ['in a user namespace with the same ids', mapped, mapped],
    ['as a user of the same id, below an init process in shared pids', mapped, belowInit],
    ['in a user namespace of root alone', {}, asRoot],
  ] as [string, ContainerOptions, ContainerOptions][])('%s', async (_, hostile, options) => {
    const sending = run([python, '-c', send], { ...hostile, reject: false });
    const container = await sending.container;
    try {
      const { value } = await sending[Symbol.asyncIterator]().next();
      expect(value).toBe('sent');
      // The control: a program of this user sends none.
      expect((await run([python, '-c', sendOne], options)).stdout).toBe('ETOOMANYREFS\n');
      expect(await caller.run([JSON.stringify(options)], { by: limited })).toEqual({ code: 0, signal: null, stdout: 'begun\n', stderr: '' });
    } finally {
      container.kill('SIGKILL');
      await sending;
    }
    await expect.poll(async () => (await run([python, '-c', sendOne], options)).stdout).toBe('passed\n');
  });
});
