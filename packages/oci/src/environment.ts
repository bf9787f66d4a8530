import { homeOf } from '@ctr/runtime/assembly';

import type { Process } from './config/process.js';

/**
 * The environment of a program: that of the configuration, and the user's home, which programs rely on, if it has none.
 * Of a name that stands twice the last value counts: engines add theirs to those of an image, and getenv(3) would find the first.
 *
 * @param more what the runtime itself tells the program
 */
export function environmentOf({ env = [], user }: Process, rootfs: string, more: readonly string[] = []): string[] {
  const byName = new Map<string, string>();
  for (const entry of [...env, ...more]) byName.set(entry.split('=', 1)[0] ?? '', entry);
  // Engines leave it empty where the image knows.
  if ((byName.get('HOME') ?? 'HOME=') === 'HOME=') byName.set('HOME', `HOME=${homeIn(rootfs, user?.uid ?? 0)}`);
  return [...byName.values()];
}

function homeIn(rootfs: string, uid: number): string {
  try {
    return homeOf(uid, rootfs) || '/';
  } catch {
    // An image may have anything in the place of its /etc/passwd: that is no reason not to run.
    return '/';
  }
}
