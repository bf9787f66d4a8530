import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

import {
  call,
  callInto,
  continueInChild,
  failure,
  isSyscallError,
  Memory,
  openFd,
  openFlags,
  openPipe,
  perform,
  pollEvents,
  pollfd,
  resultOf,
  timespec,
  type Plan,
  type Step,
} from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

const getpid = (): Step => ({ call: 'getpid', args: [], purpose: 'who am I' });

describe('perform', () => {
  it('makes calls here and now, and returns the last result', () => {
    expect(perform([getpid()])).toBe(process.pid);
    const before = process.umask();
    expect(
      perform([
        { call: 'umask', args: [0o77], purpose: 'a mask' },
        { call: 'umask', args: [before], purpose: 'and back' },
      ]),
    ).toBe(0o77);
    expect(process.umask()).toBe(before);
  });

  it('throws at the first step that fails, with its plan and its hint', () => {
    const plan: Plan = [
      getpid(),
      { call: 'chdir', args: ['/nowhere'], purpose: 'go', hints: { ENOENT: 'make it' } },
      { call: 'umask', args: [0o777], purpose: 'not made' },
    ];
    const before = process.umask();
    let error: unknown;
    try {
      perform(plan);
    } catch (thrown) {
      error = thrown;
    }
    expect(isSyscallError(error) && error.message).toBe('chdir("/nowhere") = ENOENT (no such file or directory), step 2 of 3: go\nhint: make it');
    expect(isSyscallError(error) && error.plan).toContain('→ 2  chdir("/nowhere")  # go');
    expect(process.umask()).toBe(before);
  });

  it('leaves out the number of the step of a plan that has only one', () => {
    expect(() => perform([{ call: 'chdir', args: ['/nowhere'], purpose: 'go' }])).toThrow(/^chdir\("\/nowhere"\) = ENOENT \(no such file or directory\): go$/);
  });

  it('goes on elsewhere after a failure', () => {
    const after = getpid();
    expect(
      perform([{ call: 'chdir', args: ['/nowhere'], purpose: 'fails', onFailure: after }, { call: 'umask', args: [0o777], purpose: 'not made' }, after]),
    ).toBe(process.pid);
    expect(process.umask()).not.toBe(0o777);
  });

  it('refuses what makes a process, and the note of a failure, before any call', () => {
    expect(() => perform(continueInChild())).toThrow(
      new TypeError('step 1 (go on in a new process) makes a process, in which JavaScript cannot go on: use launch'),
    );
    expect(() => perform([{ call: 'clone3', args: [], purpose: 'fork' }])).toThrow(TypeError);
    expect(() => perform([{ call: 'add', args: [failure.i32(4), 0], purpose: 'the errno' }])).toThrow('only a compiled plan notes its failures');
  });

  it('starts with fresh memory each time', () => {
    const counter = new Memory(8, 'counter');
    const plan: Plan = [{ call: 'add', args: [counter.u64(), 1], purpose: 'count', into: counter.at(0) }];
    expect([perform(plan), perform(plan)]).toEqual([1, 1]);
    const large = new Memory(100_000, 'large');
    expect(perform([{ call: 'add', args: [large.u64(99_992), 7], purpose: 'a large one', into: large.at(99_992) }])).toBe(7);
    expect(perform([{ call: 'add', args: [large.u64(99_992), 1], purpose: 'again' }])).toBe(1);
  });

  it('hands files and results on', () => {
    const { read, write } = openPipe('a test');
    try {
      const buffer = new Memory(16, 'buffer');
      const written: Step = { call: 'write', args: [write, 'through', 7], purpose: 'write' };
      const readBack: Step = { call: 'read', args: [read, buffer, resultOf(written)], purpose: 'read' };
      expect(perform([written, readBack, { call: 'add', args: [buffer.u8(0), 0], purpose: 'the first letter' }])).toBe('t'.charCodeAt(0));
    } finally {
      read.close();
      write.close();
    }
  });
});

describe('call', () => {
  it('returns the result, or the errno that is tolerated', () => {
    expect(call(getpid())).toBe(process.pid);
    expect(call({ call: 'chdir', args: ['/nowhere'], purpose: 'go', tolerates: ['ENOENT'] })).toBe(-2);
    expect(() => call({ call: 'chdir', args: ['/nowhere'], purpose: 'go', tolerates: ['EACCES'] })).toThrow('ENOENT');
  });
});

describe('callInto', () => {
  it('returns what the kernel has written, into memory with and without content, and into a struct', () => {
    const { read, write } = openPipe('a test');
    try {
      call({ call: 'write', args: [write, 'through', 7], purpose: 'write' });
      const buffer = new Memory(Buffer.from('----------'), 'buffer');
      const filled = callInto({ call: 'read', args: [read, buffer.at(2), 4], purpose: 'read' }, buffer);
      expect([filled.result, filled.bytes.toString()]).toEqual([4, '--thro----']);
      const zeros = new Memory(8, 'zeros');
      const rest = callInto({ call: 'read', args: [read, zeros, 8], purpose: 'read' }, zeros);
      expect([rest.result, rest.bytes.toString()]).toEqual([3, 'ugh\0\0\0\0\0']);
      const poll = pollfd({ fd: write, events: pollEvents.POLLOUT });
      const polled = callInto({ call: 'ppoll', args: [poll, 1, timespec({}), null, 8], purpose: 'is there room?' }, poll);
      expect([polled.result, polled.bytes.readUInt16LE(pollfd.offsetOf('revents'))]).toEqual([1, pollEvents.POLLOUT]);
      // A copy: another call does not change it.
      call(getpid());
      expect(filled.bytes.toString()).toBe('--thro----');
    } finally {
      read.close();
      write.close();
    }
  });

  it('throws for a call that fails, and for memory that is not of the step', () => {
    const memory = new Memory(8, 'memory');
    expect(() => callInto({ call: 'read', args: [1_000_000, memory, 8], purpose: 'read' }, memory)).toThrow('EBADF');
    expect(() => callInto(getpid(), memory)).toThrow(new TypeError("the memory is none of the step's: getpid: who am I"));
  });
});

describe('openFd', () => {
  it('opens a place, or a file, close-on-exec, as far as it may lead', () => {
    using root = openFd('/', { directory: true });
    expect(root.path).toBe('/');
    expect(readFileSync(`/proc/self/fdinfo/${root.number}`, 'latin1')).toMatch(/flags:\t012200000/);
    using etc = openFd('etc', { at: root, directory: true });
    expect(readlinkSync(`/proc/self/fd/${etc.number}`)).toBe('/etc');
    using file = openFd('passwd', { at: etc, flags: openFlags.O_RDONLY });
    expect(readFileSync(file.number).length).toBeGreaterThan(0);
    expect(() => openFd('../etc', { at: etc, resolve: 8 })).toThrow(
      /^openat2\(\d+<etc>, "\.\.\/etc", \{flags=O_CLOEXEC\|O_PATH, mode=000, resolve=RESOLVE_BENEATH\}, 24\) = EXDEV .*: open \.\.\/etc$/,
    );
    expect(() => openFd('/etc/passwd', { directory: true })).toThrow('ENOTDIR');
  });
});

describe('openPipe', () => {
  it('has two ends that are close-on-exec and named', () => {
    const before = readdirSync('/proc/self/fd');
    const { read, write } = openPipe('output');
    expect([read.path, write.path]).toEqual(['output, read end', 'output, write end']);
    for (const end of [read, write]) {
      expect(readFileSync(`/proc/self/fdinfo/${end.number}`, 'latin1')).toMatch(/flags:\t0200000/);
      end.close();
    }
    expect(readdirSync('/proc/self/fd')).toEqual(before);
  });
});
