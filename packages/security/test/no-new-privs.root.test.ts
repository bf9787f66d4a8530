import { describe, expect, it } from 'vitest';

import { becomeUser, noNewPrivs } from '@ctr/security';

import { Copy, NOBODY, statusAfter } from './launched.js';

describe('noNewPrivs', () => {
  const nobody = { uid: NOBODY, gid: NOBODY };
  const uids = (status: string): string[] => /^Uid:\t(.*)$/m.exec(status)?.[1]?.split('\t') ?? [];

  it('takes the effect of a set-user-id bit away', async () => {
    using setUserId = new Copy('/bin/cat', 0o4755);
    const status = await statusAfter([...becomeUser(nobody), ...noNewPrivs()], setUserId.path);
    expect(uids(status)).toEqual(Array(4).fill(String(NOBODY)));
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  });

  it('is what takes it away: the program is root without it', async () => {
    using setUserId = new Copy('/bin/cat', 0o4755);
    expect(uids(await statusAfter(becomeUser(nobody), setUserId.path))).toEqual([String(NOBODY), '0', '0', '0']);
  });
});
