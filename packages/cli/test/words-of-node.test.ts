// Node takes some words for its own wherever they stand in its command line, and a signal: the bin keeps them from it.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { cannotRun } from './cannot-run.js';
import { bin, shell } from './ctr.js';

const directory = mkdtempSync(join(tmpdir(), 'ctr-env-file-'));
afterAll(() => rmSync(directory, { recursive: true }));
const file = join(directory, 'env');
/** What Node would obey, and ctr passes on. */
const options = `NODE_OPTIONS=--import=data:text/javascript,console.log('obeyed')`;
writeFileSync(file, `GREETING=hello\n${options}\n`);

/** Runs the bin as a shell does, by its first line. */
function installed(args: readonly string[]): unknown {
  const { status, stdout, stderr } = spawnSync(bin, args, { encoding: 'utf8', env: { PATH: process.env['PATH'] } });
  return { status, stdout, stderr };
}

describe.skipIf(cannotRun)('the installed ctr', () => {
  it('reads an --env-file for the program in the container alone', () => {
    expect(installed(['run', '--env-file', file, 'sh', '-c', 'echo "$GREETING"; echo "NODE_OPTIONS=$NODE_OPTIONS"'])).toEqual({
      status: 0,
      stdout: `hello\n${options}\n`,
      stderr: '',
    });
  });

  it.each([[['--env-file', 'nowhere']], [['--env-file=nowhere']], [['--env-file', file]]])('gives %j to the program, behind its name', (words) => {
    expect(installed(['run', 'echo', 'a  b', '', ...words])).toEqual({ status: 0, stdout: `a  b  ${words.join(' ')}\n`, stderr: '' });
  });

  it('says itself that an --env-file is not there', () => {
    expect(installed(['run', '--env-file', join(directory, 'nowhere'), 'true'])).toEqual({
      status: 125,
      stdout: '',
      stderr: `ctr: --env-file: "${directory}/nowhere": a file with one K=V a line; this cannot be read (ENOENT)\n`,
    });
  });

  it('gives bytes that are no UTF-8 to the program, as they are: arguments, variables and paths', async () => {
    const raw = String.raw`b=$(printf 'a\377b'); hex() { od -An -tx1 | tr -d ' \n'; echo; }`;
    expect(await shell(`${raw}; ctr run printf %s "$b" "\uFFFD" | hex; ctr run printf %s $'\\342\\202' | hex`)).toMatchObject({
      stdout: '61ff62efbfbd\ne282\n',
      stderr: '',
    });
    expect(await shell(`${raw}; RAW=$b ctr run -e RAW -e "OTHER=$b" sh -c 'echo $RAW $OTHER' | hex`)).toMatchObject({
      stdout: '61ff622061ff620a\n',
      stderr: '',
    });
    expect(await shell(`${raw}; f=$(mktemp); echo "RAW=$b" > $f; ctr run --env-file $f printenv RAW | hex; rm $f`)).toMatchObject({
      stdout: '61ff620a\n',
      stderr: '',
    });
    expect(
      await shell(
        `${raw}; t=$(mktemp -d); mkdir -p $t/$b/d/$b; cd $t/$b && ctr run -v ./d:/x -v $PWD/d:/y ls /x /y | hex; ctr run -v ./d/$b:/x/$b -w /x/$b pwd | hex; rm -r $t`,
      ),
    ).toMatchObject({ stdout: `${Buffer.from('/x:\na').toString('hex')}ff${Buffer.from('b\n\n/y:\na').toString('hex')}ff620a\n2f782f61ff620a\n`, stderr: '' });
  });

  it('refuses such bytes where it could not keep them', async () => {
    expect(await shell(`ctr run --hostname $'a\\377' true; echo $?`)).toMatchObject({
      stdout: '125\n',
      stderr: expect.stringContaining('"a\\udcff"') as string,
    });
    expect(await shell(`ctr run -v $'/no/a\\377:/x' true; echo $?`)).toMatchObject({
      stdout: '125\n',
      stderr: 'ctr: bind mount: "/no/a\\udcff" does not exist on the host\n',
    });
  });
});

describe.skipIf(cannotRun)('a debugger', () => {
  /** What Node tells everybody about the debugger of a ctr, where it listens for one. */
  async function published(program: string, ...args: readonly string[]): Promise<string> {
    const running = spawn(program, [...args, 'run', 'cat'], {
      env: { PATH: process.env['PATH'], NODE_OPTIONS: '--inspect=127.0.0.1:0' },
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    const ended = once(running, 'exit');
    let text = '';
    for await (const chunk of running.stderr) {
      text += String(chunk);
      if (/^Debugger listening on .*$/m.test(text)) break;
    }
    const port = /ws:\/\/127\.0\.0\.1:(\d+)\//.exec(text)?.[1];
    try {
      return await (await fetch(`http://127.0.0.1:${port}/json/list`)).text();
    } finally {
      running.stdin.end();
      await ended;
    }
  }

  it('is not let in by a port of the host', async () => {
    expect(await published(bin)).not.toContain('webSocketDebuggerUrl');
    expect(await published(process.execPath, bin)).toContain('webSocketDebuggerUrl');
  });

  it('is not waited for at SIGUSR1, by a command that passes no signals on either', async () => {
    const top = spawn(process.execPath, [bin, 'top'], { env: { PATH: process.env['PATH'] }, stdio: ['pipe', 'pipe', 'pipe'] });
    const ended = once(top, 'exit');
    let stderr = '';
    top.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)));
    await once(top.stdout, 'data');
    top.kill('SIGUSR1');
    top.kill('SIGTERM');
    await ended;
    expect(stderr).toBe('');
  });
});
