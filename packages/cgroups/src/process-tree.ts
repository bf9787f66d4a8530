import { readdirSync, readFileSync } from 'node:fs';

/** The processes that descend from one, nearest first, as /proc shows them at this moment. */
export function descendantsOf(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = parentOf(name);
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  for (let next = children.get(pid) ?? []; next.length > 0; next = next.flatMap((each) => children.get(each) ?? [])) found.push(...next);
  return found;
}

/** 4711 (a name) S 1 …: the pid, its name, in which there may be spaces and parentheses, the state, the pid of its parent. */
function parentOf(pid: string): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(text.slice(text.lastIndexOf(')') + 4).split(' ', 1)[0]);
  } catch {
    return undefined;
  }
}
