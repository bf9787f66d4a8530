// Files of a Node program that Node has made non-blocking, or must not make so: of its own standard streams, which others have open, too.
import { spawn } from 'node:child_process';

import { expect, it } from 'vitest';

import { sharedImage } from './image.js';
import { ended, NodeProgram } from './node-program.js';

const image = sharedImage();
/** What `seq 200000` writes, which is more than a pipe holds. */
const BYTES = 1_288_895;

const program = new NodeProgram(`
  import { readFileSync } from 'node:fs';
  import { run, start } from '@ctr/runtime';
  import { Fd } from '@ctr/syscall';
  const [how, rootfs] = process.argv.slice(2);
  const isNonBlocking = () => /^flags:\\s+\\d*4\\d{3}$/m.test(readFileSync('/proc/self/fdinfo/1', 'utf8'));
  const command: [string, ...string[]] = ['seq', '200000'];
  if (how === 'lines') {
    for await (const line of run(command, { rootfs })) if (line === '') break;
    process.exitCode = isNonBlocking() ? 65 : 0;
  } else {
    // To look at it is what makes it non-blocking.
    if (process.stdout.isTTY || !isNonBlocking()) throw new Error('Node does otherwise now');
    const out = how === 'run' || how === 'start' ? 'inherit' : new Fd(1);
    const stdio = ['ignore', out, 'ignore'] as const;
    if (how?.startsWith('run')) await run(command, { rootfs, stdio });
    else await (await start(command, { rootfs, stdio })).exited;
  }
`);

/** Runs it with a pipe as stdout, which is read late; the bytes that arrived. */
async function late(how: string): Promise<string> {
  const words = [process.execPath, program.path, how, image.path].map((word) => `'${word}'`).join(' ');
  const { stdout, stderr } = await ended(spawn('sh', ['-c', `${words} | { sleep 0.5; wc -c; }`], { stdio: ['ignore', 'pipe', 'pipe'] }));
  return stdout.trim() + stderr;
}

it.each(['run', 'start', 'run-fd', 'start-fd'])('a program gets all of its output into a pipe that Node has made non-blocking: %s', async (how) => {
  expect(await late(how)).toBe(String(BYTES));
});

it('to read the output of a program leaves the stdout of this process as it was', async () => {
  expect(await program.run(['lines', image.path])).toMatchObject({ code: 0, stderr: '' });
});
