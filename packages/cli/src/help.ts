import type { Group, Option } from './args.js';
import { commands, type Command } from './commands.js';
import { wrap } from './wrap.js';

const WIDTH = 100;
const GAP = 2;
/** Where the second column begins. */
const COLUMN = 30;

/** What `ctr help` prints. */
export function overview(): string {
  const names = Math.max(...commands.map(({ name }) => name.length)) + GAP;
  return [
    'ctr: containers from nothing but system calls',
    '',
    'Usage: ctr COMMAND [OPTIONS] …',
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(names)}${summary}`),
    '',
    'ctr COMMAND --help tells more of each; ctr run bash is the place to start.',
    '',
  ].join('\n');
}

/** What `ctr help COMMAND` prints. */
export function manual({ usage, summary, options, notes, examples }: Command): string {
  const groups = [...new Set(options.map(({ group }) => group))];
  return [
    `${summary}.`,
    '',
    `Usage: ${usage}`,
    ...groups.flatMap((group) => ['', ...groupLines(group, options)]),
    ...notes.flatMap((note) => ['', ...wrap(note, WIDTH)]),
    ...(examples.length > 0 ? ['', 'Examples:', ...examples.flatMap(([line, what]) => [`  ${line}`, `      ${what}`])] : []),
    '',
  ].join('\n');
}

function groupLines(group: Group, options: readonly Option[]): string[] {
  return [`${group}:`, ...options.filter((option) => option.group === group).flatMap(optionLines)];
}

function optionLines(option: Option): string[] {
  const left = `  ${signature(option)}`;
  const lines = wrap(`${option.help}${option.repeatable ? '; may be repeated' : ''}`, WIDTH - COLUMN);
  const first = left.length + GAP <= COLUMN ? [`${left.padEnd(COLUMN)}${lines.shift() ?? ''}`] : [left];
  return [...first, ...lines.map((line) => `${' '.repeat(COLUMN)}${line}`)];
}

/** `-e, --env K=V` */
export function signature({ name, short, aliases = [], metavar }: Option): string {
  return `${short === undefined ? '    ' : `-${short}, `}${[name, ...aliases].map((each) => `--${each}`).join(', ')}${metavar === undefined ? '' : ` ${metavar}`}`;
}
