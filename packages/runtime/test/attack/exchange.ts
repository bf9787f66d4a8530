// A process of the host that exchanges two names as fast as it can, for races with what looks them up.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { AT_FDCWD, compile, label, prctlOptions, signals, type Step } from '@ctr/syscall';

import { temporary } from '../image.js';

/** linux/fs.h */
const RENAME_EXCHANGE = 2;

/** Exchanges two names in a directory until it is disposed of. */
export async function exchanging(directory: string, a: string, b: string): Promise<AsyncDisposable> {
  const again = label('again');
  const exchange: Step = { call: 'renameat2', args: [AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE], purpose: 'exchange them', jump: { when: '==', to: again } };
  const steps: Step[] = [
    { call: 'prctl', args: [prctlOptions.PR_SET_PDEATHSIG, signals.SIGKILL, 0, 0, 0], purpose: 'end with the tests' },
    { call: 'write', args: [1, '.', 1], purpose: 'it begins' },
    again,
    exchange,
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
