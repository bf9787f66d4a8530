import { create } from '../../life-cycle/create.js';
import { brokenOff } from '../broken-off.js';
import type { Context } from '../context.js';
import { creation } from '../creation.js';
import { idOf } from '../words.js';

export async function createCommand(context: Context): Promise<number> {
  const { bundle, options } = creation(context);
  const id = idOf(context.args);
  await brokenOff((cancelSignal) => create(bundle, id, { ...options, cancelSignal, detached: true }));
  return 0;
}
