// What a program inherits of whoever started ctr: neither the processors that the caller is restricted to, nor the signals that it ignores or blocks.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';

import { standalone } from '@ctr/runtime';
import { describe, expect, it } from 'vitest';

import { temporary } from './image.js';
import { watchForLeaks } from './leaks.js';
import { NodeProgram } from './node-program.js';

watchForLeaks();

const started = promisify(execFile);
const show = ['sh', '-c', 'grep -E "^(Sig(Blk|Ign)|Cpus_allowed_list)" /proc/self/status'] as const;
const program = new NodeProgram(`
  import { run } from '@ctr/runtime';
  process.stdout.write((await run(${JSON.stringify(show)})).stdout);
`);

/** A caller that may run on the first processor alone, and ignores signals; it becomes what follows. */
const restricted = ['-c', '0', 'sh', '-c', `trap '' CHLD HUP TSTP USR1; exec "$@"`, 'sh'];

async function shown(command: readonly string[]): Promise<string[]> {
  return (await started('taskset', [...restricted, ...command])).stdout.trim().split(/[\t\n]+/);
}

/** All processors of the cpuset, whatever these tests are restricted to. */
const all = async (): Promise<string> => {
  const { stdout } = await started('taskset', ['-c', '0-8191', 'grep', 'Cpus_allowed_list', '/proc/self/status']);
  return stdout.trim().split('\t')[1] ?? '';
};

const none = '0000000000000000';

function compiled(command: readonly [string, ...string[]]): string {
  const path = join(temporary(), 'container');
  writeFileSync(path, standalone(command), { mode: 0o755 });
  return path;
}

describe('a program', () => {
  it('of run is restricted by its cpuset alone, and ignores no signal', async () => {
    expect(await shown([process.execPath, program.path])).toEqual(['SigBlk:', none, 'SigIgn:', none, 'Cpus_allowed_list:', await all()]);
  });

  it('of a compiled container, likewise', async () => {
    expect(await shown([compiled(show)])).toEqual(['SigBlk:', none, 'SigIgn:', none, 'Cpus_allowed_list:', await all()]);
  });
});

describe('a compiled container', () => {
  it.each(['SIGTSTP', 'SIGTTIN', 'SIGTTOU'] as const)('is stopped by %s as any job of a shell, and its program goes on', async (signal) => {
    // A job, whatever these tests are run by: in a process group that nobody of its session looks after, the kernel stops nothing.
    const job = ['-c', 'set -m; "$0" <&0 & echo $! >&2; wait -f $!', compiled(['sh', '-c', 'echo ready; read line; echo "$line"; read line'])];
    const child = spawn('setsid', ['bash', ...job], { stdio: 'pipe' });
    const [[told]] = (await Promise.all([once(child.stderr, 'data'), once(child.stdout, 'data')])) as [[Buffer], unknown];
    const pid = Number(String(told));
    process.kill(pid, signal);
    const state = (): string => readFileSync(`/proc/${pid}/stat`, 'latin1').split(' ')[2] ?? '';
    while (state() !== 'T') await setImmediate();
    child.stdin.write('still there\n');
    expect(String((await once(child.stdout, 'data'))[0])).toBe('still there\n');
    process.kill(pid, 'SIGCONT');
    child.stdin.end('end\n');
    expect((await once(child, 'close'))[0]).toBe(0);
  });
});
