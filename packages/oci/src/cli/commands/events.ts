import { setTimeout as sleep } from 'node:timers/promises';

import { watchEvents, type Place } from '@ctr/cgroups';

import { OciError } from '../../error.js';
import { stats } from '../../life-cycle/events.js';
import { openContainer } from '../../life-cycle/open-container.js';
import type { Context } from '../context.js';
import { print } from '../print.js';
import { durationOf, idOf } from '../words.js';

export async function eventsCommand({ args, root }: Context): Promise<number> {
  const id = idOf(args);
  const intervalMs = durationOf('interval', args.text('interval') ?? '5s');
  tell(stats(id, root));
  if (args.flag('stats')) return 0;
  const controller = new AbortController();
  const failure = tellOfMemory(id, openContainer(id, root).stored.places, controller.signal);
  for (;;) {
    await Promise.race([sleep(intervalMs), failure]);
    try {
      tell(stats(id, root));
    } catch (error) {
      controller.abort();
      // It has ended.
      if (error instanceof OciError) return 0;
      throw error;
    }
  }
}

/** Tells of each process that is killed for lack of memory, as soon as it is. Settles only if that cannot be known. */
async function tellOfMemory(id: string, places: readonly Place[], cancelSignal: AbortSignal): Promise<never> {
  const directories = places.map(({ directory }) => directory);
  if (directories.length > 0) for await (const { type } of watchEvents(directories, { cancelSignal })) if (type === 'oomKill') tell({ type: 'oom', id });
  return new Promise<never>(() => undefined);
}

function tell(event: object): void {
  print(`${exactJson(event)}\n`);
}

/** JSON in which integers of 64 bits have all their digits, as runtimes in Go write them. */
function exactJson(value: object): string {
  const marked = JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'number' && Number.isInteger(part) && !Number.isSafeInteger(part) ? `\u{1}${BigInt(part)}` : part,
  );
  return marked.replaceAll(/"\\u0001(-?\d+)"/g, '$1');
}
