import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';

import {
  announceExec,
  call,
  callInto,
  continueInChild,
  dieWithHost,
  Fd,
  handOver,
  isSyscallError,
  launch,
  Memory,
  openFd,
  openFlags,
  openPipe,
  readFailure,
  resultOf,
  socketDomains,
  socketTypes,
  waitForHost,
  type Child,
  type Plan,
  type Step,
} from '@ctr/syscall';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { launched, Output, rejection } from '../../../test/support/launched.js';
import { nodeProgram } from '../../../test/support/node-program.js';
import { children, openFiles } from './own.js';
import { program, script } from './program.js';

const run = promisify(execFile);

/** Waits until every child is reaped: the first process of a plan that goes on in another one is, in passing. */
async function noChildren(): Promise<void> {
  // The keeper stays as long as this process.
  while (children().some((child) => !child.includes(' ctr-keeper '))) await setImmediate();
}

/** Two sockets that are connected with each other. */
function socketPair(type: number): { read: Fd; write: Fd } {
  const pair = new Memory(8, 'pair');
  const { bytes } = callInto({ call: 'socketpair', args: [socketDomains.AF_UNIX, type | socketTypes.SOCK_CLOEXEC, 0, pair], purpose: 'a pair' }, pair);
  return { read: new Fd(bytes.readInt32LE(0)), write: new Fd(bytes.readInt32LE(4)) };
}

/** Waits for the end of a process that is no child of ours. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await setImmediate();
  }
}

describe('launch', () => {
  let files: string[];
  beforeAll(async () => {
    // The first one opens what stays open for all.
    await launched(script('exit 0'));
    files = openFiles();
  });
  // What one of the tests leaves behind shows here.
  afterAll(async () => {
    await noChildren();
    expect(openFiles()).toEqual(files);
  });

  it('says how the program ended: with which exit code, or by which signal, and what it used', async () => {
    for (const code of [0, 1, 42, 125, 255]) expect((await launched(script(`exit ${code}`))).exit).toMatchObject({ code });
    for (const signal of ['KILL', 'TERM', 'SEGV', 'PIPE'] as const) {
      const { exit } = await launched(script(`kill -${signal} $$`));
      expect(exit.signal).toBe(`SIG${signal}`);
      expect(exit).not.toHaveProperty('code');
    }
    const { exit } = await launched(script('i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'));
    expect(exit.userMicroseconds + exit.systemMicroseconds).toBeGreaterThan(1000);
    expect(exit.maxResidentBytes).toBeGreaterThan(100_000);
  });

  it('names the signal of a real-time one', async () => {
    expect((await launched(script('kill -40 $$'))).exit.signal).toBe('SIGRTMIN+6');
  });

  it('gives the program its arguments, its environment and its standard streams', async () => {
    using output = new Output();
    const input = openPipe('input');
    const plan: Plan = [
      announceExec(),
      { call: 'execve', args: ['/bin/sh', ['name', '-c', 'read x; echo "$0 $x $V" "$@"; env | wc -l', 'zero', 'one', ''], ['V=5']], purpose: 'the program' },
    ];
    const child = await launch(plan, { stdio: [input.read, output.file, 'ignore'] });
    input.read.close();
    closeSync(openSync(`/proc/self/fd/${input.write.number}`, 'w'));
    call({ call: 'write', args: [input.write, 'line\n', 5], purpose: 'the input' });
    input.write.close();
    await child.exited;
    expect(output.text()).toMatch(/^zero line 5 one \n\d+$/);
  });

  it('starts it with every signal unblocked and at its default, though Node ignores SIGPIPE', async () => {
    const { output } = await launched(program('/bin/cat', '/proc/self/status'));
    expect(output.match(/^Sig(Blk|Ign|Cgt):.*$/gm)).toEqual(['SigBlk:\t0000000000000000', 'SigIgn:\t0000000000000000', 'SigCgt:\t0000000000000000']);
  });

  it('rejects with the step that failed, its errno, its purpose and a hint', async () => {
    const plan: Plan = [
      { call: 'umask', args: [0o22], purpose: 'one that works' },
      { call: 'chdir', args: ['/nowhere'], purpose: 'one that does not', hints: { ENOENT: 'make it first' } },
      ...script('exit 0'),
    ];
    const error = await rejection(launch(plan));
    expect(error.message).toBe('chdir("/nowhere") = ENOENT (no such file or directory), step 2 of 4: one that does not\nhint: make it first');
    expect(isSyscallError(error) && error.plan).toMatch(/^ {2}1 {2}umask\(022\) .*\n→ 2 {2}chdir\("\/nowhere"\) {2}# one that does not\n {2}3 /);
    const exec = await rejection(launch(program('/nowhere')));
    expect(exec.message).toMatch(/^execve\("\/nowhere", \["\/nowhere"\], \["PATH=\/bin:\/usr\/bin"\]\) = ENOENT /);
  });

  it('rejects a plan that cannot be compiled before anything is started', async () => {
    await expect(launch([{ call: 'chdir', args: ['a\0b'], purpose: 'a NUL' }])).rejects.toThrow(TypeError);
    await expect(launch([{ call: 'nothing' as 'chdir', args: [], purpose: 'no such call' }])).rejects.toThrow(RangeError);
  });

  it('ends well at the end of a plan without a program', async () => {
    expect((await launched([{ call: 'umask', args: [0o22], purpose: 'all of it' }])).exit).toMatchObject({ code: 0 });
    expect((await launched([])).exit).toMatchObject({ code: 0 });
    expect((await launched([{ call: 'exit_group', args: [7], purpose: 'end' }])).exit).toMatchObject({ code: 7 });
  });

  it('lets tolerated errors, jumps, loads, sums and onFailure decide on the way', async () => {
    const end: Step = { call: 'exit_group', args: [3], purpose: 'not here' };
    const close: Step = { call: 'close', args: [99], purpose: 'nothing is open there', tolerates: ['EBADF'], as: 'closed' };
    const cleanUp: Step = { call: 'add', args: [40, 2], purpose: 'what to do after a failure', as: 'answer' };
    const one = new Memory(Buffer.from([1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 7]), 'numbers');
    const plan: Plan = [
      { ...close, jump: { when: '==', than: 0, to: end } },
      { call: 'add', args: [one.i32(4), one.u8(8)], purpose: '-1 + 7', jump: { when: '!=', than: 6, to: end } },
      { call: 'add', args: [one.i32(), -3], purpose: '1 - 3', tolerates: 'any', jump: { when: '<', than: -1, to: close } },
      end,
      close,
      { call: 'chdir', args: ['/nowhere'], purpose: 'a failure', onFailure: cleanUp },
      { call: 'exit_group', args: [4], purpose: 'not here either' },
      cleanUp,
      { call: 'exit_group', args: [resultOf(cleanUp)], purpose: 'end' },
    ];
    expect((await launched(plan)).exit).toMatchObject({ code: 42 });
  });

  it('hands on the files that arguments name, and nothing else', async () => {
    using passwd = openFd('/etc/passwd', { flags: openFlags.O_RDONLY });
    using root = openFd('/', { directory: true });
    const copy: Step = { call: 'dup3', args: [passwd, 9, 0], purpose: 'the program has it as 9' };
    const { output } = await launched([
      { call: 'fchdir', args: [root], purpose: 'start from there' },
      copy,
      ...script('pwd; read line <&9; echo "$line"; ls /proc/$$/fd; exit 0'),
    ]);
    const [cwd, line, ...open] = output.split('\n');
    expect(cwd).toBe('/');
    expect(line).toBe(readFileSync('/etc/passwd', 'utf8').split('\n')[0]);
    expect(open).toEqual(['0', '1', '2', '9']);
  });

  it('lets none of the files of a host into the program, be they close-on-exec or not, be stdin closed or not', async () => {
    using host = await nodeProgram(
      `
      import { announceExec, launch } from '@ctr/syscall';
      const child = await launch([announceExec(), { call: 'execve', args: ['/bin/sh', ['sh', '-c', 'ls /proc/$$/fd; exit 0'], ['PATH=/bin:/usr/bin']], purpose: 'show' }]);
      await child.exited;
    `,
      import.meta.dirname,
    );
    const start = (redirections: string) => run('/bin/bash', ['-c', `exec ${redirections}; exec "$0" "$1"`, process.execPath, host.path], { env: host.env });
    expect((await start('7</dev/null 9</etc/passwd 23>/dev/null')).stdout).toBe('0\n1\n2\n');
    expect((await start('0<&- 8</etc/passwd')).stdout).toBe('0\n1\n2\n');
    expect((await start('3</etc/passwd 4</etc/passwd 5</etc/passwd 6</etc/passwd')).stdout).toBe('0\n1\n2\n');
  });

  it('does not mind which numbers its files have', async () => {
    // Given in an order in which a plain dup2 of one would overwrite another.
    const fds = Array.from({ length: 12 }, (_, i) => {
      const file = new Fd(call({ call: 'memfd_create', args: [`file ${i}`, 1], purpose: 'a file of a test' }));
      call({ call: 'write', args: [file, String.fromCharCode(97 + i), 1], purpose: 'its content' });
      return file;
    });
    try {
      const buffer = new Memory(1, 'byte');
      const plan = fds.toReversed().flatMap((file): Step[] => [
        { call: 'pread64', args: [file, buffer, 1, 0], purpose: 'what is in it' },
        { call: 'write', args: [1, buffer, 1], purpose: 'show it' },
      ]);
      expect((await launched(plan)).output).toBe('lkjihgfedcba');
    } finally {
      for (const file of fds) file.close();
    }
  });

  it('goes on in a new process, whose parent is the host, any number of times', async () => {
    const two = [...continueInChild(), ...continueInChild({ memory: 'copied' })];
    using output = new Output();
    const child = await launch([...two, ...continueInChild(), ...script('echo $$ $PPID')], { stdio: ['ignore', output.file, 'inherit'] });
    await child.exited;
    expect(output.text()).toBe(`${child.pid} ${process.pid}`);
  });

  it('kill sends a signal once it runs, and none when it has ended', async () => {
    const child = await launch(script('exec sleep 3600'));
    expect(child.kill('SIGSTOP')).toBe(true);
    expect(child.kill('SIGCONT')).toBe(true);
    expect(child.kill()).toBe(true);
    expect(await child.exited).toMatchObject({ signal: 'SIGTERM' });
    expect(child.kill('SIGKILL')).toBe(false);
    expect(child.kill(9)).toBe(false);
  });

  it.each<unknown>(['SIGNOTHING', 'KILL', 'toString', -1, 65, 1.5, Number.NaN, null])(
    'kill throws for %j, which is no signal, and sends nothing',
    async (signal) => {
      const child = await launch(script('exec sleep 60'));
      expect(() => child.kill(signal as number)).toThrow(RangeError);
      expect(child.kill('SIGKILL')).toBe(true);
      expect((await child.exited).signal).toBe('SIGKILL');
      expect(() => child.kill(signal as number)).toThrow(/^there is no signal/);
    },
  );

  it('disposing kills, and waits for the end; a second time does nothing', async () => {
    const child = await launch(script('trap "" TERM; exec sleep 3600'));
    await child[Symbol.asyncDispose]();
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
    await child[Symbol.asyncDispose]();
  });

  it('hands files over to the host, which closes them', async () => {
    const open: Step = { call: 'openat', args: [-100, '/etc/passwd', openFlags.O_CLOEXEC], purpose: 'a file', as: 'file' };
    const plan = [...continueInChild(), open, ...handOver(resultOf(open), 'the file'), ...script('exit 0')];
    const taken: Fd[] = [];
    const { exit } = await launched(plan, { onFile: (file) => void taken.push(file) });
    expect(exit.code).toBe(0);
    expect(taken.map((file) => statSync(`/proc/self/fd/${file.number}`).ino)).toEqual([statSync('/etc/passwd').ino]);
    for (const file of taken) file.close();
    await launched(plan);
  });
});

describe('a plan that waits for the host', () => {
  it('goes on when it is answered, as often as it asks', async () => {
    const waiting: number[] = [];
    using output = new Output();
    const plan = [...waitForHost('one'), ...waitForHost('two'), ...continueInChild(), ...waitForHost('three'), ...script('echo went on')];
    const child = await launch(plan, { stdio: ['ignore', output.file, 'inherit'], onWaiting: (pid) => void waiting.push(pid) });
    await child.exited;
    expect(output.text()).toBe('went on');
    expect(waiting[0]).toBe(waiting[1]);
    expect(waiting[2]).toBe(child.pid);
    expect(waiting[2]).not.toBe(waiting[0]);
  });

  it('is named by the pid of the process that waits, however the reports of two processes come', async () => {
    for (let i = 0; i < 300; i++) {
      let waiting = 0;
      const child = await launch([...continueInChild(), ...waitForHost('a test'), ...script('exit 0')], { onWaiting: (pid) => void (waiting = pid) });
      await child.exited;
      expect(waiting).toBe(child.pid);
    }
  });

  it('is killed if the host refuses, and launch rejects with the reason of the host', async () => {
    const reason = new Error('no');
    expect(await rejection(launch([...waitForHost('a test'), ...script('exit 0')], { onWaiting: () => Promise.reject(reason) }))).toBe(reason);
    const thrown = (): never => {
      throw reason;
    };
    expect(await rejection(launch([...continueInChild(), ...waitForHost('a test'), ...script('exit 0')], { onWaiting: thrown }))).toBe(reason);
    await noChildren();
  });

  it('goes on at once if the host has nothing to do', async () => {
    expect((await launched([...waitForHost('a test'), ...script('exit 5')])).exit.code).toBe(5);
  });

  it('is not answered when it has ended before the host is ready, nor is anyone else', async () => {
    let answer: () => void = () => undefined;
    const late = launch([...waitForHost('a test'), ...script('exit 0')], { onWaiting: () => new Promise((resolve) => (answer = resolve)), setupTimeoutMs: 50 });
    expect((await rejection(late)).message).toBe('the set-up of the process did not end within 50 ms');
    // Its channel is closed, and the next one may have got the same number.
    let asked = false;
    const next = launch([...waitForHost('a test'), ...script('exit 0')], {
      onWaiting: () => {
        asked = true;
        answer();
        return new Promise<void>(() => undefined);
      },
      setupTimeoutMs: 200,
    });
    expect((await rejection(next)).message).toContain('within 200 ms');
    expect(asked).toBe(true);
  });
});

describe('cancelling', () => {
  it('before: nothing is started', async () => {
    const reason = new Error('changed my mind');
    await expect(launch(script('exit 0'), { cancelSignal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('during the set-up: launch rejects with the reason, and nothing is left', async () => {
    const controller = new AbortController();
    const reason = new Error('changed my mind');
    const onWaiting = (): Promise<void> => {
      controller.abort(reason);
      return new Promise(() => undefined);
    };
    const plan = [...continueInChild(), ...waitForHost('for ever'), ...script('exit 0')];
    expect(await rejection(launch(plan, { cancelSignal: controller.signal, onWaiting }))).toBe(reason);
    await noChildren();
  });

  it('while it runs: it is killed; after its end: nothing happens', async () => {
    const controller = new AbortController();
    const child = await launch(script('trap "" TERM; exec sleep 3600'), { cancelSignal: controller.signal });
    controller.abort();
    expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
    const other = new AbortController();
    await (
      await launch(script('exit 0'), { cancelSignal: other.signal })
    ).exited;
    other.abort();
  });

  it('by a time limit on the set-up', async () => {
    const forever: Plan = [{ call: 'ppoll', args: [null, 0, null, null, 8], purpose: 'wait for ever' }, ...script('exit 0')];
    expect((await rejection(launch(forever, { setupTimeoutMs: 30 }))).message).toBe('the set-up of the process did not end within 30 ms');
    await noChildren();
  });
});

describe('a process that is killed, stopped or crashed before a step', () => {
  const base = (): Plan => [
    { call: 'umask', args: [0o22], purpose: 'a step' },
    ...continueInChild(),
    { call: 'chdir', args: ['/'], purpose: 'a step' },
    ...continueInChild({ memory: 'copied' }),
    { call: 'umask', args: [0o22], purpose: 'a step' },
    ...script('exec sleep 3600'),
  ];
  const struck = (k: number, signal: number): Plan => {
    const self: Step = { call: 'getpid', args: [], purpose: 'who am I' };
    return base().toSpliced(k, 0, self, { call: 'kill', args: [resultOf(self), signal], purpose: 'a blow' });
  };

  for (const [name, signal] of [
    ['SIGKILL', 9],
    ['SIGSEGV', 11],
    ['SIGSTOP', 19],
  ] as const) {
    for (let k = 0; k <= base().length - 1; k++) {
      it(`by ${name} before step ${k + 1}: launch rejects, or goes on in the next process; nothing is left, and the next launch works`, async () => {
        const before = openFiles();
        let child: Child | undefined;
        let message = '';
        try {
          child = await launch(struck(k, signal), name === 'SIGSTOP' ? { setupTimeoutMs: 100 } : {});
        } catch (error) {
          message = String(error);
        }
        if (child && k === base().length - 1) {
          // After the announcement, an end counts as the program's own.
          expect(await child.exited).toMatchObject({ signal: name });
        } else if (child) {
          // What was struck had already handed on to the next process.
          expect(child.kill('SIGKILL')).toBe(true);
          expect(await child.exited).toMatchObject({ signal: 'SIGKILL' });
        } else {
          expect(message).toMatch(name === 'SIGSTOP' ? /did not end within 100 ms/ : new RegExp(`ended during its set-up, killed by ${name}`));
        }
        await noChildren();
        expect(openFiles()).toEqual(before);
        expect((await launched(script('exit 9'))).exit.code).toBe(9);
      });
    }
  }
});

describe('dieWithHost', () => {
  it('ends the program when the host is killed', async () => {
    using host = await nodeProgram(
      `
      import { continueInChild, dieWithHost, launch } from '@ctr/syscall';
      const child = await launch([...continueInChild(), ...dieWithHost(), { call: 'execve', args: ['/bin/sleep', ['sleep', '3600'], []], purpose: 'the program' }]);
      console.log(child.pid);
    `,
      import.meta.dirname,
    );
    const node = spawn(process.execPath, [host.path], { env: host.env, stdio: ['ignore', 'pipe', 'inherit'] });
    const [chunk] = (await once(node.stdout, 'data')) as [Buffer];
    const pid = Number(String(chunk));
    expect(readFileSync(`/proc/${pid}/comm`, 'latin1')).toBe('sleep\n');
    node.kill('SIGKILL');
    await once(node, 'exit');
    await gone(pid);
  });

  it('ends it if the host is gone before', async () => {
    using output = new Output();
    const input = openPipe('input');
    const channel = openPipe('channel');
    const [write, read] = [4, 5]; // the numbers that files have where they are handed on
    const plan: Plan = [
      { call: 'fcntl', args: [channel.write, 1, 0], purpose: 'the first file' },
      { call: 'fcntl', args: [channel.read, 1, 0], purpose: 'the second file' },
      { call: 'read', args: [0, new Memory(1, 'byte'), 1], purpose: 'wait until the host has closed its end' },
      { call: 'close', args: [read], purpose: 'nobody reads it any more' },
      { call: 'dup3', args: [write, 3, openFlags.O_CLOEXEC], purpose: 'a channel without another end' },
      ...dieWithHost(),
      { call: 'write', args: [1, 'alive', 5], purpose: 'show' },
    ];
    const launching = launch(plan, { stdio: [input.read, output.file, 'inherit'] });
    for (const file of [channel.read, channel.write, input.read, input.write]) file.close();
    expect(await (await launching).exited).toMatchObject({ code: 137 });
    expect(output.text()).toBe('');
  });

  it('lets it live while the host does', async () => {
    expect((await launched([...dieWithHost(), ...script('echo alive')])).output).toBe('alive');
  });
});

describe('a script whose interpreter is /proc/self/exe', () => {
  it('does not take the steps again', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ctr-launch-'));
    try {
      const path = join(directory, 'script');
      writeFileSync(path, '#!/proc/self/exe\n');
      chmodSync(path, 0o755);
      const { exit, output } = await launched([{ call: 'write', args: [1, 'once\n', 5], purpose: 'count the runs' }, ...program(path)]);
      expect(output).toBe('once');
      expect(exit.code).toBe(125);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it.each([
    ['a pipe', () => openPipe('given')],
    ['a connection', () => socketPair(socketTypes.SOCK_STREAM)],
  ])('writes nothing to %s that the program has as fd 3, and takes no step again', async (_, open) => {
    const directory = mkdtempSync(join(tmpdir(), 'ctr-launch-'));
    const { read, write } = open();
    try {
      const path = join(directory, 'script');
      const file = 4; // the number that the file has where it is handed on
      const pass: Plan = [
        { call: 'fcntl', args: [write, 1, 0], purpose: 'the file' },
        { call: 'write', args: [1, 'once\n', 5], purpose: 'count the runs' },
        announceExec(),
        { call: 'dup3', args: [file, 3, 0], purpose: 'the file, as the program has it' },
      ];
      const text = { 'of itself': '#!/proc/self/exe\n', 'of a shell': '#!/bin/sh\necho given >&3\n' };
      const results = [];
      for (const content of Object.values(text)) {
        writeFileSync(path, content);
        chmodSync(path, 0o755);
        const { exit, output } = await launched([...pass, { call: 'execve', args: [path, [path], []], purpose: 'the script' }]);
        results.push([exit.code, output]);
      }
      write.close();
      expect(results).toEqual([
        [125, 'once'],
        [0, 'once'],
      ]);
      // The control: what another program writes there comes.
      expect(readFileSync(read.number, 'latin1')).toBe('given\n');
    } finally {
      for (const end of [read, write]) end.close();
      rmSync(directory, { recursive: true });
    }
  });
});

describe('many', () => {
  it('1,000 launches leave no file, no process and no memory behind', async () => {
    const before = openFiles();
    for (let i = 0; i < 1000; i++) await (await launch([{ call: 'exit_group', args: [0], purpose: 'end' }])).exited;
    await noChildren();
    expect(openFiles()).toEqual(before);
  });

  it('100 launches at the same time, of which every third fails', async () => {
    const before = openFiles();
    const all = Array.from({ length: 100 }, (_, i) =>
      i % 3 === 0 ? rejection(launch(program('/nowhere'))) : launched([...continueInChild(), ...script(`exit ${i}`)]),
    );
    const outcomes = await Promise.all(all);
    for (const [i, outcome] of outcomes.entries()) expect(outcome instanceof Error ? 'rejected' : outcome.exit.code).toBe(i % 3 === 0 ? 'rejected' : i);
    await noChildren();
    expect(openFiles()).toEqual(before);
  });

  it('until the plan takes its reports elsewhere, where they are read', async () => {
    const { read, write } = openPipe('reports');
    const plan: Plan = [
      announceExec(),
      { call: 'dup3', args: [write, 3, openFlags.O_CLOEXEC], purpose: 'reports go to somebody else from here on' },
      { call: 'close', args: [write], purpose: 'one end of it is enough' },
      { call: 'chdir', args: ['/nowhere'], purpose: 'start there' },
    ];
    const child = await launch(plan);
    write.close();
    expect((await child.exited).code).toBe(125);
    const report = readFileSync(read.number);
    read.close();
    expect(readFailure(report)).toEqual({ step: 3, errno: 2 });
    expect(readFailure(report.subarray(1))).toBeUndefined();
    expect(readFailure(Buffer.alloc(8))).toBeUndefined();
  });

  it('without taking its end from whoever becomes its parent', async () => {
    const child = await launch(script('exit 7'), { detached: true });
    const info = new Memory(128, 'siginfo');
    const ended: Step = { call: 'waitid', args: [1, child.pid, info, 4 | 0x01000000, null], purpose: 'its end, which stays to be waited for' };
    // siginfo_t of asm-generic/siginfo.h: si_status behind si_pid and si_uid
    expect(callInto(ended, info).bytes.readInt32LE(24)).toBe(7);
    call({ call: 'wait4', args: [child.pid, null, 0, null], purpose: 'wait for it' });
    await expect(launch([{ call: 'chdir', args: ['/nowhere'], purpose: 'start there' }], { detached: true })).rejects.toThrow('ENOENT');
    await noChildren();
  });

  it('from a worker thread', async () => {
    using host = await nodeProgram(
      `
      import { parentPort } from 'node:worker_threads';
      import { announceExec, continueInChild, launch } from '@ctr/syscall';
      const codes = [];
      for (let i = 0; i < 5; i++) {
        const child = await launch([...continueInChild(), announceExec(), { call: 'execve', args: ['/bin/sh', ['sh', '-c', 'exit ' + i], []], purpose: 'the program' }]);
        codes.push((await child.exited).code);
      }
      parentPort.postMessage(codes);
    `,
      import.meta.dirname,
    );
    const worker = new Worker(host.path, { env: { ...process.env, ...host.env } });
    const [codes] = (await once(worker, 'message')) as [number[]];
    await worker.terminate();
    expect(codes).toEqual([0, 1, 2, 3, 4]);
  });

  it('the largest plan', async () => {
    const steps: Step[] = Array.from({ length: 0xfff0 - 8 }, () => ({ call: 'getpid', args: [], purpose: 'one of many' }));
    expect((await launched([...steps, ...script('exit 3')])).exit.code).toBe(3);
    const more: Step[] = Array.from({ length: 0xfff0 }, () => ({ call: 'getpid', args: [], purpose: 'one of many' }));
    await expect(launch(more)).rejects.toThrow(/^a plan has at most 65520 steps, not 655\d\d$/);
  });
});
