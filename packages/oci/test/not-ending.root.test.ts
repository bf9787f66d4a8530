// A first process that was killed and does not end: the kernel waits for everybody in its pid namespace, also for those whose parent is outside and does not.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { OciError, remove, start } from '@ctr/oci';
import { call, cloneFlags, continueInChild, launch, openFd, openFlags } from '@ctr/syscall';
import { expect, it } from 'vitest';

import { created, place } from './container.js';

const at = place();

// It is waited for twice, for 10 s.
it('is an error that names the container and the process, and is removed later', { timeout: 60_000 }, async () => {
  const { id, child, root } = await created(at, ['sleep', '1000']);
  await start(id, root);
  using namespace = openFd(`/proc/${child.pid}/ns/pid`, { flags: openFlags.O_RDONLY });
  // Nobody waits for what is launched so.
  const zombie = await launch(
    [
      { call: 'setns', args: [namespace, cloneFlags.CLONE_NEWPID], purpose: 'join the namespace' },
      ...continueInChild(),
      { call: 'execve', args: ['/bin/true', ['true'], []], purpose: 'it ends at once' },
    ],
    { detached: true },
  );
  try {
    const refused = await remove(id, { ...root, force: true }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(OciError);
    expect(refused).toMatchObject({
      kind: 'busy',
      message: expect.stringContaining(`container ${id}: its first process, ${child.pid}, was killed and has not ended`) as unknown,
    });
    expect(existsSync(join(at.root, id))).toBe(true);
  } finally {
    call({ call: 'wait4', args: [zombie.pid, null, 0, null], purpose: 'the zombie of the test' });
  }
  await remove(id, { ...root, force: true });
  expect(existsSync(join(at.root, id))).toBe(false);
});
