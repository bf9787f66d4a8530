import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

import { isSyscallError, openFd, openFlags, watchUrgent } from '@ctr/syscall';
import { describe, expect, it, onTestFinished } from 'vitest';

const openFiles = (): number => readdirSync('/proc/self/fd').length;

describe('watchUrgent', () => {
  it('tells of a mount in another mount namespace, and nothing after it is closed', async () => {
    const child = spawn(
      'unshare',
      ['--mount', 'sh', '-c', 'echo ready; read x; mount -t tmpfs none /tmp; echo done; read x; mount -t tmpfs none /tmp; echo done'],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    onTestFinished(() => void child.kill('SIGKILL'));
    const said = async (): Promise<unknown> => once(child.stdout, 'data');
    await said();
    const before = openFiles();
    using mounts = openFd(`/proc/${child.pid}/mountinfo`, { flags: openFlags.O_RDONLY });
    let told = 0;
    let tell = (): void => undefined;
    const news = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const watch = watchUrgent(mounts, () => {
      told++;
      tell();
    });
    for (let turns = 0; turns < 2; turns++) await setImmediate();
    expect(told).toBe(0);
    child.stdin.write('\n');
    await news;
    watch.close();
    watch.close();
    const until = told;
    child.stdin.write('\n');
    await once(child, 'exit');
    expect(told).toBe(until);
    mounts.close();
    expect(openFiles()).toBeLessThanOrEqual(before);
  });

  it('refuses a file that cannot be polled, and leaves nothing open', () => {
    using file = openFd(import.meta.filename, { flags: openFlags.O_RDONLY });
    const before = openFiles();
    let error: unknown;
    try {
      watchUrgent(file, () => undefined);
    } catch (caught) {
      error = caught;
    }
    expect(isSyscallError(error) && error.code).toBe('EPERM');
    expect(openFiles()).toBe(before);
  });
});
