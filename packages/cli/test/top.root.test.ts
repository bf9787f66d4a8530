import { afterEach, describe, expect, it } from 'vitest';

import { cannotRun } from './cannot-run.js';
import { ctr, startCtr, type Running } from './ctr.js';
import { openTerminal, type Terminal } from './terminal.js';

const name = `top-${process.pid}`;

let running: Running | undefined;
let terminal: Terminal | undefined;

afterEach(async () => {
  await terminal?.close();
  terminal = undefined;
  running?.kill('SIGTERM');
  await running?.ended;
  running = undefined;
});

/** A container that is busy. */
async function busy(...options: readonly string[]): Promise<void> {
  running = startCtr(['run', '--name', name, '--net', 'host', ...options, 'sh', '-c', 'echo ready; while :; do :; done']);
  await running.until('ready');
}

interface Line {
  readonly time: string;
  readonly name: string;
  readonly pid: number;
  readonly cpuPercent: number;
  readonly memoryBytes: number;
  readonly memoryLimitBytes?: number;
  readonly pids: number;
  readonly pidsMax: number;
  readonly estimated: boolean;
}

const linesOf = (stdout: string): Line[] =>
  stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line)
    .filter((line) => line.name === name);

describe.skipIf(cannotRun)('ctr top', () => {
  it('prints a line of JSON for each container and look', async () => {
    await busy('-m', '64m', '--pids-limit', '30', '--stats');
    const { code, stdout, stderr } = await ctr(['top', '--json', '-n', '2', '-d', '200ms']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = linesOf(stdout);
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line).toMatchObject({ memoryLimitBytes: 64 * 2 ** 20, pidsMax: 30, pids: 1, estimated: false });
      expect(line.cpuPercent).toBeGreaterThan(0);
      expect(line.memoryBytes).toBeGreaterThan(0);
    }
  });

  it('knows what a container uses of which nothing was asked', async () => {
    await busy();
    const { stdout } = await ctr(['top', '--json', '-n', '1']);
    const [line] = linesOf(stdout);
    expect(line?.cpuPercent).toBeGreaterThan(0);
    expect(line?.memoryBytes === undefined ? 1 : line.memoryBytes).toBeGreaterThan(0);
    expect(line?.pid).toBeGreaterThan(0);
  });

  it('prints a table once where stdout is no terminal', async () => {
    await busy('--pids-limit', '30');
    const { code, stdout } = await ctr(['top']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^NAME +PID .*CPU% /);
    expect(stdout).toMatch(new RegExp(`^${name} .* 1/30 `, 'm'));
  });

  it('is a picture at a terminal, until q', async () => {
    await busy();
    terminal = await openTerminal('ctr top -d 100ms; echo code=$?; stty -a | grep -o " icanon"');
    await terminal.until(new RegExp(`${name} [^]*${name} `));
    expect(terminal.shown).toContain('\u001b[?1049h');
    terminal.resize(40, 10);
    await terminal.until(name);
    const back = terminal.until(/code=0[^]* icanon/);
    terminal.type('q');
    await back;
    expect(terminal.shown).toContain('\u001b[?1049l');
  });

  it.each([
    ['Ctrl-C', '\u0003', 'code=0'],
    ['a number of looks', '', 'code=0'],
  ])('ends with %s', async (_, key, code) => {
    terminal = await openTerminal(`ctr top -d 100ms ${key === '' ? '-n 3' : ''}; echo code=$?`);
    await terminal.until('ctr top');
    const back = key === '' && terminal.shown.includes(code) ? Promise.resolve() : terminal.until(code);
    if (key !== '') terminal.type(key);
    await back;
  });

  it('rejects what cannot be', async () => {
    expect(await ctr(['top', 'web'])).toMatchObject({ code: 125, stderr: 'ctr: top: "web": it takes no arguments\n' });
    expect(await ctr(['top', '-n', '0'])).toMatchObject({ code: 125, stderr: 'ctr: -n: "0": a whole number, 1 or more\n' });
    expect(await ctr(['top', '-d', '1ms'])).toMatchObject({ code: 125, stderr: 'ctr: -d: "1ms": 100ms or more\n' });
  });
});
