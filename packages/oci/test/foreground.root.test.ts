// What `ctr-oci` waits for in the foreground: the program, and not what the program has left behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { start } from '@ctr/oci';
import { describe, expect, it, onTestFinished } from 'vitest';

import { created, place } from './container.js';
import { command } from './ctr-oci.js';

const at = place();
/** More than the program and Node take on a busy machine, and less than what is left behind lives. */
const SOON_MS = 30_000;

/** Runs a line at a terminal of its own in a container; nobody types anything, and nobody closes the input. */
async function execAtTerminal(line: string): Promise<{ readonly code: unknown; readonly stdout: string }> {
  const { id, root } = await created(at, ['sleep', '1000']);
  await start(id, root);
  const [program, ...words] = [...command, '--root', at.root, 'exec', '-t', id, 'sh', '-c', line];
  const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  child.stdout.on('data', (bytes) => (stdout += String(bytes)));
  const [code] = (await once(child, 'close', { signal: AbortSignal.timeout(SOON_MS) })) as unknown[];
  return { code, stdout };
}

describe('a program at a terminal', () => {
  it('is over when it has ended, though another process keeps its terminal open', async () => {
    const { code, stdout } = await execAtTerminal("trap '' HUP; setsid sleep 900 & sleep 0.2; echo over; exit 3");
    expect({ code, stdout: stdout.trim() }).toEqual({ code: 3, stdout: 'over' });
  });

  it('has all shown that it wrote', async () => {
    const { code, stdout } = await execAtTerminal('seq 20000');
    expect({ code, last: stdout.trim().split(/\r?\n/).length }).toEqual({ code: 0, last: 20_000 });
  });
});
