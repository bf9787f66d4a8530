// A container that looks into whatever comes into it before that is the program.
import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { exec, start } from '@ctr/oci';
import { expect, it } from 'vitest';

import { record, rounds } from '../../../tools/race-record.mjs';
import { created, place } from './container.js';

const at = place();
const EXECUTIONS = rounds(200);
const source = join(import.meta.dirname, '../../../test/support/watcher.c');
const noWatcher =
  spawnSync('gcc', ['-static', '-x', 'c', '-o', '/dev/null', '-'], { input: 'int main(void) { return 0; }' }).status === 0
    ? undefined
    : 'gcc makes no static programs here';

it('a further process cannot be looked into before it is the program', { timeout: EXECUTIONS * 600 }, async (context) => {
  if (noWatcher !== undefined) context.skip(noWatcher);
  execFileSync('gcc', ['-O1', '-static', '-o', join(at.rootfs, 'bin/watcher'), source]);
  // The watcher ends as soon as there is a /stop.
  const { id, child, output, root } = await created(at, ['watcher'], { root: { path: at.rootfs, readonly: false } });
  await start(id, root);
  while (output.text === '') await delay(2);
  for (let i = 0; i < EXECUTIONS; i++) {
    const further = await exec(id, (own) => ({ ...own, args: ['true'] }), { ...root, stdio: ['ignore', 'ignore', 'ignore'] });
    expect(await further.exited).toMatchObject({ code: 0 });
  }
  writeFileSync(join(at.rootfs, 'stop'), '');
  await child.exited;
  rmSync(join(at.rootfs, 'stop'));
  const looked = Number(/^looked (\d+)$/m.exec(output.text)?.[1]);
  expect(looked).toBeGreaterThan(EXECUTIONS / 10);
  expect(output.text).toBe(`ready\nlooked ${looked}\nopened 0\n`);
  record({ race: 'a process executed in an OCI container: cannot be looked into before it is the program', rounds: EXECUTIONS, met: looked, gotThrough: 0 });
});
