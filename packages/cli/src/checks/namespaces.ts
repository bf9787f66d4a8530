import { create, createFlags, mapOwnIds, type Namespace } from '@ctr/namespaces';
import { continueInChild, type Step } from '@ctr/syscall';

import { attempt, isRoot, tried, type Finding, type Section } from './check.js';

/** What each isolates, in the order of namespaces(7). */
const kinds: Readonly<Record<Exclude<Namespace, 'user'>, string>> = {
  mount: 'mounts',
  pid: 'process ids',
  net: 'network',
  ipc: 'IPC',
  uts: 'host name',
  cgroup: 'cgroups',
  time: 'clocks',
};

/** Each kind of namespace, really made by a process; for an ordinary user in a user namespace of its own. */
export async function namespaces(): Promise<Section> {
  const findings: Finding[] = [tried('user', !isRoot(), await attempt([...userNamespace(), ...continueInChild()]), 'can be created')];
  for (const kind of Object.keys(kinds) as (keyof typeof kinds)[]) {
    const error = await attempt([...(isRoot() ? [] : userNamespace()), ...inNew(kind)]);
    findings.push(tried(kind, kind !== 'time', error, `can be created (${kinds[kind]})`));
  }
  return { title: 'Namespaces', findings };
}

/** A user namespace in which this user is root. */
export function userNamespace(): Step[] {
  const map = (id: number | undefined): [{ inside: number; outside: number; count: number }] => [{ inside: 0, outside: id ?? 0, count: 1 }];
  return [...create('user'), ...mapOwnIds({ uids: map(process.geteuid?.()), gids: map(process.getegid?.()) })];
}

function inNew(kind: Exclude<Namespace, 'user'>): Step[] {
  return kind === 'time' ? [...create('time'), ...continueInChild({ memory: 'copied' })] : continueInChild({ namespaces: createFlags([kind]) });
}
