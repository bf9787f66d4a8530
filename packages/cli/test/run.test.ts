// What an ordinary user can do as well: in a user namespace of its own. As root, these run without one.
import { describe, expect, it } from 'vitest';

import { cannotRun } from './cannot-run.js';
import { ctr, shell } from './ctr.js';

describe.skipIf(cannotRun)('ctr run, as whoever runs the tests', () => {
  it('is root of a container of the host’s own programs', async () => {
    expect(await ctr(['run', 'sh', '-c', 'echo $$ $(hostname) $(id -u); touch /usr/here && echo written'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^1 container 0\n(written\n)?$/),
    });
  });

  it('has the exit codes of a shell', async () => {
    expect(await ctr(['run', 'sh', '-c', 'exit 7'])).toMatchObject({ code: 7 });
    expect(await ctr(['run', 'no-such-program'])).toMatchObject({ code: 127 });
    expect(await ctr(['run', '/etc'])).toMatchObject({ code: 126 });
    expect(await ctr(['run', '--timeout', '200ms', 'sleep', '60'])).toMatchObject({ code: 124 });
    expect(await shell('ctr run yes | head -1; echo ${PIPESTATUS[0]}')).toMatchObject({ stdout: 'y\n141\n', stderr: '' });
  });

  it('says at the end what it used', async () => {
    expect((await ctr(['run', '--stats', 'true'])).stderr).toMatch(/^wall [\d.]+ m?s {2}cpu [\d.]+ ms {2}memory [\d.]+ [KM]iB {2}pids (\d+|\?) {2}oom no/);
  });
});
