import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { AT_FDCWD, hostArch, label, Memory, openFd, openFlags, openPipe, resultOf, rlimit64, rlimitResources, syscallNumber, type Step } from '@ctr/syscall';
import { describe, expect, it, onTestFinished } from 'vitest';

import { Notifier, type Notification } from '@ctr/security';

import { end, exitWith, listen, supervised } from './supervised.js';

const busybox = '/bin/busybox';
const getppid = (): Step => ({ call: 'getppid', args: [], purpose: 'a call without arguments' });
const mkdir = (path: string): Step => ({ call: 'mkdirat', args: [AT_FDCWD, path, 0o755], purpose: 'make a directory' });

/** A directory that is gone when the test is over. */
function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ctr-notify-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** Answers every call; how often it was asked. */
function answering(answer: (notification: Notification) => unknown): { readonly calls: (string | undefined)[]; supervise(notifier: Notifier): Promise<void> } {
  const calls: (string | undefined)[] = [];
  return {
    calls,
    async supervise(notifier) {
      for await (const notification of notifier) {
        calls.push(notification.name);
        answer(notification);
      }
    },
  };
}

describe('Notifier', () => {
  it('tells of a call all that the kernel does, and ends with the last process', async () => {
    const path = join(temporary(), 'made');
    let seen: Notification | undefined;
    let text: string | undefined;
    const { calls, supervise } = answering((notification) => {
      seen = notification;
      text = notification.readString(notification.args[1] ?? 0n);
      expect(statSync(`/proc/${notification.pid}`).isDirectory()).toBe(true);
      expect(notification.isValid()).toBe(true);
      expect(notification.return(0)).toBe(true);
      expect(notification.isValid()).toBe(false);
    });
    const made = mkdir(path);
    const { exit } = await supervised([...listen('mkdirat'), made, exitWith(made)], supervise);
    expect(exit?.code).toBe(0);
    expect(calls).toEqual(['mkdirat']);
    expect(seen).toMatchObject({ nr: syscallNumber('mkdirat'), arch: hostArch() });
    expect([seen?.args.length, BigInt.asIntN(32, seen?.args[0] ?? 0n), seen?.args[2]]).toEqual([6, -100n, 0o755n]);
    expect(seen?.instructionPointer).toBeGreaterThan(0n);
    expect(text).toBe(path);
    expect(existsSync(path)).toBe(false);
  });

  it('lets calls fail, return, and be made', async () => {
    const path = join(temporary(), 'made');
    const failing = answering((notification) => notification.fail('EXDEV'));
    expect(await supervised([...listen('mkdirat'), mkdir(path), end()], failing.supervise)).toMatchObject({ exit: undefined, code: 'EXDEV' });
    expect(existsSync(path)).toBe(false);
    const ask = getppid();
    const returning = answering((notification) => notification.return(42));
    expect((await supervised([...listen('getppid'), ask, exitWith(ask)], returning.supervise)).exit?.code).toBe(42);
    const wide = getppid();
    const [yes, no] = [end(), { call: 'exit_group', args: [1], purpose: 'it is not' } satisfies Step];
    const widely = answering((notification) => notification.return(-(2n ** 62n) - 1n));
    const compare: Step = { call: 'add', args: [resultOf(wide), 0], purpose: 'is it?', jump: { when: '==', than: -(2n ** 62n) - 1n, to: yes } };
    expect((await supervised([...listen('getppid'), wide, compare, no, yes], widely.supervise)).exit?.code).toBe(0);
    const continuing = answering((notification) => notification.continue());
    expect((await supervised([...listen('mkdirat'), mkdir(path), end()], continuing.supervise)).exit?.code).toBe(0);
    expect(statSync(path).isDirectory()).toBe(true);
  });

  it('writes results to the memory of the caller', async () => {
    const utsname = new Memory(390, 'utsname');
    const { supervise } = answering((notification) => {
      const names = Buffer.alloc(390);
      names.write('Emulated', 0);
      expect(notification.writeBytes(notification.args[0] ?? 0n, names)).toBe(true);
      expect(notification.writeBytes(8n, names)).toBe(false);
      expect(notification.readBytes(notification.args[0] ?? 0n, 8)?.toString()).toBe('Emulated');
      notification.return(0);
    });
    const plan: Step[] = [
      ...listen('uname'),
      { call: 'uname', args: [utsname], purpose: 'who are you' },
      { call: 'write', args: [1, utsname, 8], purpose: 'tell' },
      end(),
    ];
    expect((await supervised(plan, supervise)).output).toBe('Emulated');
  });

  it('puts files into the caller, atomically with the answer, at a number, close-on-exec or not', async () => {
    const directory = temporary();
    writeFileSync(join(directory, 'given'), 'from the host');
    using file = openFd(join(directory, 'given'), { flags: openFlags.O_RDONLY });
    const flags: (string | undefined)[] = [];
    const { supervise } = answering((notification) => {
      expect(notification.addFd(file, { at: 77, cloexec: false })).toBe(77);
      const lowest = notification.addFd(file);
      for (const number of [77, lowest]) flags.push(/flags:\t(\d+)/.exec(readFileSync(`/proc/${notification.pid}/fdinfo/${number}`, 'latin1'))?.[1]);
      expect(notification.addFd(file, { send: true })).toBe((lowest ?? 0) + 1);
      expect(() => notification.return(0)).toThrow(new TypeError('the notification of openat has been answered already'));
    });
    const open: Step = { call: 'openat', args: [AT_FDCWD, '/no/such/file', openFlags.O_RDONLY], purpose: 'open what is not there' };
    const buffer = new Memory(64, 'buffer');
    const read: Step = { call: 'read', args: [resultOf(open), buffer, 64], purpose: 'read it' };
    const plan: Step[] = [
      ...listen('openat'),
      open,
      read,
      { call: 'write', args: [1, buffer, resultOf(read)], purpose: 'tell' },
      { call: 'lseek', args: [77, 0, 1], purpose: 'this one is open, too' },
      end(),
    ];
    expect(await supervised(plan, supervise)).toMatchObject({ code: undefined, output: 'from the host' });
    expect(flags.map((text) => (Number.parseInt(text ?? '', 8) & openFlags.O_CLOEXEC) !== 0)).toEqual([false, true]);
    expect(file.closed).toBe(false);
  });

  it('says of a caller that it may have no more files', async () => {
    using file = openFd('/dev/null', { flags: openFlags.O_RDONLY });
    const { supervise } = answering((notification) => {
      expect(() => notification.addFd(file, { send: true })).toThrow(
        /^ioctl\(.*SECCOMP_IOCTL_NOTIF_ADDFD.* = EMFILE .*\nhint: the caller may have no more files/,
      );
      expect(() => notification.addFd(file, { at: 1000 })).toThrow('EBADF');
      notification.fail('EMFILE');
    });
    const limit: Step = { call: 'prlimit64', args: [0, rlimitResources.RLIMIT_NOFILE, rlimit64({ rlim_cur: 3, rlim_max: 3 }), null], purpose: 'no files' };
    expect(await supervised([...listen('getppid'), limit, getppid(), end()], supervise)).toMatchObject({ code: 'EMFILE' });
  });

  it('reads strings over pages, and nothing where nothing is', async () => {
    const long = `/${'x'.repeat(9000)}`;
    const found: unknown[] = [];
    const { supervise } = answering((notification) => {
      const address = notification.args[1] ?? 0n;
      found.push(
        notification.readString(address, 9002) === long,
        notification.readString(address, 9001),
        notification.readString(address),
        notification.readBytes(address, 9001)?.toString() === long,
        notification.readString(8n),
        notification.readBytes(8n, 8),
        notification.readString(2n ** 64n - 8n),
        notification.readBytes(2n ** 47n - 4096n - 4n, 4096),
        notification.readBytes(-1n, 1),
      );
      notification.fail('ENAMETOOLONG');
    });
    expect((await supervised([...listen('mkdirat'), mkdir(long), end()], supervise)).code).toBe('ENAMETOOLONG');
    expect(found).toEqual([true, undefined, undefined, true, undefined, undefined, undefined, undefined, undefined]);
  });

  it('says of a caller that was killed that it is gone, and ends', async () => {
    using file = openFd('/dev/null', { flags: openFlags.O_RDONLY });
    const outcomes: unknown[] = [];
    const supervise = async (notifier: Notifier): Promise<void> => {
      for await (const notification of notifier) {
        process.kill(notification.pid, 'SIGKILL');
        while (notification.isValid()) await new Promise((resolve) => setImmediate(resolve));
        outcomes.push(
          notification.readBytes(notification.args[1] ?? 0n, 1),
          notification.readString(notification.args[1] ?? 0n),
          notification.writeBytes(notification.args[1] ?? 0n, Buffer.from('x')),
          notification.addFd(file),
          notification.addFd(file, { send: true }),
          notification.return(0),
        );
      }
    };
    const { exit } = await supervised([...listen('mkdirat'), mkdir('/tmp/never'), end()], supervise);
    expect(exit?.signal).toBe('SIGKILL');
    expect(outcomes).toEqual([undefined, undefined, false, undefined, undefined, false]);
  });

  it('lets what waits fail with ENOSYS once it is closed', async () => {
    let last: Notification | undefined;
    const supervise = async (notifier: Notifier): Promise<void> => {
      for await (const notification of notifier) {
        last = notification;
        notifier.close();
        notifier.close();
        expect([notification.isValid(), notification.fail('EPERM')]).toEqual([false, false]);
      }
      for await (const notification of notifier) throw new Error(`${notification.name} after the end`);
    };
    expect((await supervised([...listen('getppid'), getppid(), end()], supervise)).code).toBe('ENOSYS');
    expect([last?.readBytes(8n, 1), last?.continue()]).toEqual([undefined, false]);
  });

  it('is cancelled, before and while it waits', async () => {
    const controller = new AbortController();
    const reasons: unknown[] = [];
    const supervise = async (notifier: Notifier): Promise<void> => {
      try {
        let calls = 0;
        for await (const notification of notifier) {
          if (++calls > 1) continue; // it waits
          expect(notification.continue()).toBe(true);
          setImmediate(() => controller.abort(new Error('enough')));
        }
      } catch (error) {
        reasons.push(error);
      }
    };
    // The second call waits by then, or is made afterwards: it fails either way.
    expect((await supervised([...listen('getppid'), getppid(), getppid(), end()], supervise, { cancelSignal: controller.signal })).code).toBe('ENOSYS');
    expect((await supervised([...listen('getppid'), getppid(), end()], supervise, { cancelSignal: controller.signal })).code).toBe('ENOSYS');
    expect(reasons).toEqual([new Error('enough'), new Error('enough')]);
  });

  it('answers a thousand calls in a row, and lets the event loop do other work', async () => {
    const COUNT = 1000;
    const counter = new Memory(8, 'counter');
    const [again, done] = [getppid(), label('all calls are made')];
    const next: Step = { call: 'add', args: [counter.u64(), 1], purpose: 'count', into: counter.at(0), jump: { when: '<', than: COUNT, to: again } };
    let turns = 0;
    const tick = (): void => {
      turns++;
      immediate = setImmediate(tick);
    };
    let immediate = setImmediate(tick);
    const { calls, supervise } = answering((notification) => notification.return(0));
    const files = readdirSync('/proc/self/fd').length;
    const { exit } = await supervised([...listen('getppid'), again, next, done, end()], supervise);
    clearImmediate(immediate);
    expect(exit?.code).toBe(0);
    expect(calls.length).toBe(COUNT);
    expect(turns).toBeGreaterThan(COUNT / 2);
    expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(files + 1); // the output, until the test is over
  });

  it('takes a call before the last one is answered', async ({ skip }) => {
    skip(!existsSync(busybox), 'busybox-static is not installed');
    const directory = temporary();
    const order: (string | undefined)[] = [];
    const supervise = async (notifier: Notifier): Promise<void> => {
      const waiting: Notification[] = [];
      for await (const notification of notifier) {
        const path = notification.readString(notification.args[notification.name === 'mkdirat' ? 1 : 0] ?? 0n);
        order.push(path);
        if (waiting.push(notification) === 2) for (const one of waiting.reverse()) expect(one.continue()).toBe(true);
      }
    };
    const script = `${busybox} mkdir a & ${busybox} mkdir b & wait`;
    const program: Step = { call: 'execve', args: [busybox, ['sh', '-c', script], []], purpose: 'two at once' };
    const { exit } = await supervised([...listen('mkdir', 'mkdirat'), { call: 'chdir', args: [directory], purpose: 'there' }, program], supervise);
    expect(exit?.code).toBe(0);
    expect(new Set(order)).toEqual(new Set(['a', 'b']));
    expect(new Set(readdirSync(directory))).toEqual(new Set(['a', 'b']));
  });

  it('answers for the set-up, too', async () => {
    const { calls, supervise } = answering((notification) => notification.continue());
    const program: Step = { call: 'execve', args: ['/bin/true', ['true'], []], purpose: 'a program' };
    expect((await supervised([...listen('execve'), program], supervise)).exit?.code).toBe(0);
    expect(calls).toEqual(['execve']);
  });

  it('rejects for a file that is no listener', async () => {
    const { read, write } = openPipe('no listener');
    write.close();
    const ended = new Notifier(read);
    for await (const notification of ended) throw new Error(`${notification.name} of a pipe`);
    await ended[Symbol.asyncDispose]();
    expect(read.closed).toBe(true);
    const pipe = openPipe('no listener');
    const { number } = pipe.write;
    writeFileSync(`/proc/self/fd/${number}`, 'x');
    using notifier = new Notifier(pipe.read);
    await expect(notifier[Symbol.asyncIterator]().next()).rejects.toThrow(/SECCOMP_IOCTL_NOTIF_RECV.*ENOTTY/);
    pipe.write.close();
  });
});
