// A Node program whose stdout is a pipe has made it non-blocking: the program of a container must not lose output by that.
import { createReadStream } from 'node:fs';
import { text } from 'node:stream/consumers';

import { call, fcntlCommands, openFlags, openPipe } from '@ctr/syscall';
import { create, exec, remove, start } from '@ctr/oci';
import { expect, it } from 'vitest';

import { bundleOf, configOf, newId, place } from './container.js';

const at = place();
const many = ['seq', '100000'];

it.each(['create', 'exec'] as const)('all that a program writes arrives in a pipe that was made non-blocking: %s', async (how) => {
  const { read, write } = openPipe('stdout');
  call({ call: 'fcntl', args: [write, fcntlCommands.F_SETFL, openFlags.O_WRONLY | openFlags.O_NONBLOCK], purpose: 'as Node does' });
  const id = newId();
  const [none, root] = [['ignore', 'ignore', 'ignore'], { root: at.root }] as const;
  const created = await create(bundleOf(at, configOf(at, how === 'create' ? many : ['sleep', '60'])), id, {
    ...root,
    stdio: how === 'create' ? ['ignore', write, 'ignore'] : none,
  });
  await start(id, root);
  const child = how === 'create' ? created : await exec(id, (own) => ({ ...own, args: many }), { ...root, stdio: ['ignore', write, 'ignore'] });
  expect(call({ call: 'fcntl', args: [write, fcntlCommands.F_GETFL, 0], purpose: 'it blocks' })).toBe(openFlags.O_WRONLY);
  write.close();
  expect(await text(createReadStream('', { fd: read.release() }))).toHaveLength(588_895);
  expect((await child.exited).code).toBe(0);
  await remove(id, { ...root, force: true });
});
