// What nothing may be left of on the host: open files, mounts, groups, processes.
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { hierarchyOf, parseGroupName, readLayout } from '@ctr/cgroups';

const layout = readLayout();
const parents = layout.hierarchies.map(({ mount }) => `${mount}/ctr`);

/** In how many hierarchies a container of root is by default: in that of the limit of processes, and in that of the rules about devices. */
export const defaultGroups = new Set([hierarchyOf(layout, 'pids'), hierarchyOf(layout, 'devices') ?? layout.hierarchies.find(({ version }) => version === 2)])
  .size;

/** What a process has, and what its containers have left behind. */
export interface Leftovers {
  readonly files: readonly string[];
  readonly mounts: string;
  readonly groups: readonly string[];
  /** Zombies too: `4711 Z`. */
  readonly children: readonly string[];
}

/** Waits until there is no more than before (streams close in a later turn); throws what there is. */
export async function sameAs(before: Leftovers): Promise<void> {
  const deadline = performance.now() + 10_000;
  let more = difference(before);
  while (more.length > 0 && performance.now() < deadline) {
    await delay(2);
    more = difference(before);
  }
  if (more.length > 0) throw new Error(`left behind: ${more.join(', ')}`);
}

export function leftovers(): Leftovers {
  return { files: files(), mounts: readFileSync('/proc/self/mountinfo', 'latin1'), groups: groupsOf(process.pid), children: children(process.pid) };
}

/** The groups below `/ctr` that a process owns, in every hierarchy. */
export function groupsOf(owner: number): string[] {
  return groups().filter((directory) => parseGroupName(directory.slice(directory.lastIndexOf('/') + 1))?.pid === owner);
}

/** All groups below `/ctr`. */
export function groups(): string[] {
  return parents.filter(existsSync).flatMap((parent) =>
    readdirSync(parent, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `${parent}/${name}`),
  );
}

/** The processes whose parent a process is, with their states. */
function children(parent: number): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const stat = readIfThere(`/proc/${pid}/stat`);
      const [state = '', ppid] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
      return Number(ppid) === parent ? [`${pid} ${state === 'Z' ? 'Z' : 'alive'}`] : [];
    });
}

/** An event loop that Node makes for something of its own when it likes is no leak. */
const ofNode = ['anon_inode:[eventpoll]', 'anon_inode:[eventfd]', 'anon_inode:[io_uring]'];

function files(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return ofNode.includes(target) || (target.startsWith('/proc/') && target.endsWith('/fd')) ? [] : [`${fd} → ${target}`];
    } catch {
      return [];
    }
  });
}

function difference(before: Leftovers): string[] {
  const now = leftovers();
  const added = (what: 'files' | 'groups' | 'children'): string[] => now[what].filter((item) => !before[what].includes(item)).map((item) => `${what}: ${item}`);
  return [...added('files'), ...added('groups'), ...added('children'), ...(now.mounts === before.mounts ? [] : [`mounts:\n${now.mounts}`])];
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
