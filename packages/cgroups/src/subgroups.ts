import { readdirSync } from 'node:fs';

import { AT_FDCWD, call, Fd, openFd, openFlags } from '@ctr/syscall';

/** What is done on the way through a tree of groups. */
export interface GroupVisitor {
  /** For each group, those below it first, and the one at the top last. */
  readonly visit?: (group: Fd) => void;
  /** For each group but the one at the top, after it was visited and closed. */
  readonly leave?: (parent: Fd, name: Uint8Array) => void;
}

/**
 * Goes through a group and all below it. The names of those below, and how deep they go, may be a container's choice: they are walked by fd, one name at a time,
 * with two files open at most. A tree that is not there is an empty one.
 */
export function walkGroups(directory: string, { visit, leave }: GroupVisitor): void {
  let group = openGroup(undefined, Buffer.from(`${directory}\0`), directory);
  if (!group) return;
  try {
    const path: Uint8Array[] = [];
    const pending = [childrenOf(group)];
    for (;;) {
      const child = pending.at(-1)?.pop();
      if (child) {
        const below = openGroup(group, child, directory);
        if (!below) continue;
        group.close();
        group = below;
        path.push(child);
        pending.push(childrenOf(group));
        continue;
      }
      visit?.(group);
      pending.pop();
      const name = path.pop();
      if (!name) return;
      const above = openFd('..', { at: group, directory: true });
      group.close();
      group = above;
      leave?.(above, name);
    }
  } finally {
    group.close();
  }
}

/** The names of the groups directly below, each with the NUL that ends it. */
function childrenOf(group: Fd): Uint8Array[] {
  const entries = readdirSync(`/proc/self/fd/${group.number}`, { withFileTypes: true, encoding: 'buffer' });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => Buffer.concat([entry.name, Buffer.of(0)]));
}

function openGroup(at: Fd | undefined, name: Uint8Array, shown: string): Fd | undefined {
  const flags = openFlags.O_PATH | openFlags.O_DIRECTORY | openFlags.O_NOFOLLOW | openFlags.O_CLOEXEC;
  const number = call({ call: 'openat', args: [at ?? AT_FDCWD, name, flags, 0], purpose: `open a group of ${shown}`, tolerates: ['ENOENT'] });
  return number < 0 ? undefined : new Fd(number, shown);
}
