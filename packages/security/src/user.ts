import { checkOptions, Memory, type Step } from '@ctr/syscall';

import { keepCapabilities } from './capabilities.js';
import { checkInteger } from './check.js';

/** Who to be. */
export interface BecomeUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. @default none */
  readonly groups?: readonly number[];
  /** The permissions that new files do not have. @default what is inherited */
  readonly umask?: number;
  /** Keep the permitted capabilities, where root becomes an ordinary user: until `capabilitySets` says which of them. @default false: all are lost */
  readonly keepCapabilities?: boolean;
}

/** The largest id. The number behind it is (uid_t)-1, which means "no id" to the kernel. */
const MAX_ID = 0xfffffffe;
/** linux/limits.h */
const NGROUPS_MAX = 65536;

/**
 * Becomes another user: the real, effective, saved and file system id at once, so that there is no way back.
 * Supplementary groups first, since only root may set them; the user last.
 *
 * The steps fail with EPERM without CAP_SETGID and CAP_SETUID, and with EINVAL for an id that the user namespace does not map.
 * No groups, where the user namespace denies setgroups(2), are no failure: it maps none that could be dropped.
 * Throws a `RangeError` for what is no id.
 *
 * A process that has become another user is not its owner's to look into: `/proc/self` is root's until the next execve(2), and
 * PR_SET_PDEATHSIG is forgotten. What needs either stands before, or after that.
 *
 * @see setgroups(2), setresgid(2), setresuid(2), credentials(7)
 * @example
 * ```ts
 * import { becomeUser } from '@ctr/security';
 * import { launch } from '@ctr/syscall';
 * const child = await launch([
 *   ...becomeUser({ uid: 65534, gid: 65534, umask: 0o022 }),
 *   { call: 'execve', args: ['/bin/sh', ['sh', '-c', 'test "$(id -u)" = 65534'], ['PATH=/bin:/usr/bin']], purpose: 'the program' },
 * ]);
 * console.log((await child.exited).code); // 0
 * ```
 */
export function becomeUser(user: BecomeUser): Step[] {
  checkOptions('becomeUser', user, ['uid', 'gid', 'groups', 'umask', 'keepCapabilities']);
  const { uid, gid, groups = [], umask } = user;
  checkInteger('the user id', uid, 0, MAX_ID);
  checkInteger('the group id', gid, 0, MAX_ID);
  for (const group of groups) checkInteger('the id of a supplementary group', group, 0, MAX_ID);
  if (groups.length > NGROUPS_MAX) throw new RangeError(`a process has at most ${NGROUPS_MAX} supplementary groups, not ${groups.length}`);
  if (umask !== undefined) checkInteger('the umask', umask, 0, 0o777);
  const list = new Memory(Buffer.from(Uint32Array.from(groups).buffer), 'groups');
  return [
    {
      call: 'setgroups',
      args: [groups.length, groups.length > 0 ? list : null],
      purpose: `supplementary groups ${groups.join(', ') || '(none)'}`,
      ...(groups.length === 0
        ? { tolerates: ['EPERM'] }
        : {
            hints: {
              EPERM: 'this needs CAP_SETGID, and a user namespace that allows setgroups(2): one in which only the own id is mapped does not',
              EINVAL: unmapped(`one of the ids ${groups.join(', ')}`),
            },
          }),
    },
    { call: 'setresgid', args: [gid, gid, gid], purpose: `group ${gid}`, hints: { EINVAL: unmapped(`the id ${gid}`), EPERM: 'this needs CAP_SETGID' } },
    ...(user.keepCapabilities ? keepCapabilities() : []),
    { call: 'setresuid', args: [uid, uid, uid], purpose: `user ${uid}`, hints: { EINVAL: unmapped(`the id ${uid}`), EPERM: 'this needs CAP_SETUID' } },
    ...(umask === undefined ? [] : [{ call: 'umask', args: [umask], purpose: 'permissions that new files do not have' } satisfies Step]),
  ];
}

function unmapped(what: string): string {
  return `${what} is not mapped in the user namespace: give a map that has it, or be another user`;
}
