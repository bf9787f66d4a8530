import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

import { errnos, SyscallError, type ErrnoName } from '@ctr/syscall';

import { checkedMaps, idMapText, type IdMap, type IdMaps } from './id-map.js';
import { mapByHelper } from './newuidmap.js';
import { checkPid } from './pid.js';

/**
 * Maps the ids of another process's user namespace, from outside of it, in the user namespace that it was made in. The process must not have been reaped:
 * a child that waits for it, as `waitForHost` of @ctr/syscall lets it, is not.
 *
 * With CAP_SETUID and CAP_SETGID the maps are written directly. Without, one's own ids are mapped directly (setgroups(2) is then switched off in the namespace),
 * and all others by newuidmap(1) and newgidmap(1), which map what /etc/subuid and /etc/subgid grant the user.
 * These two are looked for in /usr/bin, /bin and /usr/local/bin, never in PATH.
 *
 * Rejects with an `Error` that has what the helper said and the line that /etc/subuid needs, or with a `SyscallError`:
 * EPERM if the map is written already, ENOENT if the process is gone. Throws as {@link idMap} does for maps that are not well-formed.
 *
 * @see user_namespaces(7), newuidmap(1), subuid(5)
 * @example A user namespace with all the ids that the user has been granted
 * ```ts
 * import { create, writeIdMaps } from '@ctr/namespaces';
 * import { launch, waitForHost } from '@ctr/syscall';
 * const map = [{ inside: 0, outside: 100_000, count: 65_536 }];
 * const child = await launch(
 *   [...create('user'), ...waitForHost('map the ids'), { call: 'execve', args: ['/bin/true', ['true'], []], purpose: 'the program' }],
 *   { onWaiting: (pid) => writeIdMaps(pid, { uids: map, gids: map }) },
 * );
 * await child.exited;
 * ```
 */
export async function writeIdMaps(pid: number, maps: IdMaps): Promise<void> {
  checkPid(pid);
  const { uids, gids } = checkedMaps(maps);
  // Side by side: where it takes the helpers, each of them is the start of a process.
  const [ofUids, ofGids] = await Promise.allSettled([writeMap(pid, 'uid', uids), writeMap(pid, 'gid', gids)]);
  for (const outcome of [ofUids, ofGids]) if (outcome.status === 'rejected') throw outcome.reason;
}

async function writeMap(pid: number, kind: 'uid' | 'gid', map: IdMap): Promise<void> {
  const text = idMapText(map);
  try {
    await writeOnce(pid, `${kind}_map`, text);
  } catch (error) {
    if (!(error instanceof SyscallError) || (error.code !== 'EPERM' && error.code !== 'EACCES')) throw error;
    if (await isWritten(pid, kind)) throw error;
    if (!isOwn(kind, map)) return await mapByHelper(pid, kind, map);
    if (kind === 'uid') throw error;
    // The group of one's own may be mapped if it cannot be left afterwards.
    await writeOnce(pid, 'setgroups', 'deny');
    await writeOnce(pid, 'gid_map', text);
  }
}

/** Whether the map is of nothing but the effective id of this process. */
function isOwn(kind: 'uid' | 'gid', map: IdMap): boolean {
  const own = kind === 'uid' ? process.geteuid?.() : process.getegid?.();
  return map.length === 1 && map[0]?.count === 1 && map[0].outside === own;
}

/** A map can be written once. */
async function isWritten(pid: number, kind: 'uid' | 'gid'): Promise<boolean> {
  try {
    const file = await open(`/proc/${pid}/${kind}_map`, constants.O_RDONLY);
    try {
      return (await file.readFile('latin1')) !== '';
    } finally {
      await file.close();
    }
  } catch {
    return false;
  }
}

async function writeOnce(pid: number, name: string, text: string): Promise<void> {
  const path = `/proc/${pid}/${name}`;
  let call = `open("${path}", O_WRONLY)`;
  try {
    const file = await open(path, constants.O_WRONLY);
    try {
      call = `write("${path}", ${JSON.stringify(text)})`;
      await file.write(text);
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code as ErrnoName;
    const hints: Partial<Record<ErrnoName, string>> = {
      ENOENT: 'the process has ended',
      EPERM:
        'a map is written once, by a process with CAP_SETUID and CAP_SETGID in the user namespace around it (and CAP_SETFCAP to map its root); outside ids have to exist there',
    };
    const hint = hints[code];
    throw new SyscallError({
      call: call.slice(0, call.indexOf('(')),
      line: call,
      errno: errnos[code] ?? 0,
      purpose: `map the ids of process ${pid}`,
      ...(hint && { hint }),
    });
  }
}
