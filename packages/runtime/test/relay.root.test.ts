// What relays move, from and to every kind of file, and when they end.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { start } from '@ctr/runtime';
import { openPipe } from '@ctr/syscall';

import { sharedImage, temporary } from './image.js';
import { watchForLeaks } from './leaks.js';
import { ended } from './node-program.js';
import { ways, WaysIn, type Way } from './ways-in.js';

watchForLeaks();
const callers = new WaysIn();
const image = sharedImage();
const LARGE_BYTES = 64 * 2 ** 20;

function sh(way: Way, script: string, stdio: Parameters<WaysIn['start']>[2], options = {}) {
  return callers.start(way, ['sh', '-c', script], stdio, { rootfs: image.path, ...options });
}

/** A script of bash in which `c` runs a script of sh in a container. Its input comes by a socket. */
async function line(way: Way, text: string, script: string, input?: string): Promise<string> {
  const words = callers.command(way, ['sh', '-c', script], { rootfs: image.path }).map((word) => `'${word}'`);
  const shell = spawn('bash', ['-c', `c() { ${words.join(' ')}; }\n${text}`], {
    cwd: temporary(),
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  shell.stdin?.end(input);
  const { stdout, stderr } = await ended(shell);
  return stdout + stderr;
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe.each(ways)('by %s', (way) => {
  it('what a file has reaches the program, and what the program writes a file, to the last byte', async () => {
    const [from, to] = [join(temporary(), 'from'), join(temporary(), 'to')];
    writeFileSync(from, randomBytes(LARGE_BYTES));
    for (const flags of ['w', 'a']) {
      const files = [openSync(from, 'r'), openSync(to, flags)];
      expect(await ended(sh(way, 'cat', [...files, 'pipe']))).toMatchObject({ code: 0, stderr: '' });
      for (const file of files) closeSync(file);
    }
    // To append is another way than to write.
    const written = readFileSync(to);
    expect(written.length).toBe(2 * LARGE_BYTES);
    for (const half of [written.subarray(0, LARGE_BYTES), written.subarray(LARGE_BYTES)]) expect(hash(half)).toBe(hash(readFileSync(from)));
  });

  it('likewise by pipes, and by sockets', async () => {
    expect(await line(way, 'head -c 50000000 /dev/zero | c | (sleep 0.2; wc -c)', 'cat')).toBe('50000000\n');
    const child = sh(way, 'cat', ['pipe', 'pipe', 'pipe']);
    const bytes = randomBytes(2 ** 20);
    const parts: Buffer[] = [];
    child.stdout?.on('data', (part: Buffer) => parts.push(part));
    child.stdin?.end(bytes);
    const [code] = (await once(child, 'close')) as [number];
    expect([code, hash(Buffer.concat(parts))]).toEqual([0, hash(bytes)]);
  });

  it('a program takes nothing that it does not read', async () => {
    expect(await line(way, `printf '1\\n2\\n3\\n' > list; while read -r x; do echo $x; c; done < list`, 'cat')).toBe('1\n2\n3\n2\n3\n3\n');
    expect(await line(way, `printf '1\\n2\\n3\\n' | while read -r x; do echo $x; c; done`, 'true')).toBe('1\n2\n3\n');
    expect(await line(way, `printf '1\\n2\\n3\\n' | (c; cat)`, 'read -r x; echo in $x')).toBe('in 1\n2\n3\n');
    expect(await line(way, `seq 100000 | (c > /dev/null; cat) | wc -c`, 'cat')).toBe('0\n');
  });

  it('a program that fills its own pipe takes nothing more', async () => {
    const fill = 'head -c 1000 /dev/zero > /proc/self/fd/0';
    expect(await line(way, 'c; cat', fill, 'the rest')).toBe('the rest');
    // The control: what is read is taken.
    expect(await line(way, 'c; cat', 'cat', 'the rest')).toBe('the rest');
    expect(await line(way, 'c > /dev/null; cat', 'cat', 'the rest')).toBe('');
  });

  it('stdout and stderr keep their order where they are one file', async () => {
    expect(await line(way, 'c > both 2>&1; cat both', 'for i in 1 2 3; do echo out $i; echo err $i >&2; done')).toBe(
      'out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n',
    );
  });

  it('the exit code is that of the program, and closed streams are none', async () => {
    expect(await line(way, 'c <&- >&- 2>&-; echo $?', 'exit 7')).toBe('7\n');
    expect(await line(way, 'c; echo $?', 'exit 7')).toBe('7\n');
  });

  it('a stream that is not open in its direction is none', async () => {
    for (const stdin of ['0> file', '0> >(:)']) expect(await line(way, `c ${stdin}; echo $?`, 'cat; exit 7')).toBe('7\n');
    const script = 'exec 2> /dev/null; echo lost || exit 7';
    // Pid 1 gets EPIPE.
    expect(await line(way, 'echo kept > file; c 1< file; echo $?; cat file', script)).toBe('7\nkept\n');
    expect(await line(way, 'echo kept > file; c 1< file; echo $?; cat file', 'exit 8')).toBe('8\nkept\n');
    // As the same file, it is not shared with a stream that is open.
    expect(await line(way, 'echo kept > file; c 1< file 2>> file; echo $?; cat file', 'echo told >&2; exit 9')).toBe('9\nkept\ntold\n');
  });

  it('a file that is stdin and an output does not grow without end', async () => {
    const told = /stdin and stdout are the same file|ctr: setting up the standard streams: EINVAL/;
    expect(await line(way, 'echo kept > file; c < file >> file; echo $?; cat file', 'cat')).toMatch(/^125\nkept\n/);
    expect(await line(way, 'echo kept > file; c < file >> file', 'cat')).toMatch(told);
    // The control: one that is only read, and one that is only written.
    expect(await line(way, 'echo kept > file; c < file 1< file; echo $?', 'exit 7')).toBe('7\n');
    expect(await line(way, 'c 0>> file >> file; echo $?; cat file', 'cat; echo told')).toBe('0\ntold\n');
  });

  it('a full device is an error', async () => {
    expect(await line(way, 'c > /dev/full; echo $?', 'echo lost')).toMatch(/(stdout fails with ENOSPC|ctr: a standard stream fails: ENOSPC)[^]*|125\n/);
  });

  it('a program learns that its reader is gone', async () => {
    // SIGPIPE is not for the first process of a pid namespace: it gets EPIPE.
    expect(await line(way, 'c | head -n 1', 'echo first; while echo more 2>/dev/null; do :; done; echo over >&2')).toBe('first\nover\n');
  });

  it('another user opens /dev/stdout and /dev/stderr', async () => {
    for (const user of [
      { uid: 0, gid: 0 },
      { uid: 1000, gid: 1000 },
    ]) {
      const script = 'echo out > /dev/stdout; echo err > /dev/stderr; cat /dev/stdin';
      const child = sh(way, script, ['pipe', 'pipe', 'pipe'], { user });
      child.stdin?.end('in\n');
      expect(await ended(child)).toEqual({ code: 0, signal: null, stdout: 'out\nin\n', stderr: 'err\n' });
      if (way !== 'start' && way !== 'run') continue;
      const mapped = sh(way, script, ['ignore', 'pipe', 'pipe'], { user, namespaces: { user: 'new' }, ids: 'granted' });
      expect(await ended(mapped)).toEqual({ code: 0, signal: null, stdout: 'out\n', stderr: 'err\n' });
    }
  });
});

describe('a compiled container', () => {
  it('does not wait for the children that its process has had before', async () => {
    const own = 'mkfifo ready hold; (exec 3<> hold; echo > ready; read -u 3; exit 125) & read < ready; ';
    const [path] = callers.command('compiled', ['sh', '-c', 'echo out; exit 7'], { rootfs: image.path });
    const child = spawn('bash', ['-c', `${own} exec ${path}`], { cwd: temporary(), stdio: ['ignore', 'pipe', 'ignore'], detached: true });
    const [code] = (await once(child, 'exit')) as [number];
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    expect(code).toBe(7);
  });
});

describe.skipIf(!existsSync('/usr/bin/python3'))('records of a socket', () => {
  it.each(ways)('by %s are as long for the program as they were sent', async (way) => {
    const words = callers.command(way, ['cat'], { rootfs: image.path });
    const send = `
import socket, subprocess, sys
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
for length in (20000, 5000): a.send(b'x' * length)
a.shutdown(socket.SHUT_WR)
print(len(subprocess.run(sys.argv[1:], stdin=b, stdout=subprocess.PIPE).stdout))`;
    expect(await ended(spawn('/usr/bin/python3', ['-c', send, ...words], { stdio: ['ignore', 'pipe', 'pipe'] }))).toMatchObject({
      stdout: '25000\n',
      stderr: '',
    });
  });
});

describe('start', () => {
  it('ends a container whose reader does not read: by a signal, by time, by the end of its caller', async () => {
    const unread = openPipe('unread');
    for (const options of [{}, { timeoutMs: 300 }]) {
      const caller = sh('start', 'echo ready >&2; exec yes', ['ignore', unread.write.number, 'pipe'], options);
      const ending = ended(caller);
      await once(caller.stderr!, 'data');
      if (!('timeoutMs' in options)) caller.kill('SIGKILL');
      expect((await ending).code).toBe('timeoutMs' in options ? 77 : null);
    }
    for (const end of [unread.read, unread.write]) end.close();
  });

  it('waits for a reader that takes its time with what a program has left', async () => {
    const unread = openPipe('slow');
    const caller = sh('start', 'head -c 300000 /dev/zero; echo done >&2', ['ignore', unread.write.number, 'pipe']);
    const ending = ended(caller);
    await once(caller.stderr!, 'data');
    unread.write.close();
    const reader = spawn('wc', ['-c'], { stdio: [unread.read.number, 'pipe', 'ignore'] });
    unread.read.close();
    expect([(await ended(reader)).stdout, (await ending).code]).toEqual(['300000\n', 0]);
  });

  it('moves to and from files that do not block, and leaves their flags alone', async () => {
    const [input, output] = [openPipe('in'), openPipe('out')];
    // Who is started by Node gets files that block, so these come first.
    const writer = spawn('sh', ['-c', 'head -c 2000000 /dev/zero; sleep 0.2; head -c 1000000 /dev/zero'], { stdio: ['ignore', input.write.number, 'ignore'] });
    const reader = spawn('sh', ['-c', 'sleep 0.2; wc -c'], { stdio: [output.read.number, 'pipe', 'ignore'] });
    const written = once(writer, 'exit');
    const read = ended(reader);
    const caller = sh('start', 'cat', [input.read.number, output.write.number, 'pipe'], { nonBlocking: true });
    input.write.close();
    expect((await ended(caller)).code).toBe(0);
    for (const file of [input.read, output.read, output.write]) file.close();
    await written;
    expect((await read).stdout).toBe('3000000\n');
  });

  it('writes to a stream of another kind: a connection', async () => {
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const client = connect({ port: typeof address === 'object' && address ? address.port : 0, host: '127.0.0.1' });
    const [peer] = (await once(server, 'connection')) as [Socket];
    let received = '';
    peer.on('data', (bytes) => (received += String(bytes)));
    const caller = sh('start', 'head -c 3; echo " is what came"', [client, client, 'pipe']);
    peer.write('abc');
    expect((await ended(caller)).code).toBe(0);
    client.destroy();
    await once(peer, 'end');
    peer.destroy();
    expect(received).toBe('abc is what came\n');
    server.close();
  });

  it('ends the program’s processes in the background, and so its streams', async () => {
    const caller = sh('start', 'sleep 1000 & echo left', ['ignore', 'pipe', 'pipe']);
    expect(await ended(caller)).toMatchObject({ code: 0, stdout: 'left\n' });
  });

  it('leaves nothing of relays behind when the container cannot be set up', async () => {
    await expect(start(['missing'], { rootfs: image.path })).rejects.toThrow('executable file not found');
    expect(statSync('/proc/self').isDirectory()).toBe(true);
  });
});
