import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';

import { launch, type Child } from '@ctr/syscall';
import { afterAll, afterEach, describe, expect, it, type TestContext } from 'vitest';

import {
  createGroup,
  hierarchyOf,
  watchEvents,
  watchPressure,
  type Cgroup,
  type CgroupEvent,
  type CgroupLayout,
  type EventStream,
  type Limits,
} from '@ctr/cgroups';

import { checkLeftovers, enter, launched, layout, parent, removeParent, script, sleeper, takeMemory, until } from './launched.js';

const MiB = 2 ** 20;
const unified: CgroupLayout = { mode: 'v2', hierarchies: layout.hierarchies.filter(({ version }) => version === 2) };

afterEach(checkLeftovers);
afterAll(removeParent);

let count = 0;

async function withGroup(limits: Limits, groups: CgroupLayout, test: (group: Cgroup) => Promise<void>): Promise<void> {
  const group = await createGroup(`${parent}/events-${(count += 1)}`, limits, { layout: groups, measure: groups === unified ? ['cpu'] : ['memory'] });
  try {
    await test(group);
  } finally {
    await group.remove();
  }
}

const openFiles = (): number => readdirSync('/proc/self/fd').length;

/** What is left of a stream. */
async function all<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const list: Value[] = [];
  for await (const value of values) list.push(value);
  return list;
}

/** The next event of a type; what comes before it is passed over. */
async function next<Type extends CgroupEvent['type']>(events: EventStream<CgroupEvent>, type: Type): Promise<CgroupEvent & { readonly type: Type }> {
  for (;;) {
    const { value, done } = await events.next();
    if (done) throw new Error(`there was no ${type}`);
    if (value.type === type) return value as CgroupEvent & { readonly type: Type };
  }
}

/** A program that is in the group from its first instruction on. */
async function startedIn(group: Cgroup, text: string): Promise<Child> {
  const child = await launch(script(`kill -STOP $$; ${text}`), { stdio: ['ignore', 'ignore', 'ignore'] });
  await group.add(child.pid);
  // It may not have stopped yet: a signal that comes before is lost.
  const exited = child.exited.then(() => clearInterval(timer));
  const timer = setInterval(() => child.kill('SIGCONT'), 5);
  void exited;
  return child;
}

function needsUnified(context: TestContext): void {
  if (unified.hierarchies.length === 0) context.skip('needs a mounted cgroup v2');
}

function needsMemoryOfVersion1(context: TestContext): void {
  if (hierarchyOf(layout, 'memory')?.version !== 1) context.skip('needs the memory controller on cgroup v1');
}

describe('on version 2', () => {
  it('tells that a group is populated, frozen, thawed, empty and removed', async (context) => {
    needsUnified(context);
    await withGroup({}, unified, async (group) => {
      const events = group.events();
      const child = await sleeper([]);
      await group.add(child.pid);
      expect(await events.next()).toEqual({ value: { type: 'populated', populated: true }, done: false });
      await group.freeze();
      expect(await next(events, 'frozen')).toEqual({ type: 'frozen', frozen: true });
      await group.thaw();
      expect(await next(events, 'frozen')).toEqual({ type: 'frozen', frozen: false });
      child.kill('SIGKILL');
      await child.exited;
      expect(await next(events, 'populated')).toEqual({ type: 'populated', populated: false });
      await group.remove();
      expect(await all(events)).toEqual([{ type: 'removed' }]);
    });
  });

  it('tells only what it is asked for, and says what it cannot tell', async (context) => {
    needsUnified(context);
    await withGroup({}, unified, async (group) => {
      await using events = group.events({ types: ['frozen'] });
      const child = await sleeper([]);
      await group.add(child.pid);
      await group.freeze();
      expect(await events.next()).toEqual({ value: { type: 'frozen', frozen: true }, done: false });
      expect(() => group.events({ types: ['memoryUsage'] })).toThrow(/memoryUsage is not told of the group in/);
    });
  });

  it('tells of pressure, with what the kernel says, and stops when the group goes', async (context) => {
    needsUnified(context);
    if (!existsSync(`${unified.hierarchies[0]?.mount}/cpu.pressure`)) context.skip('needs pressure stall information (CONFIG_PSI, psi=1)');
    await withGroup({}, unified, async (group) => {
      const trigger = { resource: 'cpu', kind: 'some', stallMicroseconds: 1000 } as const;
      await using events = group.events({ pressure: [trigger] });
      const [directory] = group.directories;
      const alone = watchPressure([trigger], directory === undefined ? {} : { directory });
      // One more than there are processors: one of them waits.
      const children = await Promise.all(Array.from({ length: availableParallelism() + 1 }, () => startedIn(group, 'while :; do :; done')));
      const event = await next(events, 'pressure');
      expect(event).toMatchObject({ type: 'pressure', trigger, count: 1 });
      expect(event.pressure?.some?.totalMicroseconds).toBeGreaterThanOrEqual(1000);
      expect((await alone.next()).value?.trigger).toBe(trigger);
      await group.remove();
      expect((await all(alone)).length).toBeLessThanOrEqual(1);
      await Promise.all(children.map((child) => child.exited));
    });
  });
});

describe('on version 1', () => {
  it('tells of an OOM and of the kill, and ends with the group', async (context) => {
    needsMemoryOfVersion1(context);
    await withGroup({ memoryBytes: 16 * MiB }, layout, async (group) => {
      const events = group.events();
      const memory = group.directories.find((directory) => existsSync(`${directory}/memory.limit_in_bytes`)) ?? '';
      const { exit } = await launched([...enter(memory), ...takeMemory(64 * MiB)]);
      expect(await next(events, 'oom')).toMatchObject({ type: 'oom' });
      expect((await next(events, 'oomKill')).count).toBeGreaterThanOrEqual(1);
      expect(exit).toMatchObject({ signal: 'SIGKILL' });
      expect(group.stats().oomKills).toBeGreaterThanOrEqual(1);
      await group.remove();
      expect((await all(events)).at(-1)).toEqual({ type: 'removed' });
    });
  });

  it('tells when a threshold of memory is crossed', async (context) => {
    needsMemoryOfVersion1(context);
    await withGroup({ memoryBytes: 32 * MiB }, layout, async (group) => {
      await using events = group.events({ memoryUsageBytes: [8 * MiB], memoryPressureLevels: ['low'], types: ['memoryUsage'] });
      await startedIn(group, 'exec /bin/busybox sort /dev/zero');
      const event = await next(events, 'memoryUsage');
      expect(event.thresholdBytes).toBe(8 * MiB);
      expect(event.currentBytes).toBeGreaterThan(0);
    });
  });

  it('says that version 1 does not tell when a group is populated', async (context) => {
    needsMemoryOfVersion1(context);
    await withGroup({ memoryBytes: 32 * MiB }, layout, async (group) => {
      const before = openFiles();
      expect(() => group.events({ types: ['populated'] })).toThrow(/populated is not told of the group in/);
      expect(openFiles()).toBeLessThanOrEqual(before + 1);
      await Promise.resolve();
    });
  });
});

describe('watchEvents', () => {
  it('leaves nothing open when it is left early, cancelled or refused', async () => {
    for (const groups of layout.mode === 'hybrid' ? [layout, unified] : [layout]) {
      await withGroup({}, groups, async (group) => {
        await group.events().return();
        const before = openFiles();
        for (let i = 0; i < 50; i++) {
          const controller = new AbortController();
          const events = group.events({ cancelSignal: controller.signal });
          if (i % 2 === 0) await events.return();
          else {
            const waiting = events.next();
            controller.abort(new Error('enough'));
            await expect(waiting).rejects.toThrow('enough');
          }
          expect(() => group.events({ memoryPressureLevels: ['none'] } as object)).toThrow(TypeError);
          expect(() => group.events({ memoryUsageBytes: [-1] })).toThrow(RangeError);
        }
        // What waited for a file has been told.
        await until('all is closed', () => openFiles() <= before);
      });
    }
  });

  it('says that a group is gone', async () => {
    await withGroup({}, layout, async (group) => {
      await group.remove();
      expect(() => group.events()).toThrow(expect.objectContaining({ name: 'CgroupError', kind: 'gone' }));
      expect(() => watchEvents([])).toThrow(expect.objectContaining({ kind: 'gone' }));
    });
  });

  it('ends when someone else removes the group', async () => {
    await withGroup({}, layout, async (group) => {
      const events = group.events();
      for (const directory of group.directories) rmdirSync(directory);
      expect(await all(events)).toEqual([{ type: 'removed' }]);
    });
  });
});

describe('watchPressure', () => {
  it('refuses triggers that cannot be, before anything is opened', () => {
    const cpu = { resource: 'cpu', kind: 'some', stallMicroseconds: 1000 } as const;
    expect(() => watchPressure([{ ...cpu, stallMicroseconds: 0 }])).toThrow('stallMicroseconds is 0: 1 to the 2000000 microseconds of its window');
    expect(() => watchPressure([{ ...cpu, windowMicroseconds: 1000 }])).toThrow(RangeError);
    expect(() => watchPressure([{ ...cpu, resource: 'disk' } as never])).toThrow('there is no pressure on "disk"');
    expect(() => watchPressure([{ ...cpu, kind: 'all' } as never])).toThrow(TypeError);
    expect(() => watchPressure([{ ...cpu, window: 1 } as never])).toThrow(TypeError);
    expect(() => watchPressure([cpu], { directory: '/sys/fs/cgroup/nothing' })).toThrow(expect.objectContaining({ kind: 'gone' }));
  });

  it('watches the whole system', async (context) => {
    if (!existsSync('/proc/pressure/cpu')) context.skip('needs pressure stall information (CONFIG_PSI, psi=1)');
    const before = openFiles();
    const controller = new AbortController();
    const events = watchPressure([{ resource: 'cpu', kind: 'some', stallMicroseconds: 1000 }], { cancelSignal: controller.signal });
    const children = await Promise.all(
      Array.from({ length: availableParallelism() + 1 }, () => launch(script('while :; do :; done'), { stdio: ['ignore', 'ignore', 'ignore'] })),
    );
    try {
      expect((await events.next()).value).toMatchObject({ type: 'pressure', count: 1 });
    } finally {
      for (const child of children) child.kill('SIGKILL');
      await Promise.all(children.map((child) => child.exited));
    }
    const waiting = events.return();
    controller.abort();
    expect((await waiting).done).toBe(true);
    await until('all is closed', () => openFiles() <= before);
  });
});
