import { readSync } from 'node:fs';

import { failure, isSyscallError, label, launch, Memory, openPipe, resultOf, type Plan, type Step } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

/** Opens a file, jumps over a failure if that went well, and writes a text of its own: results, zeroed memory, strings and jumps. */
function part(text: string): Step[] {
  const note = new Memory(16, 'note');
  const opened = label('it is open');
  const open: Step = { call: 'openat', args: [-100, '/dev/null', 0o2000001, 0], purpose: 'a file', jump: { when: '<', than: 0, to: opened } };
  const write: Step = { call: 'write', args: [resultOf(open), text, text.length], purpose: 'write to it', into: note.at(8) };
  const wrong: Step = { call: 'exit_group', args: [99], purpose: 'not all of it was written' };
  const right = label('all of it was written');
  return [
    open,
    opened,
    write,
    { call: 'add', args: [note.u64(8), 0], purpose: 'how much?', jump: { when: '==', than: text.length, to: right } },
    wrong,
    right,
    { call: 'write', args: [1, text, text.length], purpose: 'tell' },
  ];
}

async function output(parts: readonly Plan[]): Promise<{ code: number | undefined; text: string }> {
  const pipe = openPipe('output');
  const child = await launch(parts, { stdio: ['ignore', pipe.write, 'ignore'] });
  pipe.write.close();
  const { code } = await child.exited;
  const bytes = Buffer.alloc(256);
  const text = bytes.toString('latin1', 0, readSync(pipe.read.number, bytes));
  pipe.read.close();
  return { code, text };
}

describe('a plan in parts', () => {
  it('runs one part after the other, each with its own results, memory and jumps', async () => {
    expect(await output([part('one '), part('two '), part('three')])).toEqual({ code: 0, text: 'one two three' });
  });

  it('may have a part without steps, and one that is launched again', async () => {
    const frozen = Object.freeze(part('again '));
    for (const last of ['x', 'longer than before']) expect(await output([[], frozen, part(last)])).toEqual({ code: 0, text: `again ${last}` });
    expect(await output([part('before '), frozen])).toEqual({ code: 0, text: 'before again ' });
  });

  it('gives a frozen part with a file of the host the number of each launch', async () => {
    const [a, b] = [openPipe('a'), openPipe('b')];
    const tell = (file: typeof a.write): Plan => Object.freeze<Step[]>([{ call: 'write', args: [file, 'told', 4], purpose: 'tell' }]);
    const [first, second] = [tell(a.write), tell(b.write)];
    expect((await output([first, second])).code).toBe(0);
    expect((await output([second, first])).code).toBe(0);
    for (const { read, write } of [a, b]) {
      write.close();
      const bytes = Buffer.alloc(16);
      expect(bytes.toString('latin1', 0, readSync(read.number, bytes))).toBe('toldtold');
      read.close();
    }
  });

  it('names the step that failed by its place in the whole', async () => {
    const frozen = Object.freeze(part('fine'));
    const bad: Step = { call: 'chdir', args: ['/nowhere'], purpose: 'go nowhere' };
    const error: unknown = await launch([frozen, [bad]], { stdio: ['ignore', 'ignore', 'ignore'] }).catch((reason: unknown) => reason);
    if (!isSyscallError(error)) throw error;
    expect(error.code).toBe('ENOENT');
    expect(error.step).toBe(frozen.length);
    expect(error.plan).toContain(`→ ${frozen.length + 1}  chdir("/nowhere")`);
  });

  it('goes on after a failure in the part that the step says', async () => {
    const rescue: Step = { call: 'exit_group', args: [failure.i32(4)], purpose: 'the errno is the exit code' };
    const bad: Step = { call: 'chdir', args: ['/nowhere'], purpose: 'go nowhere', onFailure: rescue };
    expect((await output([part('fine'), [bad, rescue]])).code).toBe(2);
  });

  it('refuses a reference from one part to another', async () => {
    const open: Step = { call: 'openat', args: [-100, '/dev/null', 0o2000000, 0], purpose: 'a file' };
    await expect(launch([[open], [{ call: 'close', args: [resultOf(open)], purpose: 'close it' }]])).rejects.toThrow(
      'refers to a step that is not in the plan',
    );
  });
});
