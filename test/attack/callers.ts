// Who starts containers: four kinds of callers, and what each puts before the command that starts one.
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Job, Way } from './job.js';

/** An ordinary user of the tests alone. */
const UID = 54_321;
const NAME = 'ctr-attack';
/** The first of the ids that are granted to that user, and of those that root's user namespaces have. */
const GRANTED = 400_000;
const OF_ROOT = 100_000;
const COUNT = 65_536;

/** A kind of caller. */
export interface Caller {
  readonly name: string;
  /** The uid that starts containers. */
  readonly uid: number;
  /** Who root of the container is outside. */
  readonly rootOutside: number;
  /** What of a job is its own. */
  readonly job: Pick<Job, 'owner' | 'idMappings'>;
  /** Options of its containers. */
  readonly options: Job['options'];
  /** Words before the command. */
  by(directory: string, way?: Way): readonly string[];
  /** Why it cannot go this way, if so. */
  without(way: Way): string | undefined;
}

const alone = ['unshare', '--uts', '--pid', '--mount', '--fork', '--kill-child'];
const as = (uid: number): readonly string[] => ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
const every = (): undefined => undefined;

/** The four of them. */
export const callers: readonly Caller[] = [
  {
    name: 'root',
    uid: 0,
    rootOutside: 0,
    job: {},
    options: {},
    by: (_, way) => (way === 'ctr child' ? alone : []),
    without: every,
  },
  {
    name: 'root, user namespace',
    uid: 0,
    rootOutside: OF_ROOT,
    job: { idMappings: [{ containerID: 0, hostID: OF_ROOT, size: COUNT }] },
    options: { namespaces: { user: 'new' } },
    by: () => [],
    without: (way) =>
      way === 'ctr child'
        ? 'it is in the namespaces of its caller, and makes none'
        : way === 'ctr compile'
          ? 'an executable has nobody to map its ids: only the own id of an ordinary user'
          : undefined,
  },
  {
    name: 'user',
    uid: UID,
    rootOutside: UID,
    job: { owner: UID },
    options: {},
    by: (_, way) => [...as(UID), ...(way === 'ctr child' ? [...alone, '--user', '--map-root-user'] : [])],
    without: every,
  },
  {
    name: 'user with ids',
    uid: UID,
    rootOutside: UID,
    job: {
      owner: UID,
      idMappings: [
        { containerID: 0, hostID: UID, size: 1 },
        { containerID: 1, hostID: GRANTED, size: COUNT },
      ],
    },
    options: { ids: 'granted' },
    by: (directory, way) => [...withIds(directory), ...as(UID), ...(way === 'ctr child' ? [...alone, '--user', '--map-root-user', '--map-auto'] : [])],
    without: (way) => (way === 'ctr compile' ? 'an executable has no newuidmap: it has the one id' : undefined),
  },
];

/** Another user of the host, who starts nothing. */
export const asAnother: readonly string[] = as(UID + 1);

/** Why there are no subordinate ids here, if so. */
export const noIds = ['/usr/bin/newuidmap', '/usr/bin/newgidmap', '/etc/subuid', '/etc/subgid'].every((path) => existsSync(path))
  ? undefined
  : 'newuidmap, newgidmap, /etc/subuid and /etc/subgid are needed';

/** Lines of /etc/passwd, /etc/subuid and /etc/subgid that are there in a mount namespace alone. */
function withIds(directory: string): readonly string[] {
  const [ids, passwd] = [join(directory, 'subids'), join(directory, 'passwd')];
  if (!existsSync(ids)) {
    writeFileSync(ids, `${UID}:${GRANTED}:${COUNT}\n`);
    writeFileSync(passwd, `${readFileSync('/etc/passwd', 'utf8')}${NAME}:x:${UID}:${UID}::/:/bin/sh\n`);
    for (const path of [ids, passwd]) chmodSync(path, 0o644);
  }
  const script = `mount --bind ${ids} /etc/subuid && mount --bind ${ids} /etc/subgid && mount --bind ${passwd} /etc/passwd && exec "$@"`;
  return ['unshare', '--mount', 'sh', '-c', script, 'sh'];
}
