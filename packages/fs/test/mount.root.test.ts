import { explain, isSyscallError, launch } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { newMount } from '@ctr/fs';

import { rejection } from './launched.js';

describe('newMount', () => {
  it('says which file system the kernel does not have', async () => {
    const error = await rejection(launch(newMount('nofs').steps));
    expect(error.message).toMatch(/^fsopen\("nofs", FSOPEN_CLOEXEC\) = ENODEV .*\nhint: this kernel has no file system nofs/);
  });

  it('says which option the kernel does not know', async () => {
    const plan = newMount('tmpfs', { options: { size: '1m', speed: 'fast' } }).steps;
    const error = await rejection(launch(plan));
    expect(error.message).toMatch(
      /^fsconfig\(.*"speed", "fast", 0\) = EINVAL .*\nhint: tmpfs of this kernel does not know the option speed, or not this value of it/,
    );
    expect(isSyscallError(error) && error.plan).toContain(`→ ${explain(plan).split('\n')[3]}`);
  });
});
