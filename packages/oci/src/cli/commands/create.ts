import { create } from '../../life-cycle/create.js';
import type { Context } from '../context.js';
import { creation } from '../creation.js';
import { idOf } from '../words.js';

export async function createCommand(context: Context): Promise<number> {
  const { bundle, options } = creation(context);
  await create(bundle, idOf(context.args), { ...options, detached: true });
  return 0;
}
