import { atMost, list, text, type Schema } from '../schema/schema.js';
import { argument } from '../schema/texts.js';

/** fs/exec.c: a new program has at most three quarters of _STK_LIM, which is 8 MiB, for its arguments and its environment together. */
const MOST_BYTES = 6 * 2 ** 20;
const MOST_ENTRIES = 131_072;

/** Arguments, or an environment: as much as execve(2) could take on any machine. What it takes here is told by E2BIG. */
export const argumentList: Schema<readonly string[]> = atMost(
  MOST_ENTRIES,
  list(text('a string', argument), (value, report) => {
    const bytes = value.reduce((sum, each) => sum + Buffer.byteLength(each) + 1, 0);
    if (bytes > MOST_BYTES) report.error('', value, `at most ${MOST_BYTES} bytes, which is all that execve(2) takes: these have ${bytes}`);
  }),
);
