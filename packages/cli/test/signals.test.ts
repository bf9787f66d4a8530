import { describe, expect, it } from 'vitest';

import { cannotRun } from './cannot-run.js';
import { startCtr } from './ctr.js';

/** A program that goes on whatever comes; it says so when it is ready. */
const stubborn = ['bash', '-c', `trap 'echo no' TERM INT; echo ready; while :; do sleep 0.05; done`];

describe.skipIf(cannotRun)('signals', () => {
  it.each<[NodeJS.Signals, number]>([
    ['SIGTERM', 143],
    ['SIGINT', 130],
    ['SIGHUP', 129],
    ['SIGQUIT', 131],
  ])('%s ends a program that does not handle it', async (signal, code) => {
    // Not by way of a shell: it has a handler, also right before it becomes something else.
    const running = startCtr(['run', 'tail', '-f', '/etc/hostname']);
    await running.until('container');
    running.kill(signal);
    expect(await running.ended).toMatchObject({ code, signal: null, stderr: '' });
  });

  it.each<NodeJS.Signals>(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'])(
    '%s reaches a program that handles it',
    async (signal) => {
      const running = startCtr(['run', 'bash', '-c', `trap 'echo got; exit 5' ${signal}; echo ready; while :; do sleep 0.05; done`]);
      await running.until('ready');
      running.kill(signal);
      expect(await running.ended).toMatchObject({ code: 5, stdout: 'ready\ngot\n' });
    },
  );

  it('a second SIGTERM ends any', async () => {
    const running = startCtr(['run', ...stubborn]);
    await running.until('ready');
    running.kill('SIGTERM');
    await running.until('no');
    running.kill('SIGTERM');
    expect(await running.ended).toMatchObject({ code: 143 });
  });

  it('reach the program by way of an init', async () => {
    const running = startCtr(['run', '--init', 'sh', '-c', 'echo ready; exec sleep 60']);
    await running.until('ready');
    running.kill('SIGTERM');
    expect(await running.ended).toMatchObject({ code: 143 });
  });
});
