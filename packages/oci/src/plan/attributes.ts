import type { Handle } from '@ctr/fs';
import { atFlags, mountAttr, type Step } from '@ctr/syscall';

import type { MountAttributeMasks } from '../mount-options.js';

/** Sets and clears attributes of a mount, or of all in a tree. */
export function setMasks(mount: Handle, { set, clear }: MountAttributeMasks, recursive: boolean): Step[] {
  if (set === 0 && clear === 0) return [];
  const attr = mountAttr({ attr_set: set, attr_clr: clear });
  return [
    {
      call: 'mount_setattr',
      args: [mount, '', atFlags.AT_EMPTY_PATH | (recursive ? atFlags.AT_RECURSIVE : 0), attr, attr.byteLength],
      purpose: recursive ? 'its attributes, and those of all below' : 'its attributes',
      hints: { EPERM: 'the attribute is locked: a mount that came from a more privileged namespace keeps its restrictions' },
    },
  ];
}

/** Closes what the plan has opened and needs no more. */
export function closed(file: Handle): Step {
  return { call: 'close', args: [file], purpose: 'it is not needed any more' };
}
