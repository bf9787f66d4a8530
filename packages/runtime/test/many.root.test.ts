// Many containers, one after the other and at the same time: nothing of any is left.
import { setMaxListeners } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { run, start, type Container } from '@ctr/runtime';

import { isWholeRun, note } from '../../../tools/fault-record.mjs';
import type { Churn } from './churn-program.js';
import { sharedImage } from './image.js';
import { defaultGroups, groupsOf, leftovers, sameAs, watchForLeaks } from './leaks.js';
import { NodeProgram } from './node-program.js';

watchForLeaks();
const image = sharedImage();
const churn = new NodeProgram(new URL('./churn-program.ts', import.meta.url));

/** What these tests may take on a busy machine. */
const timeout = 120_000;

describe('1,000 runs', () => {
  it('one after the other and some at a time leave no file, mount, group or process, and no memory', { timeout }, async () => {
    const each = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const result = await run(['echo', String(i)], { rootfs: image.path });
        if (result.stdout !== `${i}\n`) throw new Error(`run ${i} wrote ${JSON.stringify(result.stdout)}`);
      }
    };
    await each(20);
    const before = leftovers();
    const memory = process.memoryUsage.rss();
    await Promise.all(Array.from({ length: 4 }, () => each(245)));
    await sameAs(before);
    expect(process.memoryUsage.rss() - memory).toBeLessThan(100 * 2 ** 20);
  });
});

describe('200 containers', () => {
  it('are alive at once, each on its own', { timeout }, async () => {
    const containers: Container[] = [];
    try {
      const files = readdirSync('/proc/self/fd').length;
      for (let i = 0; i < 200; i += 20) {
        const some = Array.from({ length: 20 }, (_, k) => start(['sleep', '1000'], { rootfs: image.path, stdio: 'ignore', hostname: `box-${i + k}` }));
        containers.push(...(await Promise.all(some)));
      }
      for (const { pid } of containers) expect(readFileSync(`/proc/${pid}/cmdline`, 'latin1')).toBe('sleep\x001000\x00');
      expect(new Set(containers.map(({ pid }) => pid)).size).toBe(200);
      expect(groupsOf(process.pid).length).toBe(200 * defaultGroups);
      // What a living container costs this process in files.
      expect((readdirSync('/proc/self/fd').length - files) / 200).toBeLessThanOrEqual(1.1);
    } finally {
      for (const container of containers) container.kill('SIGKILL');
      const endings = await Promise.all(containers.map(({ exited }) => exited));
      expect(endings.filter(({ signal }) => signal !== 'SIGKILL')).toEqual([]);
    }
  });
});

describe('100 runs', () => {
  it('are started in parallel from one process, and each gets its own output', { timeout }, async () => {
    const results = await Promise.all(Array.from({ length: 100 }, (_, i) => run(['sh', '-c', 'cat; echo $$'], { rootfs: image.path, input: `${i} ` })));
    expect(results.map(({ stdout }) => stdout)).toEqual(Array.from({ length: 100 }, (_, i) => `${i} 1\n`));
  });

  it('that fail, are cancelled or run out of time at once end as they should', { timeout }, async () => {
    const controller = new AbortController();
    setMaxListeners(0, controller.signal);
    const kinds = [
      () => run(['true'], { rootfs: image.path }).then(({ exitCode }) => `exit ${exitCode}`),
      () => run(['missing'], { rootfs: image.path }).then(String, ({ code }: { code: string }) => code),
      () => run(['sleep', '1000'], { rootfs: image.path, timeoutMs: 300 }).then(String, ({ timedOut }: { timedOut: boolean }) => `timed out: ${timedOut}`),
      () =>
        run(['sleep', '1000'], { rootfs: image.path, cancelSignal: controller.signal }).then(
          String,
          ({ isCanceled }: { isCanceled: boolean }) => `cancelled: ${isCanceled}`,
        ),
      () =>
        run(['sh', '-c', 'kill -9 $(pgrep sleep); exit 3'], { rootfs: image.path }).then(String, ({ exitCode }: { exitCode: number }) => `exit ${exitCode}`),
    ];
    const expected = ['exit 0', 'ENOENT', 'timed out: true', 'cancelled: true', 'exit 3'];
    const running = Array.from({ length: 20 }, () => kinds.map((kind) => kind())).flat();
    setTimeout(() => controller.abort(), 200);
    expect(await Promise.all(running)).toEqual(Array.from({ length: 20 }, () => expected).flat());
  });
});

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

const launches = isWholeRun ? 20_000 : 500;

describe(`${launches} launches in one process, of which a third fail in any way`, () => {
  it('leave nothing, and take no memory', { timeout: isWholeRun ? 600_000 : timeout }, async () => {
    const seed = Date.now() >>> 0;
    const { stdout, stderr, code } = await churn.run([JSON.stringify([launches, seed, image.path])]);
    expect([stderr, code]).toEqual(['', 0]);
    const found = JSON.parse(stdout) as Churn;
    const { residentBytesPerLaunch: resident, heapBytesPerLaunch: heap } = found;
    const failed = Object.values(found.failed).reduce((sum, number) => sum + number, 0);
    note(
      `${found.launches} launches in one process, ${failed} of which failed`,
      `${found.leftBehind ?? 'nothing left behind'}; ${megabytes(found.residentBytes[0])} to ${megabytes(found.residentBytes[1])} MB resident after the first quarter, which change by ${resident.toFixed(0)} bytes a launch, the heap by ${heap.toFixed(0)}`,
    );
    expect({ seed, wrong: found.wrong, leftBehind: found.leftBehind }).toEqual({ seed, wrong: [], leftBehind: undefined });
    expect(failed).toBeGreaterThan(launches / 4);
    // Over few launches it says more of when the allocator gives pages back.
    expect(heap).toBeLessThan(isWholeRun ? 20 : 2000);
    expect(resident).toBeLessThan(isWholeRun ? 1000 : 100_000);
  });
});
