import { setTimeout as sleep } from 'node:timers/promises';

import { OciError } from '../../error.js';
import { stats } from '../../life-cycle/events.js';
import type { Context } from '../context.js';
import { durationOf, idOf } from '../words.js';

export async function eventsCommand({ args, root }: Context): Promise<number> {
  const id = idOf(args);
  const print = (): void => void process.stdout.write(`${JSON.stringify(stats(id, root))}\n`);
  const intervalMs = durationOf('interval', args.text('interval') ?? '5s');
  print();
  while (!args.flag('stats')) {
    await sleep(intervalMs);
    try {
      print();
    } catch (error) {
      // It has ended.
      if (error instanceof OciError) return 0;
      throw error;
    }
  }
  return 0;
}
