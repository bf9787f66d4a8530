// A container that shares the pids of the host: the end of its first process does not end the others, but the keeper kills its group.
import { once } from 'node:events';

import { hierarchyOf, readLayout } from '@ctr/cgroups';
import { call, Fd, readable } from '@ctr/syscall';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { sharedImage } from '../image.js';
import { NodeProgram } from '../node-program.js';

const image = sharedImage();
const layout = readLayout();
const ENDS_WITHIN_MS = 10_000;

const host = new NodeProgram(`
  import { run } from '@ctr/runtime';
  const [rootfs = '', cgroup] = process.argv.slice(2);
  const running = run(['sh', '-c', 'sleep 1000 & echo $! $$; wait'], { rootfs, cgroup: cgroup === 'cgroup', namespaces: { pid: 'host' } });
  for await (const line of running) console.log(line);
`);

beforeEach((context) => {
  if (layout.mode !== 'v2' || hierarchyOf(layout, 'pids') === undefined) context.skip('needs cgroup v2 alone, with the pids controller');
});

/** How the container ends: with its host, or its first process alone, while the host can do nothing. */
type Ending = 'host' | 'first process';

/** The process that the program of a container has left in the background, once the container has ended. */
async function left(cgroup: 'cgroup' | 'none', ending: Ending): Promise<{ readonly pidfd: Fd; readonly hasEnded: Promise<boolean> }> {
  const owner = host.start([image.path, cgroup]);
  onTestFinished(() => void owner.kill('SIGKILL'));
  const [text] = (await once(owner.stdout!, 'data')) as [Buffer];
  const [background, first] = String(text).split(' ').map(Number) as [number, number];
  const pidfd = new Fd(call({ call: 'pidfd_open', args: [background, 0], purpose: 'a process of the container' }), 'background');
  if (ending === 'host') {
    owner.kill('SIGKILL');
    await once(owner, 'exit');
  } else {
    owner.kill('SIGSTOP');
    process.kill(first, 'SIGKILL');
  }
  const hasEnded = readable(pidfd, { cancelSignal: AbortSignal.timeout(cgroup === 'cgroup' ? ENDS_WITHIN_MS : 1000) }).then(
    () => true,
    () => false,
  );
  return { pidfd, hasEnded };
}

describe.each<Ending>(['host', 'first process'])('with the %s', (ending) => {
  it('ends what its program has left in the background', async () => {
    const { pidfd, hasEnded } = await left('cgroup', ending);
    using _pidfd = pidfd;
    expect(await hasEnded).toBe(true);
  });

  it('which would live on without a group', async () => {
    const { pidfd, hasEnded } = await left('none', ending);
    using file = pidfd;
    expect(await hasEnded).toBe(false);
    call({ call: 'pidfd_send_signal', args: [file, 9, null, 0], purpose: 'end what was left' });
    await readable(file);
  });
});
