import { describe, expect, it } from 'vitest';

import { EventQueue } from '../src/event-stream.js';

interface Event {
  readonly type: string;
  readonly count: number;
}

const event = (type: string, count: number): Event => ({ type, count });

/** What is left of a stream. */
async function all<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const list: Value[] = [];
  for await (const value of values) list.push(value);
  return list;
}

describe('EventQueue', () => {
  it('gives what has come, in order, and waits for what has not', async () => {
    const queue = new EventQueue<Event>();
    queue.push('a', event('a', 1));
    queue.push('b', event('b', 1));
    expect(await queue.next()).toEqual({ value: event('a', 1), done: false });
    expect(await queue.next()).toEqual({ value: event('b', 1), done: false });
    const next = queue.next();
    queue.push('a', event('a', 2));
    expect(await next).toEqual({ value: event('a', 2), done: false });
  });

  it('holds one event of a kind for a slow reader, the last', async () => {
    const queue = new EventQueue<Event>();
    for (let count = 1; count <= 1000; count++) queue.push('a', event('a', count));
    expect((await queue.next()).value).toEqual(event('a', 1000));
  });

  it('gives what is left after the end, and then no more', async () => {
    const queue = new EventQueue<Event>();
    queue.push('a', event('a', 1));
    queue.end();
    queue.push('a', event('a', 2));
    expect(await all(queue)).toEqual([event('a', 1)]);
    expect(await queue.next()).toEqual({ value: undefined, done: true });
  });

  it('closes in reverse order, once, when the iteration is left', async () => {
    const queue = new EventQueue<Event>();
    const closed: number[] = [];
    for (const name of [1, 2, 3]) queue.onClose(() => closed.push(name));
    queue.push('a', event('a', 1));
    queue.push('b', event('b', 1));
    for await (const { type } of queue) if (type === 'a') break;
    expect(closed).toEqual([3, 2, 1]);
    await queue.return();
    queue.onClose(() => closed.push(4));
    expect(closed).toEqual([3, 2, 1, 4]);
  });

  it('ends a wait when it is disposed', async () => {
    const queue = new EventQueue<Event>();
    const next = queue.next();
    await queue[Symbol.asyncDispose]();
    expect(await next).toEqual({ value: undefined, done: true });
  });

  it('fails once, for those who wait and for those who do not', async () => {
    const waited = new EventQueue<Event>();
    const next = waited.next();
    waited.fail(new Error('no more'));
    await expect(next).rejects.toThrow('no more');
    expect((await waited.next()).done).toBe(true);
    const unread = new EventQueue<Event>();
    unread.fail(new Error('no more'));
    await expect(unread.next()).rejects.toThrow('no more');
    expect((await unread.next()).done).toBe(true);
  });

  it('is cancelled, before and meanwhile', async () => {
    expect(() => new EventQueue<Event>(AbortSignal.abort(new Error('too late')))).toThrow('too late');
    const controller = new AbortController();
    const queue = new EventQueue<Event>(controller.signal);
    let closed = 0;
    queue.onClose(() => (closed += 1));
    queue.push('a', event('a', 1));
    controller.abort(new Error('enough'));
    expect(closed).toBe(1);
    await expect(queue.next()).rejects.toThrow('enough');
    expect((await queue.next()).done).toBe(true);
  });

  it('takes only what is wanted', async () => {
    const queue = new EventQueue<Event>(undefined, ({ type }) => type === 'b');
    queue.push('a', event('a', 1));
    queue.push('b', event('b', 1));
    expect((await queue.next()).value?.type).toBe('b');
  });
});
