import { readFileSync } from 'node:fs';

import { readStatistics, type Place, type Statistics } from '@ctr/cgroups';

import { OciError } from '../error.js';
import { openContainer } from './open-container.js';
import type { RootOptions } from './root-options.js';

/** What `events` prints, a line each: the form that runc has for it. */
export interface StatsEvent {
  readonly type: 'stats';
  readonly id: string;
  readonly data: object;
}

/** The largest number of bytes that version 1 knows, which means no limit; on version 2 it is the largest of 64 bits. */
const NO_LIMIT = 9_223_372_036_854_771_712;

/**
 * What a container uses. Throws an {@link OciError}: `does-not-exist`, or `not-running`.
 *
 * @example
 * ```ts no-run
 * import { stats } from '@ctr/oci';
 * console.log(JSON.stringify(stats('web')));
 * ```
 */
export function stats(id: string, options: RootOptions = {}): StatsEvent {
  const { stored, status } = openContainer(id, options);
  if (status === 'stopped' || status === 'creating') throw new OciError('not-running', `container with id ${id} is not running`);
  return { type: 'stats', id, data: dataOf(readStatistics(stored.places.map(({ directory }) => directory)), stored.places) };
}

function dataOf({ cpu, memory, pids, io = [], cpuset, hugetlb = [], pressure }: Statistics, places: readonly Place[]): object {
  const nanoseconds = (microseconds: number | undefined): number => (microseconds ?? 0) * 1000;
  const entry = (usage = 0, max = 0, limit: number | 'max' = 'max', failcnt = 0): object => ({
    limit: limit === 'max' ? NO_LIMIT : limit,
    usage,
    max,
    failcnt,
  });
  return {
    cpu: {
      usage: {
        total: nanoseconds(cpu?.usageMicroseconds),
        ...percpuOf(places),
        kernel: nanoseconds(cpu?.systemMicroseconds),
        user: nanoseconds(cpu?.userMicroseconds),
      },
      throttling: { periods: cpu?.periods ?? 0, throttledPeriods: cpu?.throttledPeriods ?? 0, throttledTime: nanoseconds(cpu?.throttledMicroseconds) },
    },
    cpuset: { cpus: cpuset?.effectiveCpus ?? [], mems: cpuset?.effectiveMemoryNodes ?? [] },
    memory: {
      cache: memory?.fileBytes ?? 0,
      usage: entry(memory?.currentBytes, memory?.peakBytes, memory?.limitBytes, memory?.events.max),
      swap: entry(memory?.swapBytes, memory?.swapPeakBytes, memory?.swapLimitBytes),
      kernel: entry(memory?.kernelBytes),
      kernelTCP: entry(memory?.sockBytes),
      raw: rawOf(places),
    },
    pids: { current: pids?.current ?? 0, ...(typeof pids?.max === 'number' && { limit: pids.max }) },
    blkio: {
      ioServiceBytesRecursive: (io ?? []).flatMap(({ device, readBytes, writeBytes }) => perDevice(device, { Read: readBytes, Write: writeBytes })),
      ioServicedRecursive: (io ?? []).flatMap(({ device, readOperations, writeOperations }) =>
        perDevice(device, { Read: readOperations, Write: writeOperations }),
      ),
    },
    hugetlb: Object.fromEntries(
      (hugetlb ?? []).map(({ pageSize, currentBytes, peakBytes, limitHits }) => [
        pageSize,
        { usage: currentBytes ?? 0, max: peakBytes ?? 0, failcnt: limitHits ?? 0 },
      ]),
    ),
    intel_rdt: {},
    network_interfaces: null,
    ...(pressure && { pressure }),
  };
}

function perDevice(device: string, values: Readonly<Record<string, number | undefined>>): object[] {
  const [major = 0, minor = 0] = device.split(':').map(Number);
  return Object.entries(values).map(([op, value]) => ({ major, minor, op, value: value ?? 0 }));
}

/** Nanoseconds on each processor, which version 1 alone has. */
function percpuOf(places: readonly Place[]): { readonly percpu?: readonly number[] } {
  const text = fileOf(places, 'cpuacct.usage_percpu');
  return text === undefined ? {} : { percpu: text.split(' ').map(Number) };
}

/** memory.stat as it is. */
function rawOf(places: readonly Place[]): Record<string, number> {
  const lines = fileOf(places, 'memory.stat')?.split('\n') ?? [];
  return Object.fromEntries(lines.map((line): [string, number] => [line.slice(0, line.indexOf(' ')), Number(line.slice(line.indexOf(' ') + 1))]));
}

/** A file of the group, in whichever hierarchy it is. */
function fileOf(places: readonly Place[], name: string): string | undefined {
  for (const { directory } of places) {
    try {
      return readFileSync(`${directory}/${name}`, 'latin1').trim();
    } catch {
      // It is of another hierarchy.
    }
  }
  return undefined;
}
