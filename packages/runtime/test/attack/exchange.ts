// A process of the host that exchanges two names as fast as it can, for races with what looks them up.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { AT_FDCWD, compile, label, Memory, prctlOptions, signals, type Step } from '@ctr/syscall';

import { temporary } from '../image.js';

/** linux/fs.h */
const RENAME_EXCHANGE = 2;
/**
 * struct timespec: some ten microseconds, which are a tenth of a millisecond with the kernel's slack. At full speed, all look-ups of the machine that are
 * kept below a root would be refused with EAGAIN as soon as there is a `..` in them.
 */
const PAUSE = new Memory(new Uint8Array(BigInt64Array.of(0n, 10_000n).buffer), 'pause');

/** Exchanges two names in a directory until it is disposed of. */
export async function exchanging(directory: string, a: string, b: string): Promise<AsyncDisposable> {
  const again = label('again');
  const pause: Step = { call: 'nanosleep', args: [PAUSE, null], purpose: 'so that others can look something up, too', jump: { when: '==', to: again } };
  const steps: Step[] = [
    { call: 'prctl', args: [prctlOptions.PR_SET_PDEATHSIG, signals.SIGKILL, 0, 0, 0], purpose: 'end with the tests' },
    { call: 'write', args: [1, '.', 1], purpose: 'it begins' },
    again,
    { call: 'renameat2', args: [AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE], purpose: 'exchange them' },
    pause,
  ];
  const path = join(temporary(), 'exchange');
  writeFileSync(path, compile(steps), { mode: 0o755 });
  const child = spawn(path, { cwd: directory, stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  return {
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'close');
      if (child.exitCode !== null) throw new Error(`there was nothing to exchange in ${directory}: ${child.exitCode}`);
      child.kill('SIGKILL');
      await ended;
    },
  };
}
