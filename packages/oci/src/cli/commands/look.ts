import { spawnSync } from 'node:child_process';

import { printable } from '@ctr/syscall';

import { features } from '../../features.js';
import { list, ps } from '../../life-cycle/list.js';
import { state } from '../../life-cycle/state-of.js';
import type { Context } from '../context.js';
import { print } from '../print.js';
import { formatOf, idOf, noWords } from '../words.js';

export function stateCommand({ args, root }: Context): number {
  return print(`${JSON.stringify(state(idOf(args), root), null, 2)}\n`);
}

export function listCommand({ args, root, log }: Context): number {
  noWords(args);
  const { containers, broken } = list(root);
  for (const { error } of broken) log.warn(error.message);
  if (args.flag('quiet')) return print(containers.map(({ id }) => `${id}\n`).join(''));
  if (formatOf(args) === 'json') return print(`${containers.length === 0 ? 'null' : JSON.stringify(containers)}\n`);
  const rows = [
    ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER'],
    // The end of a line in a path would begin a row of its own.
    ...containers.map(({ id, pid, status, bundle, created, owner }) => [id, String(pid), status, bundle, created, owner].map(printable)),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(9, ...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return print(
    rows.map((row) => `${row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd((widths[column] ?? 0) + 3))).join('')}\n`).join(''),
  );
}

export function psCommand({ args, root }: Context): number {
  const pids = ps(idOf(args, Infinity), root);
  if (formatOf(args) === 'json') return print(`${JSON.stringify(pids)}\n`);
  const given = args.rest.slice(1);
  // A program of the host, by its path: the container has no say in it.
  const { stdout, stderr, status } = spawnSync('/bin/ps', given.length > 0 ? given : ['-ef'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ps: ${stderr.trim() || 'it cannot be run'}`);
  const [heading = '', ...lines] = stdout.trimEnd().split('\n');
  const column = heading.trim().split(/\s+/).indexOf('PID');
  if (column < 0) throw new Error("couldn't find PID field in ps output");
  return print(`${[heading, ...lines.filter((line) => pids.includes(Number(line.trim().split(/\s+/)[column])))].join('\n')}\n`);
}

export function featuresCommand({ args }: Context): number {
  noWords(args);
  return print(`${JSON.stringify(features(), null, 2)}\n`);
}
