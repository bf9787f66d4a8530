import { setTimeout as sleep } from 'node:timers/promises';

import { OciError } from '../../error.js';
import { stats } from '../../life-cycle/events.js';
import type { Context } from '../context.js';
import { print } from '../print.js';
import { durationOf, idOf } from '../words.js';

export async function eventsCommand({ args, root }: Context): Promise<number> {
  const id = idOf(args);
  const show = (): number => print(`${JSON.stringify(stats(id, root))}\n`);
  const intervalMs = durationOf('interval', args.text('interval') ?? '5s');
  show();
  while (!args.flag('stats')) {
    await sleep(intervalMs);
    try {
      show();
    } catch (error) {
      // It has ended.
      if (error instanceof OciError) return 0;
      throw error;
    }
  }
  return 0;
}
