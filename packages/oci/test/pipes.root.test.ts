import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

import { create, exec, kill, remove, start } from '@ctr/oci';
import { expect, it } from 'vitest';

import { bundleOf, configOf, newId, place } from './container.js';

const at = place();

it('programs have pipes to this process where that is asked for, and signals have short names', async () => {
  const id = newId();
  const root = { root: at.root };
  const first = await create(bundleOf(at, configOf(at, ['sh', '-c', 'echo first; exec sleep 60'])), id, { ...root, stdio: ['ignore', 'pipe', 'ignore'] });
  await start(id, root);
  const child = await exec(id, (own) => ({ ...own, args: ['sh', '-c', 'cat; echo err >&2'], user: { uid: 1000, gid: 1000 } }), {
    ...root,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin?.end('in\n');
  expect(await Promise.all([text(child.stdout ?? Readable.from([])), text(child.stderr ?? Readable.from([])), child.exited])).toMatchObject([
    'in\n',
    'err\n',
    { code: 0 },
  ]);
  expect([first.stdin, first.stderr]).toEqual([null, null]);
  expect(() => kill(id, 'KILLL' as 'KILL', root)).toThrow('there is no signal "KILLL": give a name such as SIGTERM, or a number');
  kill(id, 'KILL', root);
  expect(await first.exited).toMatchObject({ signal: 'SIGKILL' });
  expect(await text(first.stdout ?? Readable.from([]))).toBe('first\n');
  await expect(exec(id, (own) => own, { ...root, stdio: ['pipe', 'pipe', 'pipe'] })).rejects.toThrow('cannot exec in a stopped container');
  await remove(id, root);
});
