import { readFileSync } from 'node:fs';

/** include/uapi/asm-generic/param.h: USER_HZ, in which /proc counts time on every architecture that Node runs on. */
const TICK_MICROSECONDS = 10_000;
/** linux/auxvec.h */
const AT_PAGESZ = 6;

/** What the processes of a group use, by their own account. */
export interface ProcessUsage {
  readonly cpuMicroseconds: number;
  readonly memoryBytes: number;
}

/** The pids of a group itself. None, if it is gone. */
export function pidsIn(directory: string): number[] {
  return (read(`${directory}/cgroup.procs`) ?? '').split('\n').filter(Boolean).map(Number);
}

/**
 * What processes use, from /proc/PID/stat: for a group whose controllers count neither time nor memory, as those of version 1 where nothing asked for them.
 * The time of children that have ended is that of the process which has waited for them. Memory that processes share is counted for each.
 *
 * @see proc_pid_stat(5)
 */
export function usageOfProcesses(pids: readonly number[]): ProcessUsage {
  let ticks = 0;
  let pages = 0;
  for (const pid of pids) {
    const stat = read(`/proc/${pid}/stat`);
    // Behind the name, in which there may be anything, stands (3) the state.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
    const field = (number: number): number => Number(fields?.[number - 3] ?? 0);
    ticks += field(14) + field(15) + field(16) + field(17);
    pages += field(24);
  }
  return { cpuMicroseconds: ticks * TICK_MICROSECONDS, memoryBytes: pages * pageBytes() };
}

let knownPageBytes: number | undefined;

/** @see getauxval(3) */
function pageBytes(): number {
  if (knownPageBytes === undefined) {
    const vector = readFileSync('/proc/self/auxv');
    for (let at = 0; at + 16 <= vector.length; at += 16)
      if (vector.readBigUInt64LE(at) === BigInt(AT_PAGESZ)) knownPageBytes = Number(vector.readBigUInt64LE(at + 8));
  }
  return knownPageBytes ?? 4096;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // It has ended.
    return undefined;
  }
}
