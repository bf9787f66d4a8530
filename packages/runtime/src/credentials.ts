import { Memory, type Step } from '@ctr/syscall';

import type { User } from './spec.js';

/**
 * Becomes another user of the container. Supplementary groups first, since only root may set them; the user last.
 *
 * @see setgroups(2), setresgid(2), setresuid(2)
 */
export function becomeUser({ uid, gid, groups }: Required<User>): Step[] {
  const list = new Memory(Buffer.from(Uint32Array.from(groups).buffer), 'groups');
  return [
    {
      call: 'setgroups',
      args: [groups.length, groups.length ? list : null],
      purpose: `supplementary groups ${groups.join(', ') || '(none)'}`,
      // A user namespace with a single id denies it, and then there are none to be dropped that the namespace maps.
      ...(groups.length === 0 && { tolerates: ['EPERM'] }),
    },
    { call: 'setresgid', args: [gid, gid, gid], purpose: `group ${gid}`, hints: unmapped(gid) },
    { call: 'setresuid', args: [uid, uid, uid], purpose: `user ${uid}`, hints: unmapped(uid) },
  ];
}

function unmapped(id: number): NonNullable<Step['hints']> {
  return { EINVAL: `the id ${id} is not mapped in the container's user namespace: give a map that has it, or be another user` };
}
