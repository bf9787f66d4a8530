import { printable } from '@ctr/syscall';
import type { Finding, Section } from './checks/check.js';
import { wrap } from './wrap.js';

const WIDTH = 100;
const GAP = 2;

/** ✔ is there, ✘ is missing and needed, – is missing and not needed by `ctr run` as it is. */
function mark({ ok, needed }: Finding): string {
  return ok ? '✔' : needed ? '✘' : '–';
}

/** The sections as a table, each finding with what to do below it. */
export function table(sections: readonly Section[]): string {
  const width = Math.max(...sections.flatMap(({ findings }) => findings.map(({ what }) => what.length).filter((length) => length <= 32))) + GAP;
  return sections.map(({ title, findings }) => [title, ...findings.flatMap((finding) => lines(finding, width)), ''].join('\n')).join('\n');
}

function lines(finding: Finding, width: number): string[] {
  const { what, found, advice } = finding;
  const indent = ' '.repeat(width + 4);
  const wrapped = wrap(printable(found), WIDTH - indent.length);
  const head = `  ${mark(finding)} ${what.padEnd(width)}`;
  const first = what.length + GAP <= width ? [`${head}${wrapped.shift() ?? ''}`] : [head];
  return [
    ...first,
    ...wrapped.map((line) => indent + line),
    ...(advice === undefined ? [] : wrap(`→ ${printable(advice)}`, WIDTH - indent.length).map((line) => indent + line)),
  ];
}
