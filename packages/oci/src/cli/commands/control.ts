import { signals } from '@ctr/syscall';

import { remove } from '../../life-cycle/delete.js';
import { kill } from '../../life-cycle/kill.js';
import { pause, resume } from '../../life-cycle/pause.js';
import { start } from '../../life-cycle/start.js';
import type { Context } from '../context.js';
import { managerSocket } from '../creation.js';
import { idOf, signalOf } from '../words.js';

export async function startCommand({ args, root, log }: Context): Promise<number> {
  const socket = managerSocket();
  await start(idOf(args), { ...root, ...(socket !== undefined && { notifySocket: socket }), onWarning: (message) => log.warn(message) });
  return 0;
}

export function killCommand({ args, root }: Context): number {
  const id = idOf(args, 2);
  kill(id, signalOf(args.rest[1] ?? 'TERM', signals), { ...root, all: args.flag('all') });
  return 0;
}

export async function deleteCommand({ args, root, log }: Context): Promise<number> {
  await remove(idOf(args), { ...root, force: args.flag('force'), onWarning: (message) => log.warn(message) });
  return 0;
}

export async function pauseCommand({ args, root }: Context): Promise<number> {
  await pause(idOf(args), root);
  return 0;
}

export async function resumeCommand({ args, root }: Context): Promise<number> {
  await resume(idOf(args), root);
  return 0;
}
