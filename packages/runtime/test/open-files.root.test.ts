// How many open files a set-up needs: they count for the limit that ctr is started with.
import { describe, expect, it } from 'vitest';

import { plan, type ContainerOptions } from '@ctr/runtime';
import { launch, rlimitResources, struct, type Fd, type Step } from '@ctr/syscall';

import { sharedImage } from './image.js';
import { watchForLeaks } from './leaks.js';

watchForLeaks();
const image = sharedImage();
const rlimit = struct('rlimit64', { rlim_cur: { type: 'u64' }, rlim_max: { type: 'u64' } });

/** Whether a container can be set up by a process that may have so many files open. */
async function canDoWith(limit: number, options: ContainerOptions): Promise<boolean> {
  const first: Step = { call: 'prlimit64', args: [0, rlimitResources.RLIMIT_NOFILE, rlimit({ rlim_cur: limit, rlim_max: limit }), null], purpose: 'a limit' };
  const files: Fd[] = [];
  try {
    const child = await launch([first, ...plan(['true'], { ...options, cgroup: false })], {
      stdio: ['ignore', 'ignore', 'ignore'],
      onFile: (file) => files.push(file),
    });
    return (await child.exited).code === 0;
  } catch (error) {
    if ((error as { code?: string }).code === 'EMFILE') return false;
    throw error;
  } finally {
    for (const file of files) file.close();
  }
}

/** The least limit that it works with. */
async function needed(options: ContainerOptions): Promise<number> {
  let [low, high] = [4, 1024];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (await canDoWith(middle, options)) high = middle;
    else low = middle;
  }
  return high;
}

describe('a set-up has few files open at a time', () => {
  const many = Array.from({ length: 40 }, (_, i) => i);
  it.each<[string, () => ContainerOptions]>([
    ['by default', () => ({})],
    ['in a user namespace', () => ({ namespaces: { user: 'new' }, ids: 'own' })],
    ['with a root', () => ({ rootfs: image.path })],
    ['with an init, a terminal and another user', () => ({ init: true, terminal: { columns: 80, rows: 24 }, user: { uid: 1000, gid: 1000 } })],
    ['with many mounts', () => ({ mounts: many.flatMap((i) => [{ tmpfs: `/tmp/${i}` }, { bind: '/usr', to: `/tmp/usr/${i}` }]) })],
    ['with much that is hidden', () => ({ maskedPaths: many.map((i) => `/sys/class/tty/tty${i}`), readonlyPaths: many.map((i) => `/sys/class/tty/tty${i}`) })],
    ['with devices of the host', () => ({ devices: many.map((i) => ({ device: '/dev/zero', to: `/dev/z${i}` })) })],
  ])('%s', async (_, options) => {
    expect(await needed(options())).toBeLessThanOrEqual(30);
  });
});
