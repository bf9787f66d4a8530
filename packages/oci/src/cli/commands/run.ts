import { create } from '../../life-cycle/create.js';
import { remove } from '../../life-cycle/delete.js';
import { startProgram, type Started } from '../../life-cycle/start.js';
import { brokenOff } from '../broken-off.js';
import type { Context } from '../context.js';
import { creation, managerSocket } from '../creation.js';
import { Foreground } from '../foreground.js';
import { idOf } from '../words.js';

export async function runCommand(context: Context): Promise<number> {
  const { args, root, log } = context;
  const { bundle, options } = creation(context);
  const id = idOf(args);
  const detach = args.flag('detach');
  const foreground = new Foreground();
  if (!detach) foreground.listen();
  const child = await brokenOff((cancelSignal) =>
    create(bundle, id, {
      ...options,
      cancelSignal,
      detached: detach,
      ...(!detach && options.consoleSocket === undefined && { onConsole: foreground.onConsole, plainLineFeeds: true }),
    }),
  );
  const deleting = { ...root, force: true, onWarning: (message: string) => log.warn(message) };
  const socket = managerSocket();
  let started: Started;
  try {
    started = await startProgram(id, {
      ...root,
      ...(socket !== undefined && { notifySocket: socket }),
      onWarning: (message) => log.warn(message),
    });
  } catch (error) {
    await remove(id, deleting);
    throw error;
  }
  const ready = started.ready(detach);
  if (detach) {
    await ready;
    return 0;
  }
  const [code] = await Promise.all([foreground.wait(child), ready.catch((error: unknown) => log.warn(String(error)))]);
  if (!args.flag('keep')) await remove(id, deleting);
  return code;
}
