import { errnoName, errnos, failure, label, Memory, resultOf, struct, type Field, type FieldValue, type Step, type Struct } from '@ctr/syscall';

import type { Section } from './section.js';

/** Exit statuses as docker has them: the container could not be set up, the program not executed, not found. */
const status = { failed: 125, cannotExecute: 126, notFound: 127 } as const;

/**
 * Steps that say on stderr what failed, and with which error, and end with 125, 126 or 127; every other step is made to go there after a failure.
 *
 * @param relaying what relays do, which are processes of their own
 */
export function messages(sections: readonly Section[], execution: readonly Step[], relaying: readonly Step[] = []): Step[] {
  const code = new Memory(Buffer.from(BigUint64Array.of(BigInt(status.failed)).buffer), 'code');
  const sayError = label('say which error');
  const say: Step[] = [];
  const onFailure = (text: string, of: readonly Step[], exit: number): void => {
    const isDefault = exit === status.failed;
    const message: Step = {
      call: 'write',
      args: [2, text, Buffer.byteLength(text)],
      purpose: 'say what failed',
      tolerates: 'any',
      ...(isDefault && { jump: { when: '!=', to: sayError } }),
    };
    say.push(message);
    if (!isDefault) say.push({ call: 'add', args: [exit, 0], purpose: 'the exit code', into: code.at(0), jump: { when: '!=', to: sayError } });
    for (const step of of as readonly { onFailure?: Step }[]) step.onFailure ??= message;
  };
  // One message for sections of the same name.
  const named = new Map<string, Step[]>();
  for (const [what, steps] of sections) if (steps.length > 0) named.set(what, [...(named.get(what) ?? []), ...steps]);
  for (const [what, steps] of named) onFailure(`ctr: setting up ${what}: `, steps, status.failed);
  onFailure('ctr: a standard stream fails: ', relaying, status.failed);
  const missing = execution.slice(-1);
  onFailure(`ctr: ${missing[0]?.purpose}: `, missing, status.notFound);
  onFailure('ctr: the program cannot be executed: ', execution, status.cannotExecute);
  return [...say, sayError, ...errorName(), { call: 'exit_group', args: [code.i32()], purpose: 'end after a failure' }];
}

/** Writes the name of the failed step's errno and a line feed: from a table of those that set-ups meet, which have small numbers. */
function errorName(): Step[] {
  const known = errnos.ELOOP;
  const entry = new Memory(8, 'entry');
  const named = label('one of the table');
  const done = label('said');
  const other = 'another error\n';
  const double = (): Step => ({ call: 'add', args: [entry.u64(), entry.u64()], purpose: 'twice that: an entry has 16 bytes', into: entry.at(0) });
  const address: Step = { call: 'add', args: [entry.u64(), errorTable(known)], purpose: 'the address of the entry' };
  return [
    { call: 'add', args: [failure.i32(4), 0], purpose: 'the errno', into: entry.at(0), jump: { when: '<', than: known + 1, to: named } },
    { call: 'write', args: [2, other, other.length], purpose: 'an error without a name here', tolerates: 'any', jump: { when: '!=', to: done } },
    named,
    double(),
    double(),
    double(),
    double(),
    address,
    { call: 'writev', args: [2, resultOf(address), 1], purpose: 'its name', tolerates: 'any' },
    done,
  ];
}

/** struct iovec of each errno up to the last one. */
function errorTable(last: number): Struct {
  const numbers = Array.from({ length: last + 1 }, (_, i) => i);
  const fields = Object.fromEntries(
    numbers.flatMap((n): [string, Field][] => [
      [`base${n}`, { type: 'pointer' }],
      [`length${n}`, { type: 'u64' }],
    ]),
  );
  const texts = numbers.map((n) => (n === 0 ? '\n' : `${errnoName(n)}\n`));
  const values = Object.fromEntries(
    texts.flatMap((text, n): [string, FieldValue][] => [
      [`base${n}`, text],
      [`length${n}`, text.length],
    ]),
  );
  return struct('errno_names', fields)(values);
}
