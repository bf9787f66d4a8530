import { setTimeout as sleep } from 'node:timers/promises';

import { watchEvents } from '@ctr/cgroups';

import { OciError } from '../../error.js';
import { stats } from '../../life-cycle/events.js';
import { openContainer } from '../../life-cycle/open-container.js';
import type { Context } from '../context.js';
import { durationOf, idOf } from '../words.js';

export async function eventsCommand({ args, root }: Context): Promise<number> {
  const id = idOf(args);
  const intervalMs = durationOf('interval', args.text('interval') ?? '5s');
  print(stats(id, root));
  if (args.flag('stats')) return 0;
  using events = watchMemory(id, openContainer(id, root).stored.places);
  for (;;) {
    await Promise.race([sleep(intervalMs), events.failed]);
    try {
      print(stats(id, root));
    } catch (error) {
      // It has ended.
      if (error instanceof OciError) return 0;
      throw error;
    }
  }
}

/** Tells of each process that is killed for lack of memory, as soon as it is. */
function watchMemory(id: string, places: readonly { readonly directory: string }[]): Disposable & { readonly failed: Promise<never> } {
  const controller = new AbortController();
  const failed = new Promise<never>((_, reject) => {
    if (places.length > 0)
      tell(
        id,
        places.map(({ directory }) => directory),
        controller.signal,
      ).catch((error: unknown) => {
        if (!controller.signal.aborted) reject(error);
      });
  });
  return { failed, [Symbol.dispose]: () => controller.abort() };
}

async function tell(id: string, directories: readonly string[], cancelSignal: AbortSignal): Promise<void> {
  for await (const { type } of watchEvents(directories, { cancelSignal })) if (type === 'oomKill') print({ type: 'oom', id });
}

function print(event: object): void {
  process.stdout.write(`${exactJson(event)}\n`);
}

/** JSON in which integers of 64 bits have all their digits, as runtimes in Go write them. */
function exactJson(value: object): string {
  const marked = JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'number' && Number.isInteger(part) && !Number.isSafeInteger(part) ? `\u{1}${BigInt(part)}` : part,
  );
  return marked.replaceAll(/"\\u0001(-?\d+)"/g, '$1');
}
