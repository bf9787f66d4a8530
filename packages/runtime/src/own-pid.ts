import { AT_FDCWD, Memory, type Arg, type Step } from '@ctr/syscall';

/** PID_MAX_LIMIT of linux/threads.h, 4194304, has 7 digits. */
const ROOM = 16;

/**
 * A name for the group of a launcher, which is compiled once and run many times: {@link putOwnPid} puts the pid of each run behind it.
 * That is what `collectGarbage` of @ctr/cgroups knows such a group by.
 */
export function nameForPid(name: string): string {
  return `${name}.compiled.0`;
}

/**
 * Replaces the name made by {@link nameForPid}, at the end of paths of these steps, by one with the pid of the process that takes them.
 * Returns the steps that have to be taken before: /proc/self is a link to the pid in decimal, and reading it puts the digits in place.
 */
export function putOwnPid(name: string, steps: readonly Step[]): Step[] {
  const paths = new Map<string, Memory>();
  const replace = (arg: Arg): Arg => {
    if (typeof arg !== 'string' || !arg.endsWith(`/${name}`)) return arg;
    let memory = paths.get(arg);
    if (!memory) {
      memory = new Memory(Buffer.concat([Buffer.from(arg.slice(0, -1)), Buffer.alloc(ROOM)]), arg);
      paths.set(arg, memory);
    }
    return memory;
  };
  for (const step of steps as readonly { args: readonly Arg[] }[]) step.args = step.args.map(replace);
  return [...paths].map(([path, memory]): Step => ({
    call: 'readlinkat',
    args: [AT_FDCWD, '/proc/self', memory.at(Buffer.byteLength(path) - 1), ROOM - 1],
    purpose: 'the own pid, in the name of the group',
  }));
}
