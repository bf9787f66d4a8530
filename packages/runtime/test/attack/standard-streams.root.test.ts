// What a program can do by its standard streams to the files of whoever started it, by each way in. Each attack works with the files handed over, which is the control.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { plan } from '@ctr/runtime';
import { launch, openFd, openFlags, openPipe } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { childrenOf, programOf } from '../children.js';
import { temporary } from '../image.js';
import { watchForLeaks } from '../leaks.js';
import { ended } from '../node-program.js';
import { ways, WaysIn, type Way, type WayOptions } from '../ways-in.js';
import { watchTheHost } from './host.js';

watchForLeaks();
watchTheHost();
const callers = new WaysIn();
/** So many bytes take long enough to meet other writers. */
const MUCH = 64 * 2 ** 20;
const LINE = 'a line of the host\n';

interface Files {
  readonly stdin?: number | 'ignore';
  readonly stdout?: number;
}

/** Runs a script of the host's sh with these files as the caller's. */
async function attempt(
  way: Way,
  script: string,
  { stdin = 'ignore', stdout }: Files,
  options: WayOptions = {},
): Promise<{ code: number | null; said: string }> {
  const { code, stdout: out, stderr } = await ended(callers.start(way, ['sh', '-c', script], [stdin, stdout ?? 'pipe', 'pipe'], options));
  return { code, said: out + stderr };
}

function file(content: string): string {
  const path = join(temporary(), 'file');
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

async function withOpen<T>(path: string, flags: string, use: (fd: number) => Promise<T>): Promise<T> {
  const fd = openSync(path, flags);
  try {
    return await use(fd);
  } finally {
    closeSync(fd);
  }
}

describe.each(ways)('by %s', (way) => {
  it('the file that stdout is gets no set-user-id bit', async () => {
    const script = 'cat /usr/bin/true; chmod 6755 /proc/self/fd/1 2>/dev/null; true';
    const [kept, changed] = [file(''), file('')];
    await withOpen(kept, 'w', (stdout) => attempt(way, script, { stdout }));
    await withOpen(changed, 'w', (stdout) => attempt(way, script, { stdout }, { passThrough: true }));
    expect(statSync(kept).mode & 0o7777).toBe(0o600);
    expect(readFileSync(kept).equals(readFileSync('/usr/bin/true'))).toBe(true);
    expect(statSync(changed).mode & 0o7777).toBe(0o6755);
  });

  it('what others write to the file that stdout is stays there, before, between and behind what the program writes', async () => {
    const script = 'echo ready >&2; read -r x; echo of the program';
    for (const passThrough of [false, true]) {
      const path = file('');
      await withOpen(path, 'w', async (stdout) => {
        const caller = callers.start(way, ['sh', '-c', script], ['pipe', stdout, 'pipe'], { passThrough });
        if (!caller.stdin || !caller.stderr) throw new Error('there are pipes');
        await once(caller.stderr, 'data');
        writeSync(stdout, 'of the host\n');
        caller.stdin.end('go on\n');
        await once(caller, 'close');
        writeSync(stdout, 'of the host again\n');
      });
      expect(readFileSync(path, 'utf8')).toBe('of the host\nof the program\nof the host again\n');
    }
  });

  it('what others write to the file that stdout is stays there while the program writes', async () => {
    const path = file('');
    let lines = 0;
    await withOpen(path, 'w', async (stdout) => {
      const caller = callers.start(way, ['head', '-c', String(MUCH), '/dev/zero'], ['ignore', stdout, 'pipe']);
      let isOver = false;
      const over = once(caller, 'close').then(() => (isOver = true));
      while (!isOver) {
        writeSync(stdout, LINE);
        lines += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
      await over;
    });
    const written = readFileSync(path);
    expect(written.length).toBe(MUCH + lines * LINE.length);
    expect(written.toString('latin1').split(LINE).length - 1).toBe(lines);
  });

  it('the file that stdin is cannot be written', async () => {
    const script = 'echo evil > /proc/self/fd/0';
    const [kept, changed] = [file('the content'), file('the content')];
    await withOpen(kept, 'r', (stdin) => attempt(way, script, { stdin }));
    await withOpen(changed, 'r', (stdin) => attempt(way, script, { stdin }, { passThrough: true }));
    expect(readFileSync(kept, 'utf8')).toBe('the content');
    expect(readFileSync(changed, 'utf8')).toBe('evil\n');
  });

  it('what a shell executes from its stdin is what stands in its script', async () => {
    const run = (options: WayOptions): Promise<string> => {
      const words = callers.command(way, ['sh', '-c', 'cat > /dev/null'], options).map((word) => `'${word}'`);
      return withOpen(
        file(`${words.join(' ')}\necho goes on\n`),
        'r',
        async (script) => (await ended(spawn('bash', [], { stdio: [script, 'pipe', 'pipe'] }))).stdout,
      );
    };
    expect(await run({})).toBe('goes on\n');
    expect(await run({ passThrough: true })).toBe('');
  });

  it.each([
    ['the /dev/null of the caller', {}],
    ['that handed over', { passThrough: true }],
    ...(way === 'start' || way === 'run' ? [['an ignored stream', { stdio: 'ignore' }] as const] : []),
  ] as [string, WayOptions][])('%s is the null device of the container', async (_, options) => {
    const script = 'stat -Lc "%d %t:%T" /proc/self/fd/0 /dev/null > /tmp/seen; [ -t 2 ]; cat /tmp/seen >&2; cat /tmp/seen';
    const { said } = await attempt(way, script, {}, { mounts: [{ tmpfs: '/tmp' }], ...options });
    if (options.stdio) return;
    const [stdin, own] = said.split('\n');
    expect(own).toMatch(/^\d+ 1:3$/);
    expect(stdin).toBe(own);
    expect(stdin).not.toBe(`${lstatSync('/dev/null').dev} 1:3`);
  });

  it('the null device of the host keeps its mode and owner where the container has no mounts of its own', async () => {
    // What the device has already: a test that fails changes nothing.
    const script = 'chmod 0666 /proc/self/fd/0 && echo changed; chown 0:0 /proc/self/fd/0 && echo changed';
    const { said } = await attempt(way, script, {}, { namespaces: { mount: 'host' }, hostname: undefined as never });
    expect(said).not.toContain('changed');
    expect(said.match(/Read-only file system/g)?.length).toBe(2);
  });

  it.each([
    ['a directory', '/', {}],
    ['a directory that is handed over', '/', { passThrough: true }],
  ])('%s as stdin is refused before there is anything', async (_, path, options) => {
    await withOpen(path, 'r', async (stdin) => {
      const { code, said } = await attempt(way, 'cd /proc/self/fd/0 && ls', { stdin }, options);
      expect([code, said]).toEqual([125, expect.stringMatching(/^(stdin is a directory, which would lead|ctr: setting up the standard streams: EISDIR)/)]);
    });
  });
});

it('nothing but a pipe gets the program for its owner, whatever a plan is launched with', async () => {
  const path = file('');
  using opened = openFd(path, { flags: openFlags.O_RDWR });
  const { read, write } = openPipe('stdout');
  using pipe = write;
  using _read = read;
  const child = await launch(plan(['true'], { user: { uid: 1000, gid: 1000 }, cgroup: false }), { stdio: [opened, pipe, opened] });
  expect((await child.exited).code).toBe(0);
  expect(statSync(path).uid).toBe(0);
  expect(fstatSync(pipe.number).uid).toBe(1000);
});

const python = '/usr/bin/python3';
/** Gives the pages of its memory to its stdout, and changes them once its pipe is empty. */
const giveAndChange = `
import ctypes, fcntl, mmap, struct, sys, termios
page = mmap.mmap(-1, 4096)
page[:5] = b'good\\n'
class iovec(ctypes.Structure): _fields_ = [('base', ctypes.c_void_p), ('len', ctypes.c_size_t)]
vector = iovec(ctypes.addressof(ctypes.c_char.from_buffer(page)), 5)
assert ctypes.CDLL(None).vmsplice(1, ctypes.byref(vector), 1, 0) == 5
while 'wait' in sys.argv and fcntl.ioctl(1, termios.FIONREAD, struct.pack('i', 0)) != struct.pack('i', 0): pass
page[:5] = b'evil\\n'
`;

describe.skipIf(!existsSync(python))('to a pipe of the caller', () => {
  /** What is in the caller's pipe at the end, as it is read by reads of 4 bytes. */
  const readAll = async (way: Way, args: string[], options: WayOptions = {}): Promise<string> => {
    const { read, write } = openPipe('stdout');
    using own = read;
    const child = callers.start(way, [python, '-c', ...args], ['ignore', write.number, 'pipe'], options);
    write.close();
    const { stderr } = await ended(child);
    const bytes = Buffer.alloc(4);
    let all = stderr;
    for (let length = readSync(own.number, bytes); length > 0; length = readSync(own.number, bytes)) all += bytes.toString('latin1', 0, length);
    return all;
  };

  it.each(ways)('by %s what was delivered stays as it is', async (way) => {
    expect(await readAll(way, [giveAndChange, 'wait'])).toBe('good\n');
    expect(await readAll(way, [giveAndChange], { passThrough: true })).toBe('evil\n');
  });

  it.each(ways)('by %s a program that writes packets makes no reader lose bytes', async (way) => {
    const script = "import fcntl, os; fcntl.fcntl(1, fcntl.F_SETFL, os.O_WRONLY | os.O_DIRECT); os.write(1, b'one line\\n')";
    expect(await readAll(way, [script])).toBe('one line\n');
    expect(await readAll(way, [script], { passThrough: true })).toBe('one ');
  });
});

describe('an init', () => {
  it('has no file of the host', async () => {
    const container = callers.start('start', ['sh', '-c', 'echo ready; exec sleep 1000'], ['ignore', 'pipe', 'pipe'], { init: true });
    await once(container.stdout!, 'data');
    const init = programOf(container.pid ?? 0);
    const files = readdirSync(`/proc/${init}/fd`);
    expect(files).toEqual(['0', '1', '2']);
    expect(statSync(`/proc/${init}/fd/0`).dev).not.toBe(statSync('/dev/null').dev);
    expect(files.slice(1).map((fd) => readlinkSync(`/proc/${init}/fd/${fd}`))).toEqual([expect.stringMatching(/^pipe:/), expect.stringMatching(/^pipe:/)]);
    container.kill('SIGKILL');
    await ended(container);
  });
});

describe('a relay', () => {
  it('is outside of the namespaces and the cgroup of the container, has its two files, and ends with its caller', async () => {
    const container = callers.start('start', ['sh', '-c', 'echo ready; exec sleep 1000'], ['pipe', 'pipe', 'pipe']);
    await once(container.stdout!, 'data');
    const relays = await threeRelays(container.pid ?? 0);
    for (const pid of relays) {
      for (const kind of ['mnt', 'net', 'uts', 'user', 'cgroup', 'pid'])
        expect(readlinkSync(`/proc/${pid}/ns/${kind}`)).toBe(readlinkSync(`/proc/self/ns/${kind}`));
      expect(readFileSync(`/proc/${pid}/cgroup`, 'latin1')).toBe(readFileSync(`/proc/${container.pid}/cgroup`, 'latin1'));
      // And stderr, and the file to count by.
      expect(readdirSync(`/proc/${pid}/fd`).length).toBe(4);
    }
    container.kill('SIGKILL');
    await ended(container);
    while (relays.some(isAlive)) await delay(2);
  });

  it('that was killed is told of, and the program’s pipe breaks', async () => {
    const container = callers.start('start', ['sh', '-c', 'echo ready; while echo more; do :; done'], ['ignore', 'pipe', 'pipe'], { onBrokenPipe: true });
    const ending = ended(container);
    await once(container.stdout!, 'data');
    const caller = readlinkSync(`/proc/${container.pid}/fd/1`);
    for (const pid of relaysOf(container.pid ?? 0)) if (readlinkSync(`/proc/${pid}/fd/1`) === caller) process.kill(pid, 'SIGKILL');
    expect(await ending).toMatchObject({ code: 125, stderr: expect.stringContaining('stdout fails, since SIGKILL has ended its relay') as string });
  });

  it('of an ordinary user cannot be looked into', async () => {
    const command = callers.command('start', ['sh', '-c', 'echo ready; exec sleep 1000']);
    const container = spawn('setpriv', ['--reuid=54320', '--regid=54320', '--clear-groups', ...command], { cwd: '/', stdio: ['pipe', 'pipe', 'pipe'] });
    const ending = ended(container);
    await Promise.race([once(container.stdout, 'data'), ending]);
    const relays = await threeRelays(container.pid ?? 0);
    // The files of a process that is undumpable are root's: proc(5).
    for (const pid of relays) expect(statSync(`/proc/${pid}/fd`).uid).toBe(0);
    expect(statSync(`/proc/${container.pid}/fd`).uid).toBe(54320);
    container.kill('SIGKILL');
    await ending;
    while (relays.some(isAlive)) await delay(2);
  });
});

/** The children of a process that no signal reaches. */
function relaysOf(pid: number): number[] {
  return childrenOf(pid).filter((child) => isAlive(child) && /^SigBlk:\tf{7}/m.test(readFileSync(`/proc/${child}/status`, 'latin1')));
}

/** A program may have said something before the relay of stdin begins. */
async function threeRelays(pid: number): Promise<number[]> {
  let relays = relaysOf(pid);
  for (; relays.length < 3; relays = relaysOf(pid)) await delay(2);
  return relays;
}

function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
