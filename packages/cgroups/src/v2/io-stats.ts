import { number, pair, wordsOf, type Source } from '../counter.js';
import type { IoStatistics } from '../statistics.js';

/** `io.stat`: `8:0 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0`. @see Documentation/admin-guide/cgroup-v2.rst of the kernel, IO Interface Files */
export function ioStatistics({ read }: Source): IoStatistics[] {
  return [...wordsOf(read('io.stat'))]
    .filter(([device, words]) => /^\d+:\d+$/.test(device) && words.length > 0)
    .map(([device, words]) => ({
      device,
      readBytes: number(pair(words, 'rbytes')),
      writeBytes: number(pair(words, 'wbytes')),
      discardBytes: number(pair(words, 'dbytes')),
      readOperations: number(pair(words, 'rios')),
      writeOperations: number(pair(words, 'wios')),
      discardOperations: number(pair(words, 'dios')),
    }));
}
