import { printable } from '@ctr/syscall';
import type { Row } from './sampler.js';

/** What a table is for. */
export interface Look {
  readonly columns: number;
  /** How many lines it may have; none: as many as there are containers. */
  readonly lines?: number;
  readonly colors: boolean;
}

interface Column {
  readonly title: string;
  /** The names come first, and take what is left. */
  readonly width: number;
  readonly left?: boolean;
  readonly cell: (row: Row) => string;
  /** How much of something is used, 0 to 1: a bar before the cell. */
  readonly share?: (row: Row) => number | undefined;
}

const BAR_WIDTH = 5;
const MIN_NAME_WIDTH = 8;
const MAX_NAME_WIDTH = 40;
const UNKNOWN = '–';
const blocks = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const units = ['B', 'K', 'M', 'G', 'T'] as const;
const escapes = { green: '\u001b[32m', yellow: '\u001b[33m', red: '\u001b[31m', bold: '\u001b[1m', none: '\u001b[0m' } as const;

const cpu: Column = {
  title: 'CPU%',
  width: 6,
  cell: ({ cpuPercent }) => (cpuPercent === undefined ? UNKNOWN : cpuPercent.toFixed(1)),
  share: ({ cpuPercent }) => (cpuPercent === undefined ? undefined : cpuPercent / 100),
};
const memory: Column = {
  title: 'MEM/LIMIT',
  width: 12,
  cell: ({ memoryBytes, memoryLimitBytes, estimated }) =>
    memoryBytes === undefined
      ? UNKNOWN
      : `${estimated ? '~' : ''}${short(memoryBytes)}${typeof memoryLimitBytes === 'number' ? `/${short(memoryLimitBytes)}` : ''}`,
  share: ({ memoryBytes, memoryLimitBytes }) =>
    memoryBytes === undefined || typeof memoryLimitBytes !== 'number' ? undefined : memoryBytes / memoryLimitBytes,
};
const pids: Column = {
  title: 'PIDS',
  width: 9,
  cell: ({ pids: current, pidsMax }) => (current === undefined ? UNKNOWN : `${current}${typeof pidsMax === 'number' ? `/${pidsMax}` : ''}`),
};
const pid: Column = { title: 'PID', width: 7, cell: (row) => String(row.pid ?? UNKNOWN) };
const io: Column = {
  title: 'READ/WRITE',
  width: 12,
  cell: ({ readBytesPerSecond: read, writeBytesPerSecond: write }) => (read === undefined || write === undefined ? UNKNOWN : `${short(read)}/${short(write)}`),
};
const pressure: Column = {
  title: 'PRESSURE',
  width: 10,
  cell: ({ pressure: shares }) => {
    const known = Object.entries(shares).filter((entry): entry is [string, number] => entry[1] !== undefined);
    const [most] = known.toSorted((a, b) => b[1] - a[1]);
    return most === undefined ? UNKNOWN : most[1] < 0.5 ? '0%' : `${most[0] === 'memory' ? 'mem' : most[0]} ${Math.round(most[1])}%`;
  },
};

const without = ({ share: _share, ...column }: Column): Column => column;

/** What there is room for, from all to little. */
const layouts: readonly { readonly gap: number; readonly columns: readonly Column[] }[] = [
  { gap: 2, columns: [pid, cpu, memory, pids, io, pressure] },
  { gap: 1, columns: [pid, cpu, memory, pids, io, pressure] },
  { gap: 1, columns: [pid, without(cpu), memory, pids, io, pressure] },
  { gap: 1, columns: [without(cpu), memory, pids, io, pressure] },
  { gap: 1, columns: [without(cpu), memory, pids, io] },
  { gap: 1, columns: [without(cpu), memory, pids] },
  { gap: 1, columns: [without(cpu), without(memory), pids] },
  { gap: 1, columns: [without(cpu), without(memory)] },
];

/** A line of titles, and one for each container; those that there is no room for are counted in the last line. */
export function tableOf(rows: readonly Row[], { columns: width, lines, colors }: Look): string[] {
  if (rows.length === 0) return ['no containers of this user run'];
  const longest = Math.min(MAX_NAME_WIDTH, Math.max(MIN_NAME_WIDTH, ...rows.map(({ name }) => name.length)));
  const widthOf = (column: Column): number => column.width + (column.share ? BAR_WIDTH + 1 : 0);
  const rest = ({ gap, columns }: (typeof layouts)[number]): number => columns.reduce((total, column) => total + gap + widthOf(column), 0);
  const layout = layouts.find((candidate) => rest(candidate) + Math.min(longest, 16) <= width) ?? layouts.at(-1);
  if (!layout) return [];
  const nameWidth = Math.max(MIN_NAME_WIDTH, Math.min(longest, width - rest(layout)));
  const line = (first: string, cells: readonly string[]): string => [first, ...cells].join(' '.repeat(layout.gap)).trimEnd();
  const shown = lines !== undefined && rows.length > lines - 1 ? rows.slice(0, Math.max(0, lines - 2)) : rows;
  const title = line(
    'NAME'.padEnd(nameWidth),
    layout.columns.map((column) => column.title.padStart(widthOf(column))),
  );
  return [
    colors ? `${escapes.bold}${title}${escapes.none}` : title,
    ...shown.map((row) =>
      line(
        cut(printable(row.name), nameWidth).padEnd(nameWidth),
        layout.columns.map((column) => `${column.share ? `${bar(column.share(row), colors)} ` : ''}${column.cell(row).padStart(column.width)}`),
      ),
    ),
    ...(shown.length < rows.length ? [`and ${rows.length - shown.length} more`] : []),
  ];
}

/** `61.2M`: four characters and a unit at most. */
export function short(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)}${units[unit]}`;
}

/** Five characters wide, in eighths of one. */
function bar(share: number | undefined, colors: boolean): string {
  if (share === undefined) return ' '.repeat(BAR_WIDTH);
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * BAR_WIDTH * 8);
  const text = `${'█'.repeat(Math.floor(eighths / 8))}${blocks[eighths % 8]}`.padEnd(BAR_WIDTH);
  return colors ? `${share < 0.6 ? escapes.green : share < 0.85 ? escapes.yellow : escapes.red}${text}${escapes.none}` : text;
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
