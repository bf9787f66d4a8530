import { readFileSync } from 'node:fs';

import { parseMountinfo } from '@ctr/fs';

/** The mount that a path is on, by where it is mounted. */
export function mountPointOf(path: string): string {
  const candidates = parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8')).map(({ mountPoint }) => mountPoint);
  const around = candidates.filter((mountPoint) => mountPoint === '/' || path === mountPoint || path.startsWith(`${mountPoint}/`));
  return around.toSorted((a, b) => b.length - a.length)[0] ?? '/';
}
