import { getEventListeners, once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { isContainerError, LineTooLongError, run, type ContainerError, type RunOptions, type RunPromise } from '@ctr/runtime';
import { call, Fd, openFd, openFlags } from '@ctr/syscall';

import { sharedImage, temporary } from './image.js';
import { watchForLeaks } from './leaks.js';

watchForLeaks();
const image = sharedImage();

/** Runs a script of busybox's shell. */
function sh(script: string, options: RunOptions = {}): RunPromise {
  return run(['sh', '-c', script], { rootfs: image.path, ...options });
}

async function failed(promise: Promise<unknown>): Promise<ContainerError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isContainerError(error)) throw new Error('it did not fail as a container', { cause: error });
  return error;
}

describe('the result', () => {
  it('has the exit code, what was written to each stream, and how long it took', async () => {
    const before = performance.now();
    const result = await sh('echo out; echo err >&2');
    expect(result).toMatchObject({
      exitCode: 0,
      signal: undefined,
      stdout: 'out\n',
      stderr: 'err\n',
      outputTruncated: false,
      oomKilled: false,
      timedOut: false,
      isCanceled: false,
    });
    expect(result.durationMs).toBeGreaterThan(0);
    expect(result.durationMs).toBeLessThanOrEqual(performance.now() - before);
  });

  it('is an error if the exit code is not 0, with all that the result has', async () => {
    const error = await failed(sh('echo out; echo no way >&2; exit 3'));
    expect(error).toMatchObject({
      name: 'ContainerError',
      exitCode: 3,
      signal: undefined,
      stdout: 'out\n',
      stderr: 'no way\n',
      command: ['sh', '-c', 'echo out; echo no way >&2; exit 3'],
    });
    expect(error.message).toBe('"sh -c echo out; echo no way >&2; exit 3" ended with exit code 3\nno way');
  });

  it('is an error if a signal ended it', async () => {
    // The first process of a pid namespace cannot kill itself: so it is a child's end that is passed on, or the host's signal.
    const running = sh('sleep 1000');
    (await running.container).kill('SIGKILL');
    const error = await failed(running);
    expect(error).toMatchObject({ exitCode: undefined, signal: 'SIGKILL', timedOut: false, isCanceled: false });
    expect(error.message).toBe('"sh -c sleep 1000" was killed by SIGKILL');
  });

  it('is a result in any case with reject: false', async () => {
    expect(await sh('exit 7', { reject: false })).toMatchObject({ exitCode: 7, signal: undefined });
  });

  it('says what was used, by rusage where nothing is measured', async () => {
    const { usage } = await sh('i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done');
    expect(usage.source).toBe('rusage');
    expect(usage.cpuMicroseconds).toBeGreaterThan(1000);
    expect(usage.peakMemoryBytes).toBeGreaterThan(100_000);
  });
});

describe('the environment', () => {
  it('has nothing of the caller in it', async () => {
    process.env['CTR_TEST_SECRET'] = 'secret';
    try {
      expect((await run(['env'], { rootfs: image.path })).stdout).toBe(
        'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nHOME=/root\nHOSTNAME=container\n',
      );
    } finally {
      delete process.env['CTR_TEST_SECRET'];
    }
  });

  it('has what is given', async () => {
    const { stdout } = await run(['env'], { rootfs: image.path, env: { A: '1', B: 'x=y z\n', HOME: '/tmp', EMPTY: '' }, hostname: 'box' });
    expect(stdout).toBe('PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nHOME=/tmp\nHOSTNAME=box\nA=1\nB=x=y z\n\nEMPTY=\n');
  });

  it('says where the program is looked for', async () => {
    expect((await run(['sh', '-c', 'echo found'], { rootfs: image.path, env: { PATH: '/nowhere:/bin' } })).stdout).toBe('found\n');
    await expect(run(['sh', '-c', 'true'], { rootfs: image.path, env: { PATH: '/tmp' } })).rejects.toThrow('executable file not found');
  });
});

describe('the process', () => {
  it('starts in a directory of the container', async () => {
    expect((await run(['pwd'], { rootfs: image.path })).stdout).toBe('/\n');
    expect((await run(['pwd'], { rootfs: image.path, cwd: '/etc//' })).stdout).toBe('/etc\n');
    await expect(run(['pwd'], { rootfs: image.path, cwd: '/missing' })).rejects.toThrow(
      /^openat2\(AT_FDCWD, "\/missing", .* = ENOENT .*\nhint: \/missing does not exist in the container: make it, or start elsewhere$/,
    );
    await expect(run(['pwd'], { rootfs: image.path, cwd: '/etc/passwd' })).rejects.toThrow(/^openat2\(AT_FDCWD, "\/etc\/passwd", .* = ENOTDIR /);
  });

  it('is root of the container, or another user with its groups and no others', async () => {
    const script = 'id -u; id -g; id -G; echo $HOME';
    expect((await sh(script)).stdout).toBe('0\n0\n0\n/root\n');
    expect((await sh(script, { user: { uid: 1000, gid: 1000, groups: [4, 27] } })).stdout).toBe('1000\n1000\n1000 4 27\n/\n');
    expect((await sh(script, { user: { uid: 4_294_967_294, gid: 7 } })).stdout).toBe('4294967294\n7\n7\n/\n');
  });

  it('has only its three streams open, default signals, the usual umask, a session of its own', async () => {
    const { stdout } = await sh('ls /proc/self/fd; grep -E "^(SigBlk|SigIgn|SigCgt):" /proc/self/status; umask; cut -d" " -f6 /proc/$$/stat');
    // ls has the directory open, too.
    expect(stdout).toBe('0\n1\n2\n3\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nSigCgt:\t0000000000000000\n0022\n1\n');
  });

  it('has the session of the caller if it is to', async () => {
    expect((await sh('cut -d" " -f6 /proc/$$/stat', { session: 'inherit', namespaces: { pid: 'host' } })).stdout).toBe(sessionOf('self'));
    // It cannot be named in a pid namespace of its own.
    expect((await sh('cut -d" " -f6 /proc/$$/stat', { session: 'inherit' })).stdout).toBe('0\n');
  });

  it('is ended by a closed pipe', async () => {
    // Of the pid namespace's first process the kernel would forgive it.
    const { stdout } = await sh('(yes; echo not reached) 2>&1 | head -1; (yes 2>/dev/null; echo "ended by $(($? - 128))" >&2) | head -1 >/dev/null', {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    expect(stdout).toBe('y\n');
    expect((await sh('(yes; echo $? >&2) | head -1')).stderr).toBe('141\n');
  });
});

describe('stdin', () => {
  it('is at its end when nobody takes it', async () => {
    expect((await run(['cat'], { rootfs: image.path })).stdout).toBe('');
    const running = run(['cat'], { rootfs: image.path });
    await running.container;
    const { stdin } = running;
    const told = once(stdin as NonNullable<typeof stdin>, 'error');
    stdin?.write('too late');
    expect(String((await told)[0])).toMatch(
      /^Error: what is written to stdin is lost: it is at its end already, since nobody took `stdin` in the turn in which run\(\) was called\nhint: /,
    );
    expect((await running).stdout).toBe('');
    // To end it is right in any case.
    const ended = run(['cat'], { rootfs: image.path });
    await ended.container;
    ended.stdin?.end();
    await ended;
    await expect(new Promise((_, reject) => ended.stdin?.write('after its end', (error) => error && reject(error)))).rejects.toThrow(/destroyed|after end/);
  });

  it('is what is given as input, of any size', async () => {
    expect((await run(['cat'], { rootfs: image.path, input: 'héllo\n' })).stdout).toBe('héllo\n');
    expect((await run(['cat'], { rootfs: image.path, input: '' })).stdout).toBe('');
    expect((await run(['wc', '-c'], { rootfs: image.path, input: Buffer.alloc(5_000_000) })).stdout).toBe('5000000\n');
  });

  it('is no error if the program does not read it all', async () => {
    expect((await sh('head -c 1', { input: 'x'.repeat(5_000_000) })).stdout).toBe('x');
    expect((await sh('exec 0<&-; echo done', { input: 'x'.repeat(5_000_000) })).stdout).toBe('done\n');
  });

  it('is a stream when it is taken at once', async () => {
    const running = run(['cat'], { rootfs: image.path });
    const { stdin, stdout } = running;
    stdin?.write('one\n');
    const first = await new Promise((resolve) => stdout?.once('data', resolve));
    expect(String(first)).toBe('one\n');
    stdin?.end('two\n');
    expect((await running).stdout).toBe('one\ntwo\n');
  });

  it('is closed with stdio ignore: /dev/null', async () => {
    const result = run(['cat'], { rootfs: image.path, stdio: 'ignore' });
    expect([result.stdin, result.stdout, result.stderr]).toEqual([null, null, null]);
    expect(await result).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  });
});

describe('the output', () => {
  it('comes line by line', async () => {
    const lines: string[] = [];
    for await (const line of sh('echo one; echo; printf "tw\\303\\266\\r\\nthree"')) lines.push(line);
    expect(lines).toEqual(['one', '', 'twö', 'three']);
  });

  it('comes while the program runs', async () => {
    const running = run(['cat'], { rootfs: image.path });
    running.stdin?.write('ping\n');
    for await (const line of running) {
      expect(line).toBe('ping');
      running.stdin?.end();
    }
    expect((await running).exitCode).toBe(0);
  });

  it('tells of a failure after the last line', async () => {
    const lines: string[] = [];
    const error = await failed(
      (async () => {
        for await (const line of sh('echo one; exit 4')) lines.push(line);
      })(),
    );
    expect([lines, error.exitCode]).toEqual([['one'], 4]);
  });

  it('comes from its beginning, however late it is asked for', async () => {
    const running = run(['cat'], { rootfs: image.path });
    const { stdin, stdout } = running;
    stdin?.write('one\ntwo\n');
    await new Promise((resolve) => stdout?.once('data', resolve));
    const lines = running[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('one');
    stdin?.end('three\n');
    expect([(await lines.next()).value, (await lines.next()).value, (await lines.next()).done]).toEqual(['two', 'three', true]);
    const again: string[] = [];
    for await (const line of running) again.push(line);
    expect(again).toEqual(['one', 'two', 'three']);
  });

  it('has no lines of a program that never ran, but its error', async () => {
    const lines: string[] = [];
    await expect(
      (async () => {
        for await (const line of run(['missing'], { rootfs: image.path })) lines.push(line);
      })(),
    ).rejects.toThrow('executable file not found');
    expect(lines).toEqual([]);
  });

  it.each([
    ['writes more', 'while :; do echo line; done'],
    ['writes no more', 'echo line; exec sleep 1000'],
    ['ignores signals', 'trap "" PIPE TERM; echo line; while :; do sleep 1; done'],
  ])('ends a program that %s with the loop that is left, where nobody holds it', async (_, script) => {
    const running = sh(script);
    for await (const line of running) {
      expect(line).toBe('line');
      break;
    }
    // By now it has ended.
    let pending = true;
    const error = failed(running).finally(() => (pending = false));
    await Promise.resolve();
    await delay(0);
    expect(pending).toBe(false);
    expect(await error).toMatchObject({ signal: 'SIGKILL' });
    expect((await error).message).toContain('was killed by SIGKILL, since the loop over its lines was left; `await using` lets it go on');
  });

  it('ends with a loop that throws, and its error is what is told', async () => {
    await expect(
      (async () => {
        for await (const line of sh('echo line; exec sleep 1000')) throw new Error(`not ${line}`);
      })(),
    ).rejects.toThrow('not line');
  });

  it('goes on where the container is held, however much it writes after the loop', async () => {
    let pid = 0;
    {
      await using server = sh('echo ready; read x; seq 100000; echo $x >&2; exec sleep 1000');
      const { stdin, stderr } = server;
      for await (const line of server) {
        expect(line).toBe('ready');
        break;
      }
      ({ pid } = await server.container);
      stdin?.end('asked\n');
      const [answer] = (await once(stderr as NonNullable<typeof stderr>, 'data')) as [Buffer];
      expect(String(answer)).toBe('asked\n');
    }
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    const held = sh('echo ready; seq 100000');
    await held.container;
    for await (const _ of held) break;
    expect(await held).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^ready\n[^]*\n100000\n$/) as string });
  });

  it.each(['utf8', 'hex', 'base64'] as const)('is the same, and so are its lines, where the stream has been given an encoding: %s', async (encoding) => {
    const running = sh('printf "tw\\303\\266\\n\\377\\n"; echo err >&2');
    running.stdout?.setEncoding(encoding);
    running.stderr?.setEncoding(encoding);
    const text: string[] = [];
    running.stdout?.on('data', (chunk: string) => text.push(chunk));
    const lines: string[] = [];
    for await (const line of running) lines.push(line);
    expect([lines, text.join('')]).toEqual([['twö', '\uFFFD'], Buffer.from('7477c3b60aff0a', 'hex').toString(encoding)]);
    expect(await running).toMatchObject({ stdout: 'twö\n\uFFFD\n', stderr: 'err\n' });
  });

  it('is bytes where that is asked for', async () => {
    const { stdout, stderr, all } = await run(['sh', '-c', 'printf "\\377\\0"; printf e >&2'], { rootfs: image.path, encoding: 'buffer', all: true });
    expect([stdout, stderr, all?.length]).toEqual([Buffer.of(0xff, 0), Buffer.from('e'), 3]);
    const error = await run(['sh', '-c', 'echo no way >&2; exit 3'], { rootfs: image.path, encoding: 'buffer' }).catch((reason: unknown) => reason);
    expect(isContainerError(error) && [error.message, error.stderr]).toEqual([expect.stringMatching(/exit code 3\nno way$/), Buffer.from('no way\n')]);
  });

  it('is both streams in one, in order, where that is asked for', async () => {
    // Each waits until the one before has been read.
    const running = sh('echo out; read x; echo err >&2; read x; echo out', { all: true });
    const { all, stdin } = running;
    let shown = '';
    all?.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
      stdin?.write('\n');
    });
    expect(await running).toMatchObject({ all: 'out\nerr\nout\n', stdout: 'out\nout\n', stderr: 'err\n' });
    expect(shown).toBe('out\nerr\nout\n');
    const without = sh('true');
    expect([without.all, (await without).all]).toEqual([null, undefined]);
  });

  it('ends a program that writes more than is kept, where that is asked for', async () => {
    const error = await failed(sh('yes', { maxBufferBytes: 1000, onMaxBuffer: 'kill' }));
    expect(error).toMatchObject({ isMaxBuffer: true, outputTruncated: true, signal: 'SIGKILL' });
    expect([error.stdout.length, error.message]).toEqual([1000, '"sh -c yes" was killed: it wrote more than maxBufferBytes']);
    expect(await sh('yes', { maxBufferBytes: 10, onMaxBuffer: 'kill', reject: false })).toMatchObject({ isMaxBuffer: true, signal: 'SIGKILL' });
    expect(await sh('printf 12345', { maxBufferBytes: 5, onMaxBuffer: 'kill' })).toMatchObject({ isMaxBuffer: false, stdout: '12345' });
    // Too late to kill it, it has written too much all the same.
    expect(await failed(sh('printf 123456', { maxBufferBytes: 5, onMaxBuffer: 'kill' }))).toMatchObject({ isMaxBuffer: true, stdout: '12345' });
  });

  it('has bounds for each stream', async () => {
    const script = 'echo 12345; echo 12345 >&2';
    expect(await sh(script, { maxBufferBytes: { stdout: 2 } })).toMatchObject({ stdout: '12', stderr: '12345\n', outputTruncated: true });
    expect(await sh(script, { maxBufferBytes: { stdout: 0, stderr: 3 } })).toMatchObject({ stdout: '', stderr: '123' });
    expect(await sh(script, { maxBufferBytes: { stdout: 6, stderr: 6 } })).toMatchObject({ outputTruncated: false });
  });

  it.each([
    ['without an end', 'yes | tr -d "\\n"'],
    ['of NULs', 'cat /dev/zero'],
  ])('of a line %s costs no more memory than is said, and is an error that can be caught', async (_, script) => {
    const before = process.memoryUsage.rss();
    let peak = 0;
    const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 1);
    const running = sh(`echo one; ${script}; exit $?`, { maxBufferBytes: 1000, reject: false });
    const lines: string[] = [];
    const error: unknown = await (async () => {
      for await (const line of running) lines.push(line);
    })().catch((reason: unknown) => reason);
    clearInterval(timer);
    expect(error).toBeInstanceOf(LineTooLongError);
    expect([lines, error instanceof LineTooLongError && error.maxLineBytes]).toEqual([['one'], 16 * 2 ** 20]);
    // As with `break`.
    expect(await running).toMatchObject({ outputTruncated: true, signal: 'SIGKILL' });
    expect(peak - before).toBeLessThan(150 * 2 ** 20);
  });

  it('has lines as long as is said', async () => {
    const lines: number[] = [];
    const options = { maxLineBytes: 3_000_000, maxBufferBytes: 10 };
    for await (const line of sh('head -c 3000000 /dev/zero; echo; head -c 2999999 /dev/zero', options)) lines.push(line.length);
    expect(lines).toEqual([3_000_000, 2_999_999]);
    await expect(sh('head -c 3000001 /dev/zero', options)[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(LineTooLongError);
  });

  it('that a loop has not come to yet stays in the pipe, and the program waits', async () => {
    const running = run(['yes'], { rootfs: image.path, maxBufferBytes: 1000 });
    const lines = running[Symbol.asyncIterator]();
    await lines.next();
    const { pid } = await running.container;
    const written = (): number => Number(/^wchar: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'latin1'))?.[1]);
    // Whoever reads without being asked to never comes to a rest.
    for (let [same, last, tries] = [0, -1, 0]; same < 5 && tries < 500; tries++) {
      same = written() === last ? same + 1 : 0;
      last = written();
      await delay(10);
    }
    expect(written()).toBeLessThan(2 ** 20);
    for (let i = 0; i < 2 ** 19; i++) await lines.next();
    expect(written()).toBeGreaterThanOrEqual(2 ** 20);
    running.stdout?.destroy();
    // The first process of a PID namespace does not die by SIGPIPE: the write fails.
    expect(await running.catch((error: unknown) => error)).toMatchObject({ exitCode: 1, signal: undefined });
    await lines.return?.();
  });

  it('is kept up to a bound, both streams together, and the rest is read and dropped', async () => {
    const result = await sh('seq 100000; echo done >&2', { maxBufferBytes: 10 });
    expect(result).toMatchObject({ exitCode: 0, stdout: '1\n2\n3\n4\n5\n', stderr: '', outputTruncated: true });
    expect(await sh('printf 12345', { maxBufferBytes: 5 })).toMatchObject({ stdout: '12345', outputTruncated: false });
    expect(await sh('echo 1', { maxBufferBytes: 0 })).toMatchObject({ stdout: '', outputTruncated: true });
  });

  it('of 1 GB passes through while the memory of this process stays flat', async () => {
    const bytes = 1e9;
    let [passed, peak] = [0, 0];
    const before = process.memoryUsage.rss();
    const running = run(['head', '-c', String(bytes), '/dev/zero'], { rootfs: image.path, maxBufferBytes: 1000 });
    running.stdout?.on('data', (chunk: Buffer) => {
      passed += chunk.length;
      peak = Math.max(peak, process.memoryUsage.rss());
    });
    expect(await running).toMatchObject({ outputTruncated: true, stdout: '\0'.repeat(1000) });
    expect(passed).toBe(bytes);
    expect(peak - before).toBeLessThan(150 * 2 ** 20);
  });

  it('goes to an open file', async () => {
    const path = `${temporary()}/output`;
    using file = openFd(path, { flags: openFlags.O_WRONLY | openFlags.O_CREAT, mode: 0o600 });
    expect(await sh('echo out; echo err >&2', { stdio: ['ignore', file, file] })).toMatchObject({ stdout: '', stderr: '' });
    expect(readFileSync(path, 'utf8')).toBe('out\nerr\n');
    expect(file.closed).toBe(false);
  });

  it('that cannot be written is the error of the program', async () => {
    using full = openFd('/dev/full', { flags: openFlags.O_WRONLY });
    expect(await sh('echo out', { stdio: ['ignore', full, 'pipe'], reject: false })).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('No space left on device') as string,
    });
  });

  it('ends with the program, not with what it has left running: that is killed', async () => {
    const result = await sh('sleep 1000 & echo started');
    expect(result).toMatchObject({ exitCode: 0, stdout: 'started\n' });
    expect(result.durationMs).toBeLessThan(10_000);
  });
});

describe('stdio that is no pipe', () => {
  it('may be no directory, and nothing that is open as a path only', async () => {
    using directory = openFd('/', { flags: openFlags.O_RDONLY, directory: true });
    using path = openFd('/etc/hostname');
    await expect(run(['cat'], { rootfs: image.path, stdio: [directory, 'pipe', 'pipe'] })).rejects.toThrow(/^stdin is a directory, which would lead/);
    await expect(run(['cat'], { rootfs: image.path, stdio: ['pipe', 'pipe', path] })).rejects.toThrow(/^stderr is open as a path only \(O_PATH\)/);
  });

  it('may be the same file thrice', async () => {
    using file = new Fd(call({ call: 'memfd_create', args: ['all', 1], purpose: 'a file for all three streams' }));
    expect(await sh('echo one; echo two >&2; readlink /proc/self/fd/0', { stdio: file })).toMatchObject({ exitCode: 0 });
    expect(readFileSync(`/proc/self/fd/${file.number}`, 'utf8')).toBe('one\ntwo\n/memfd:all (deleted)\n');
  });
});

describe('time', () => {
  it('that is over kills the container', async () => {
    const error = await failed(sh('trap "" TERM; echo started; sleep 1000', { timeoutMs: 500 }));
    expect(error).toMatchObject({ timedOut: true, signal: 'SIGKILL', exitCode: undefined, isCanceled: false, stdout: 'started\n' });
    expect(error.durationMs).toBeGreaterThanOrEqual(499);
    expect(error.message).toMatch(/ was killed after \d+ ms: its time was over$/);
  });
  it('that suffices changes nothing, and keeps no timer', async () => {
    expect(await sh('true', { timeoutMs: 60_000 })).toMatchObject({ timedOut: false });
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length).toBeLessThanOrEqual(1);
  });
});

describe('what a program has left, which holds the pipes open', () => {
  const leaving = 'setsid sleep 100 & echo $!';
  const sharing = { namespaces: { pid: 'host' }, cgroup: false, reject: false } as const;

  it.each(['time', 'cancelling'])('is not waited for any longer by %s', async (by) => {
    const controller = new AbortController();
    const running = sh(leaving, { ...sharing, ...(by === 'time' ? { timeoutMs: 1500 } : { cancelSignal: controller.signal }) });
    await (
      await running.container
    ).exited;
    controller.abort();
    const { stdout, ...ending } = await running;
    process.kill(Number(stdout), 'SIGKILL');
    expect(ending).toMatchObject({ exitCode: 0, timedOut: by === 'time', isCanceled: by !== 'time', outputDropped: true });
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });
});

describe('cancelling', () => {
  it('before the start starts nothing', async () => {
    const reason = new Error('never mind');
    const running = sh('true', { cancelSignal: AbortSignal.abort(reason) });
    await expect(running.container).rejects.toBe(reason);
    expect(await failed(running)).toMatchObject({ isCanceled: true, timedOut: false, signal: 'SIGKILL', stdout: '', cause: reason });
  });

  it('during the set-up is as while it runs', async () => {
    const controller = new AbortController();
    const reason = new Error('changed my mind');
    const running = sh('sleep 1000', { cancelSignal: controller.signal });
    queueMicrotask(() => controller.abort(reason));
    expect(await failed(running)).toMatchObject({ isCanceled: true, timedOut: false, signal: 'SIGKILL', cause: reason });
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    const result = await sh('true', { cancelSignal: controller.signal, reject: false });
    expect(result).toMatchObject({ isCanceled: true, exitCode: undefined, stdout: '' });
  });

  it('while it runs kills the container', async () => {
    const controller = new AbortController();
    const running = sh('echo started; sleep 1000', { cancelSignal: controller.signal });
    running.stdout?.once('data', () => controller.abort());
    const error = await failed(running);
    expect(error).toMatchObject({ isCanceled: true, timedOut: false, signal: 'SIGKILL', stdout: 'started\n' });
    expect(error.message).toBe('"sh -c echo started; sleep 1000" was cancelled');
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  it('after the end changes nothing', async () => {
    const controller = new AbortController();
    const result = await sh('true', { cancelSignal: controller.signal });
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    controller.abort();
    expect(result.isCanceled).toBe(false);
  });
});

describe('disposing', () => {
  it('kills what still runs, and waits for its end', async () => {
    let pid = 0;
    {
      await using running = sh('sleep 1000');
      ({ pid } = await running.container);
    }
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('of what has ended, or never started, does nothing', async () => {
    {
      await using running = sh('true');
      await running;
    }
    await using broken = run(['/missing'], { rootfs: image.path });
    await expect(broken).rejects.toThrow('no such file');
  });
});

function sessionOf(pid: string): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return `${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]}\n`;
}
