import { label, Memory, type Arg, type Step } from '@ctr/syscall';

/** PID_MAX_LIMIT of linux/threads.h is 4194304. */
const DIGITS = 7;
const ZERO = 0x30;
const DOT = 0x2e;

/**
 * A name for the group of a launcher, which is compiled once and run many times: {@link putOwnPid} puts the pid of each run in place of the zeros.
 * The start time that else distinguishes owners is 0, since a plan cannot know it.
 */
export function nameForPid(name: string): string {
  return `${name}.${'0'.repeat(DIGITS)}.0`;
}

/**
 * Replaces, in paths of these steps, the name made by {@link nameForPid} by one with the pid of the process that takes them.
 * Returns the steps that have to be taken before. A plan has no division: each digit counts how often its power of ten can be taken away.
 */
export function putOwnPid(name: string, steps: readonly Step[]): Step[] {
  const paths = new Map<string, Memory>();
  const replace = (arg: Arg): Arg => {
    if (typeof arg !== 'string' || !arg.includes(name)) return arg;
    const path = paths.get(arg) ?? new Memory(Buffer.from(`${arg}\0`), arg);
    paths.set(arg, path);
    return path;
  };
  for (const step of steps as readonly { args: readonly Arg[] }[]) step.args = step.args.map(replace);
  const digits = new Memory(16, 'digits');
  const at = name.length - DIGITS - 2;
  return [
    ...decimal(digits),
    ...[...paths].map(([path, memory]): Step => ({ call: 'add', args: [digits.u64(), 0], purpose: 'the pid in a path of the group', into: memory.at(path.indexOf(name) + at) })),
  ];
}

/** The pid in decimal, and a dot behind it: 8 bytes, as many as a step stores. Storing a digit clears what is to its right, so they are made from the left. */
function decimal(digits: Memory): Step[] {
  const rest = new Memory(8, 'rest');
  const steps: Step[] = [{ call: 'getpid', args: [], purpose: 'the own pid', into: rest.at(0) }];
  for (let place = 0; place < DIGITS; place++) {
    const power = 10 ** (DIGITS - 1 - place);
    const done = label('the next digit');
    const enough: Step = { call: 'add', args: [rest.u64(), 0], purpose: `is ${power} in it?`, jump: { when: '<', than: power, to: done } };
    steps.push(
      { call: 'add', args: [ZERO, 0], purpose: 'a digit', into: digits.at(place) },
      enough,
      { call: 'add', args: [rest.u64(), -power], purpose: 'take it away', into: rest.at(0) },
      { call: 'add', args: [digits.u64(place), 1], purpose: 'and count', into: digits.at(place), jump: { when: '!=', to: enough } },
      done,
    );
  }
  return [...steps, { call: 'add', args: [DOT, 0], purpose: 'a dot', into: digits.at(DIGITS) }];
}
