import { setTimeout as delay } from 'node:timers/promises';

import { printableLines } from '@ctr/syscall';
import { terminalSize } from '../caller-terminal.js';
import { readCommandLine, refuseMore } from '../command-line.js';
import { isTerminal } from '../is-terminal.js';
import { print } from '../print.js';
import { time } from '../stats.js';
import { finder } from '../top/find.js';
import { Sampler, type Row } from '../top/sampler.js';
import { Screen } from '../top/screen.js';
import { short, tableOf } from '../top/table.js';

const INTERVAL_MS = 1000;
/** How long the first look is before the first figures: what is used is a difference. */
const FIRST_MS = 500;
/** Where stdout is no terminal, whoever reads it can cut lines as they like. */
const PLAIN_COLUMNS = 120;

/** `ctr top`: what the containers of this user use, until somebody ends it. */
export async function top(args: readonly string[]): Promise<number> {
  const line = readCommandLine('top', args);
  if (!line) return 0;
  refuseMore('top', line.rest);
  const { json, once, cgroupParent, intervalMs = INTERVAL_MS } = line.settings;
  const sampler = new Sampler(await finder(cgroupParent));
  const live = !json && !once && isTerminal(1);
  const looks = line.settings.looks ?? (once || (!json && !live) ? 1 : Infinity);
  if (live) return watch(sampler, intervalMs, looks);
  sampler.look();
  for (let i = 0; i < looks; i++) {
    await delay(i === 0 ? Math.min(intervalMs, FIRST_MS) : intervalMs);
    const rows = sampler.look();
    const table = (): string =>
      `${i > 0 ? '\n' : ''}${tableOf(rows, { columns: isTerminal(1) ? terminalSize().columns : PLAIN_COLUMNS, colors: false }).join('\n')}\n`;
    print(json ? jsonLines(rows) : table());
  }
  return 0;
}

/** A picture that changes, at a terminal. */
function watch(sampler: Sampler, intervalMs: number, looks: number): Promise<number> {
  const colors = !process.env['NO_COLOR'];
  let rows = sampler.look();
  let seen = 0;
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const screen = new Screen(
      ({ columns, rows: lines }) => [summary(rows, intervalMs, columns), '', ...tableOf(rows, { columns, lines: lines - 2, colors })],
      (code) => {
        clearTimeout(timer);
        screen[Symbol.dispose]();
        resolve(code);
      },
    );
    const look = (): void => {
      rows = sampler.look();
      screen.draw();
      seen++;
      if (seen < looks) timer = setTimeout(look, intervalMs);
      else {
        screen[Symbol.dispose]();
        resolve(0);
      }
    };
    timer = setTimeout(look, Math.min(intervalMs, FIRST_MS));
  });
}

function summary(rows: readonly Row[], intervalMs: number, columns: number): string {
  const total = (figure: (row: Row) => number | undefined): number => rows.reduce((sum, row) => sum + (figure(row) ?? 0), 0);
  const cpu = total(({ cpuPercent }) => cpuPercent).toFixed(1);
  const text = `ctr top  ${rows.length} containers  cpu ${cpu}%  memory ${short(total(({ memoryBytes }) => memoryBytes))}  every ${time(intervalMs)}  q: end`;
  return text.slice(0, columns);
}

function jsonLines(rows: readonly Row[]): string {
  const now = new Date().toISOString();
  return rows.map((row) => `${printableLines(JSON.stringify({ time: now, ...row }))}\n`).join('');
}
