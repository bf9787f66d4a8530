// Parts of pages that a tool writes.
import { writeFileSync } from 'node:fs';

/**
 * Writes a page anew; with --check it only tells, and fails, where it is not as it should be.
 *
 * @param {string} page
 * @param {string} before what stands there
 * @param {string} after what should
 * @param {string} stale what to say of it
 */
export function writeOrCheck(page, before, after, stale) {
  if (before === after) return;
  if (!process.argv.includes('--check')) return writeFileSync(page, after);
  console.error(stale);
  process.exitCode = 1;
}
