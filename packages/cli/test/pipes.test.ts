import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { call, fcntlCommands, openFlags, openPipe, readable, type Fd } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { cannotRun } from './cannot-run.js';
import { bin, shell } from './ctr.js';

describe.skipIf(cannotRun)('pipes', () => {
  it.each([
    ['a program', 'yes'],
    ['a shell that would go on', `sh -c 'while :; do echo y; done'`],
    ['a child of the first process', `sh -c 'yes; true'`],
    ['an init', '--init yes'],
  ])('%s that is not read any more ends with 141, and says nothing', async (_, command) => {
    expect(await shell(`ctr run ${command} | head -1; echo \${PIPESTATUS[0]}`)).toMatchObject({ stdout: 'y\n141\n', stderr: '' });
  });

  it('leave it to a program that handles SIGPIPE', async () => {
    const { stdout } = await shell(`ctr run bash -c 'trap "" PIPE; while echo y; do :; done 2>/dev/null; exit 3' | head -1; echo \${PIPESTATUS[0]}`);
    expect(stdout).toBe('y\n3\n');
  });

  it('lose nothing of a large output', async () => {
    expect(await shell('ctr run head -c 50000000 /dev/zero | (sleep 0.3; wc -c)')).toMatchObject({ stdout: '50000000\n' });
  });

  it('of the caller block as before, which others who share them rely on, also with a terminal', async () => {
    const [input, output] = [openPipe('stdin'), openPipe('stdout')];
    const isNonBlocking = ({ number }: Fd): boolean =>
      (call({ call: 'fcntl', args: [number, fcntlCommands.F_GETFL, 0], purpose: 'does it block?' }) & openFlags.O_NONBLOCK) !== 0;
    const child = spawn(process.execPath, [bin, 'run', '-t', 'sh', '-c', 'read -r line'], { stdio: [input.read.number, output.write.number, 'inherit'] });
    const ended = once(child, 'exit');
    call({ call: 'write', args: [input.write, 'line\n', 5], purpose: 'an answer' });
    // What is typed is shown: by then both are in use.
    await readable(output.read);
    expect([isNonBlocking(input.read), isNonBlocking(output.write)]).toEqual([false, false]);
    expect(await ended).toEqual([0, null]);
    for (const file of [input.read, input.write, output.read, output.write]) file.close();
  });

  it('take all of what a terminal shows, and may be left unread', async () => {
    expect(await shell('ctr run -t seq 200000 </dev/null | (sleep 0.5; wc -c)')).toMatchObject({ stdout: '1488895\n', stderr: '' });
    expect(await shell('ctr run -t yes </dev/null | head -1; echo ${PIPESTATUS[0]}')).toMatchObject({ stdout: 'y\r\n141\n', stderr: '' });
    expect(await shell('{ ctr run -t --timeout 300ms yes </dev/null; echo $? >&2; } | sleep 3')).toMatchObject({ stderr: '124\n' });
    expect(await shell('(ctr run -t true; cat) < <(echo left)')).toMatchObject({ stdout: 'left\n' });
  });

  it('that a terminal shows in are let go by a signal', async () => {
    const unread = openPipe('unread');
    const child = spawn(process.execPath, [bin, 'run', '-t', 'seq', '200000'], { stdio: ['ignore', unread.write.number, 'inherit'] });
    const ended = once(child, 'exit');
    // It shows something by now. The shell of a person would send it again, too: pid 1 drops the first.
    await readable(unread.read);
    const again = setInterval(() => child.kill('SIGTERM'), 20);
    expect(await ended).toEqual([143, null]);
    clearInterval(again);
    for (const end of [unread.read, unread.write]) end.close();
  });

  it('are not there with -T', async () => {
    expect(await shell('ctr run -T readlink /proc/self/fd/1 | cat; readlink /proc/self/fd/1 | cat')).toMatchObject({
      stdout: expect.stringMatching(/^pipe:\[\d+\]\npipe:/),
    });
  });

  it.each([
    ['a socket', 'pipe'],
    ['a pipe', openPipe('unread').write.number],
  ] as const)('do not hold up the end by a signal, if nobody reads %s', async (_, stdout) => {
    const child = spawn(process.execPath, [bin, 'run', 'sh', '-c', 'echo ready >&2; exec yes'], { stdio: ['ignore', stdout, 'pipe'] });
    const ended = once(child, 'exit');
    await once(child.stderr as NonNullable<typeof child.stderr>, 'data');
    child.kill('SIGTERM');
    expect(await ended).toEqual([143, null]);
    child.stdout?.destroy();
  });

  it('of stderr, too, break', async () => {
    expect(await shell(`{ { ctr run sh -c 'exec yes >&2'; echo $? >&3; } 2>&1 >/dev/null | head -1; } 3>&1`)).toMatchObject({ stdout: 'y\n141\n' });
  });

  it('are let go by a signal while a reader does not take what is left', async () => {
    const unread = openPipe('unread');
    const child = spawn(process.execPath, [bin, 'run', 'sh', '-c', 'head -c 100000 /dev/zero; echo done >&2'], {
      stdio: ['ignore', unread.write.number, 'pipe'],
    });
    const ended = once(child, 'exit');
    await once(child.stderr as NonNullable<typeof child.stderr>, 'data');
    // The program may be about to end: a shell that is pid 1 drops the first.
    const again = setInterval(() => child.kill('SIGTERM'), 20);
    expect(await ended).toEqual([143, null]);
    clearInterval(again);
    for (const end of [unread.read, unread.write]) end.close();
  });

  it('leave a shell of the caller its script', async () => {
    const script = "f=$(mktemp); export -f ctr; printf '%s\\n' 'ctr run cat' 'echo goes on' > $f; bash --norc < $f; rm $f";
    expect(await shell(script)).toMatchObject({ stdout: 'echo goes on\ngoes on\n', stderr: '' });
  });

  it('and no file of the caller is what the program has: --show-posture and -T', async () => {
    expect(
      await shell('ctr run --show-posture true | grep -A1 "^standard streams"; ctr run -T --show-posture true | grep -A1 "^standard streams"'),
    ).toMatchObject({
      stdout: expect.stringMatching(/^standard streams {4}stdin.*relay[^]*standard streams {4}stdin.*the caller's own file/) as string,
    });
    expect(await shell('ctr run true < /; echo $?; ctr run -T true < /; echo $?')).toMatchObject({
      stdout: '125\n125\n',
      stderr: expect.stringMatching(/^(ctr: stdin is a directory, which would lead.*\n){2}$/) as string,
    });
  });

  it('closed before: stdin, stdout', async () => {
    expect(await shell('ctr run cat <&-; echo $?')).toMatchObject({ stdout: '0\n', stderr: '' });
    expect(await shell('ctr run sh -c "exit 4" >&-; echo $?')).toMatchObject({ stdout: '4\n', stderr: '' });
  });
});
