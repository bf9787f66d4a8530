// What people from child_process, execa and docker write first.
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

import { describe, expect, it } from 'vitest';

import { plan, run, start, type ContainerOptions, type RunOptions, type StartOptions } from '@ctr/runtime';

import { sharedImage } from './image.js';
import { watchForLeaks } from './leaks.js';

watchForLeaks();
const image = sharedImage();

it.each([
  ['signal', 'a signal that cancels is `cancelSignal`'],
  ['timeout', 'it is `timeoutMs`'],
  ['network', "it is `namespaces`: { net: 'host' }; by default there is a loopback alone"],
  ['shell', "a shell is a program as any other: ['sh', '-c', text]"],
  ['capAdd', 'it is `capabilities`: { add }'],
])('the option %s of others says what it is here', async (name, hint) => {
  const options = { [name]: 1 };
  const message = `there is no option "${name}": ${hint}`;
  expect(() => run(['true'], options as RunOptions)).toThrow(`run: ${message}`);
  expect(() => plan(['true'], options as ContainerOptions)).toThrow(`options: ${message}`);
  await expect(start(['true'], options as StartOptions)).rejects.toThrow(`start: ${message}`);
});

it('a command is any list of words, and none is refused', () => {
  const words: readonly string[] = [];
  expect(() => run(words)).toThrow('the command is empty');
});

it('capabilities have their names with or without CAP_', async () => {
  const script = ['sh', '-c', 'grep CapBnd /proc/self/status'];
  const bounding = async (capabilities: NonNullable<ContainerOptions['capabilities']>): Promise<string> =>
    (await run(script, { rootfs: image.path, capabilities })).stdout;
  const expected = await bounding({ add: ['CAP_SYS_PTRACE'], drop: ['CAP_CHOWN'] });
  expect(await bounding({ add: ['SYS_PTRACE'], drop: ['chown'] })).toBe(expected);
  expect(await bounding({})).not.toBe(expected);
  expect(() => plan(['true'], { capabilities: { add: ['NET_ADMN' as 'NET_ADMIN'] } })).toThrow('did you mean CAP_NET_ADMIN?');
});

it("a user may be a name of the container's own /etc/passwd", async () => {
  const ids = async (user: string): Promise<string> => (await run(['sh', '-c', 'echo $(id -u) $(id -g) $(id -G) $HOME'], { rootfs: image.path, user })).stdout;
  expect([await ids('web'), await ids('1000:4'), await ids('web:log'), await ids('root')]).toEqual([
    '1000 1000 1000 4 /\n',
    '1000 4 4 /\n',
    '1000 4 4 /\n',
    '0 0 0 /root\n',
  ]);
  expect(() => run(['true'], { rootfs: image.path, user: 'nobody-at-all' })).toThrow('user "nobody-at-all": there is no such name');
});

it('a variable that is undefined is none', async () => {
  expect((await run(['sh', '-c', 'echo ${A-none} $B'], { rootfs: image.path, env: { A: undefined, B: 'b' } })).stdout).toBe('none b\n');
});

describe('start with pipes', () => {
  it('has streams to the program, as child_process has them', async () => {
    const container = await start(['sh', '-c', 'cat; echo err >&2'], { rootfs: image.path, stdio: 'pipe', user: 'web' });
    const { stdin, stdout, stderr } = container;
    if (!stdin || !stdout || !stderr) throw new Error('there are no streams');
    const both = Promise.all([text(stdout), text(stderr)]);
    stdin.write('one\n');
    const [first] = (await once(stdout, 'data')) as [Buffer];
    stdin.end('two\n');
    expect([String(first), await both, (await container.exited).exitCode]).toEqual(['one\n', ['one\ntwo\n', 'err\n'], 0]);
  });

  it('has none for the others, and nothing open after a start that fails', async () => {
    const container = await start(['true'], { rootfs: image.path, stdio: ['ignore', 'pipe', 'ignore'] });
    expect([container.stdin, container.stderr]).toEqual([null, null]);
    expect(await text(container.stdout ?? Readable.from([]))).toBe('');
    await container.exited;
    await expect(start(['missing'], { rootfs: image.path, stdio: 'pipe' })).rejects.toThrow('executable file not found');
    await expect(start(['true'], { stdio: 'pipe', terminal: { columns: 80, rows: 24 } })).rejects.toThrow("stdio cannot be 'pipe' as well");
  });

  it('may write more than anybody reads', async () => {
    await using container = await start(['yes'], { rootfs: image.path, stdio: 'pipe' });
    const [chunk] = (await once(container.stdout ?? Readable.from([]), 'data')) as [Buffer];
    expect(chunk.length).toBeGreaterThan(0);
    container.stdout?.destroy();
    container.stderr?.destroy();
    container.stdin?.destroy();
  });
});

it('no rejection of `container` is unhandled: who awaits the result is told', async () => {
  const unhandled: unknown[] = [];
  const listen = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', listen);
  try {
    const missing = run(['missing'], { rootfs: image.path });
    void missing.container;
    await expect(missing).rejects.toThrow('executable file not found');
    const cancelled = run(['sleep', '9'], { rootfs: image.path, cancelSignal: AbortSignal.timeout(1) });
    void cancelled.container;
    await expect(cancelled).rejects.toThrow('was cancelled');
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', listen);
  }
});
