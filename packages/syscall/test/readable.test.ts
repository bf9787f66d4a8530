import { closeSync, openSync, readSync, writeSync } from 'node:fs';

import { Fd, openPipe, readable } from '@ctr/syscall';
import { describe, expect, it, onTestFinished } from 'vitest';

/** A pipe that is closed when the test is over. */
function pipe(): ReturnType<typeof openPipe> {
  const ends = openPipe('a test');
  onTestFinished(() => {
    ends.read.close();
    ends.write.close();
  });
  return ends;
}

/** Waits for a file, and makes it ready in a later turn of the event loop; what happened, in order. */
async function order(file: Fd, action: () => void): Promise<string[]> {
  const events: string[] = [];
  setTimeout(() => {
    events.push('made ready');
    action();
  });
  await readable(file);
  events.push('told');
  return events;
}

describe('readable', () => {
  it('waits until there is something to read, and again', async () => {
    const { read, write } = pipe();
    expect(await order(read, () => writeSync(write.number, 'x'))).toEqual(['made ready', 'told']);
    await readable(read); // it has not been read
    readSync(read.number, Buffer.alloc(8));
    expect(await order(read, () => writeSync(write.number, 'x'))).toEqual(['made ready', 'told']);
  });

  it('ends when nobody is left who could write', async () => {
    const { read, write } = pipe();
    expect(await order(read, () => write.close())).toEqual(['made ready', 'told']);
  });

  it('is cancelled, before and meanwhile, and can be waited for again', async () => {
    const { read, write } = pipe();
    await expect(readable(read, { cancelSignal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow('too late');
    const controller = new AbortController();
    const wait = readable(read, { cancelSignal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(wait).rejects.toThrow('enough');
    writeSync(write.number, 'x');
    await readable(read);
  });

  it('refuses a second wait for a file, and a file that is always ready', async () => {
    const { read, write } = pipe();
    const wait = readable(read);
    await expect(readable(read)).rejects.toThrow(TypeError);
    writeSync(write.number, 'x');
    await wait;
    const regular = openSync(import.meta.filename, 'r');
    onTestFinished(() => closeSync(regular));
    await expect(readable(new Fd(regular))).rejects.toThrow(/epoll_ctl.*EPERM/);
  });
});
