import { afterEach, describe, expect, it } from 'vitest';

import { cannotRun } from './cannot-run.js';
import { descendant, openTerminal, type Terminal } from './terminal.js';

/** Prints the host name, and stays in the foreground with the default for every signal (a shell has a handler, also right before it becomes something else). */
const sleeper = 'tail -f /etc/hostname';

let terminal: Terminal | undefined;

afterEach(async () => {
  await terminal?.close();
  terminal = undefined;
});

/** A shell that is ready: its prompt is one of the container. */
async function shellIn(line: string): Promise<Terminal> {
  terminal = await openTerminal(line);
  if (!terminal.shown.includes('# ')) await terminal.until('# ');
  return terminal;
}

describe.skipIf(cannotRun)('a terminal', () => {
  it('is one of the container’s own, with a line that says what runs', async () => {
    const at = await shellIn('ctr run bash --norc');
    expect(at.shown).toMatch(/^Running \[bash --norc\]\r\n/);
    await at.ask('tty; echo $TERM', /\/dev\/pts\/0\r\nxterm\r\n/);
    await at.ask('ps -o stat= -p $$', /\rSs\s/);
  });

  it('says nothing with -q', async () => {
    terminal = await openTerminal('ctr run -q sh -c "echo hello; read x"; echo end');
    await terminal.until('hello');
    await terminal.ask('', 'end');
    expect(terminal.shown).toMatch(/^hello\r\n\s*end/);
  });

  it('has a shell where no command is given', async () => {
    const at = await shellIn('ctr run');
    expect(at.shown).toMatch(/^Running \[(ba)?sh\]/);
    expect(at.shown).not.toMatch(/Running \[\]/);
  });

  it('Ctrl-C interrupts what runs in the shell', async () => {
    const at = await shellIn('ctr run bash --norc');
    await at.ask(sleeper, /\rcontainer\r/);
    const back = at.until('# ');
    at.type('\u0003');
    await back;
    await at.ask('echo code=$?', 'code=130');
    expect(at.shown).toContain('^C');
  });

  it('Ctrl-C ends a program that is alone and does not handle it', async () => {
    terminal = await openTerminal(`ctr run -q ${sleeper}; echo code=$?`);
    await terminal.until('container');
    terminal.type('\u0003');
    await terminal.until('code=130');
    expect(terminal.shown).toMatch(/^container\r\n\^C/);
  });

  it('Ctrl-C is input where the program has asked for that', async () => {
    terminal = await openTerminal("ctr run -q sh -c 'stty raw -echo; echo started; head -c 1 | od -An -tx1; stty sane'; echo code=$?");
    await terminal.until('started');
    terminal.type('\u0003');
    await terminal.until(/ 03\s+code=0/);
    expect(terminal.shown).not.toContain('^C');
  });

  it('Ctrl-Z and fg: job control', async () => {
    const at = await shellIn('ctr run bash --norc');
    await at.ask(`bash -c 'trap "echo resumed" CONT; echo started; while sleep 0.1; do :; done'`, /\rstarted\r/);
    const stopped = at.until(/Stopped[^]*# /);
    at.type('\u001A');
    await stopped;
    await at.ask('jobs', /Stopped +bash[^]*# /);
    await at.ask('fg', /\nresumed\r/);
    const back = at.until('# ');
    at.type('\u0003');
    await back;
    expect(at.shown).toContain('^Z');
  });

  it('Ctrl-D ends the input', async () => {
    terminal = await openTerminal("ctr run -q sh -c 'echo started; exec cat'; echo code=$?");
    await terminal.until('started\r');
    await terminal.ask('line', /line\r\nline\r\n/);
    terminal.type('\u0004');
    await terminal.until('code=0');
    expect(terminal.shown).toMatch(/^started\r\nline\r\nline\r\n/);
  });

  it('has the size of the caller’s, and follows it', async () => {
    const at = await shellIn('ctr run bash --norc');
    await at.ask('stty size', '24 80');
    // Not at the prompt of bash: what it gets on the way there waits for the next key.
    await at.ask(`exec sh -c "trap 'stty size' WINCH; echo re''ady; while sleep 0.1; do :; done"`, 'ready');
    const resized = at.until('40 132');
    at.resize(132, 40);
    await resized;
    expect(at.shown).toMatch(/24 80[^]*40 132/);
  });

  it.each([
    ['the end', 'ctr run -q -T stty -a >/dev/null'],
    ['a program that leaves its own terminal raw', 'ctr run -q stty raw'],
    ['an error', 'ctr run -q no-such-program 2>/dev/null'],
    ['the end of its time', 'ctr run -q --timeout 300ms sleep 60'],
  ])('sets the caller’s terminal back after %s', async (_, line) => {
    terminal = await openTerminal(`before=$(stty -g); ${line}; [ "$before" = "$(stty -g)" ] && echo the same || stty -a; echo end`);
    await terminal.until(/end\r\n/);
    expect(terminal.shown).toBe('the same\r\nend\r\n');
  });

  it.each(['TERM', 'INT', 'HUP', 'QUIT'])('sets the caller’s terminal back after SIG%s', async (signal) => {
    terminal = await openTerminal(
      `before=$(stty -g); (ctr run -q ${sleeper}; echo code=$?); [ "$before" = "$(stty -g)" ] && echo the same || stty -a; echo end`,
    );
    await terminal.until('container');
    // The first process of the session is the shell; its child's child is ctr.
    process.kill(descendant(terminal.child.pid, 2), `SIG${signal}`);
    await terminal.until(/end\r\n/);
    expect(terminal.shown).toMatch(/code=(129|130|131|143)\r\nthe same\r\nend/);
  });

  it('sets the caller’s terminal to raw again after a stop', async () => {
    const at = await shellIn('set -m; ctr run -q bash --norc; fg');
    const continued = at.until(/ctr run -q bash --norc|bin\.cjs/);
    process.kill(descendant(at.child.pid, 1), 'SIGSTOP');
    await continued;
    await at.ask('', '# ');
    await at.ask('echo al""ive', 'alive');
    // Had the caller's terminal its own echo, the line would stand there twice.
    expect(at.shown.match(/al""ive/g)).toHaveLength(1);
  });

  it('loses nothing of what is pasted', async () => {
    terminal = await openTerminal("ctr run -q sh -c 'stty raw -echo; echo ready; head -c 100000 | cksum; stty sane'; echo end");
    await terminal.until('ready');
    const summed = terminal.until(/100000\s/);
    terminal.type('0123456789'.repeat(10_000));
    await summed;
    expect(terminal.shown).toContain('4002145000 100000');
  });

  it('shows a large output as a whole', async () => {
    terminal = await openTerminal('ctr run -q sh -c "seq 20000; read x"; echo end');
    await terminal.until('\n20000\r\n');
    expect(terminal.shown).toBe(Array.from({ length: 20_000 }, (_, i) => `${i + 1}\r\n`).join(''));
  });

  it('-t makes one where the caller has none, with an end to its input', async () => {
    terminal = await openTerminal(`echo 'tty; exit 6' | ctr run -q -t bash --norc | cat; echo code=\${PIPESTATUS[1]}`);
    await terminal.until('code=');
    expect(terminal.shown).toMatch(/\/dev\/pts\/0\r+\n[^]*code=6/);
  });

  it('is not what the program has as stderr, or stdin, where stdout is a pipe', async () => {
    terminal = await openTerminal(
      'ctr run -q sh -c "readlink /proc/self/fd/0 /proc/self/fd/2; stty -a <&2 2>/dev/null || echo no terminal; cat" | cat; echo end',
    );
    await terminal.until('no terminal');
    await terminal.ask('a line', /a line\r\na line\r\n/);
    terminal.type('\u0004');
    await terminal.until('end\r');
    expect(terminal.shown).toMatch(/^pipe:\[\d+\]\r\npipe:\[\d+\]\r\nno terminal\r\n/);
  });

  it('keeps its keys for who reads it in another mode: a pager', async () => {
    // The other end of the pipe reads keys from the terminal, as less does, and the program reads stdin.
    terminal = await openTerminal(
      `ctr run -q sh -c 'echo ready; cat' | { read -r line; stty -icanon -echo < /dev/tty; echo $line; read -r -n 1 key < /dev/tty; stty sane < /dev/tty; echo key=$key; }; echo end`,
    );
    await terminal.until('ready\r');
    terminal.type('q');
    await terminal.until('key=q');
  });

  it('-T has the caller’s', async () => {
    terminal = await openTerminal('ctr run -q -T sh -c "stty size; tty || echo none"; echo end');
    await terminal.until('end\r');
    expect(terminal.shown).toMatch(/^24 80\r\n/);
  });

  it('a reader that goes away ends it with 141', async () => {
    terminal = await openTerminal('ctr run -q yes | head -1; echo code=${PIPESTATUS[0]}');
    await terminal.until('code=');
    expect(terminal.shown).toBe('y\r\ncode=141\r\n');
  });
});
