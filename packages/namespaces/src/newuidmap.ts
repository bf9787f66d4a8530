import { accessSync, constants, readSync } from 'node:fs';

import { announceExec, call, Fd, launch, memfdFlags, quote } from '@ctr/syscall';

import type { IdMap } from './id-map.js';
import { currentUser, subIds, type SubIdUser } from './sub-ids.js';

/** Where the helpers may be: fixed, so that no PATH leads to another program. */
export const HELPER_DIRECTORIES: readonly string[] = ['/usr/bin', '/bin', '/usr/local/bin'];

/**
 * Maps the ids of a process by newuidmap(1) or newgidmap(1), which have the privilege for it and see to it that /etc/subuid or /etc/subgid grant the ids.
 * Rejects with an `Error` that has its own words and the lines it wants in that file.
 */
export async function mapByHelper(pid: number, kind: 'uid' | 'gid', map: IdMap): Promise<void> {
  const name = `new${kind}map`;
  const path = findHelper(name);
  if (path === undefined) {
    throw new Error(
      `${name}: it maps the ids of process ${pid}, and is in none of ${HELPER_DIRECTORIES.join(', ')}\n` +
        'hint: install the package uidmap (Debian, Ubuntu) or shadow-utils (Fedora, Alpine: shadow-uidmap), or map no id but your own',
    );
  }
  const args = [String(pid), ...map.flatMap(({ inside, outside, count }) => [inside, outside, count].map(String))];
  const said = new Fd(call({ call: 'memfd_create', args: [`${name} stderr`, memfdFlags.MFD_CLOEXEC], purpose: `what ${name} says` }));
  try {
    const plan = [announceExec(), { call: 'execve', args: [path, [name, ...args], []], purpose: `map the ids of process ${pid}` } as const];
    const child = await launch(plan, { stdio: ['ignore', 'ignore', said] });
    const { code, signal } = await child.exited;
    if (code === 0) return;
    const end = signal === undefined ? `exit code ${code}` : signal;
    throw new Error(`${name} ${args.join(' ')} ended with ${end}: ${content(said)}\nhint: ${await advice(kind, map)}`);
  } finally {
    said.close();
  }
}

/** The path of a helper; `undefined` where there is none. */
export function findHelper(name: string): string | undefined {
  return HELPER_DIRECTORIES.map((directory) => `${directory}/${name}`).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The first 4 KB of what was written to a memfd. */
function content(file: Fd): string {
  const bytes = Buffer.alloc(4096);
  const text = bytes.toString('utf8', 0, readSync(file.number, bytes, 0, bytes.length, 0)).trim();
  return text === ''
    ? 'it gave no reason'
    : text
        .split('\n')
        .map((line) => quote(line).slice(1, -1))
        .join('; ');
}

async function advice(kind: 'uid' | 'gid', map: IdMap): Promise<string> {
  const user = currentUser();
  const file = `/etc/sub${kind}`;
  const own = kind === 'uid' ? process.getuid?.() : process.getgid?.();
  const name = user.username ?? String(user.uid);
  const wanted = map.filter(({ outside, count }) => outside !== own || count !== 1).map(({ outside, count }) => `${name}:${outside}:${count}`);
  return `${file} has to grant these ids: ${wanted.join(' and ')}; for ${name} it has ${await granted(kind, user)}. The helper has to be setuid root, or to have cap_set${kind}, and this process must be able to gain privileges (no no_new_privs, no nosuid)`;
}

async function granted(kind: 'uid' | 'gid', user: SubIdUser): Promise<string> {
  try {
    const { uids, gids } = await subIds(user);
    const ranges = kind === 'uid' ? uids : gids;
    return ranges.length === 0 ? 'no line' : ranges.map(({ start, count }) => `${user.username ?? user.uid}:${start}:${count}`).join(' and ');
  } catch (error) {
    return `a line that cannot be read (${(error as Error).message})`;
  }
}
