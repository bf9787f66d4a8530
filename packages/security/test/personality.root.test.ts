import { describe, expect, it } from 'vitest';

import { personality } from '@ctr/security';

import { launched, script } from './launched.js';

describe('personality', () => {
  it('has uname name the machine that is asked for', async ({ skip }) => {
    skip(process.arch !== 'x64', 'an arm64 machine may be unable to run 32-bit programs');
    expect((await launched([...personality('LINUX32'), ...script('uname -m')])).output).toBe('i686');
    expect((await launched([...personality('LINUX'), ...script('uname -m')])).output).toBe('x86_64');
  });
});
