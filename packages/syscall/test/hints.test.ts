import { describe, expect, it } from 'vitest';

import { hintFor } from '../src/hints.js';

describe('a hint', () => {
  it('is there for what often goes wrong', () => {
    expect(hintFor('openat2', 'ENOSYS')).toMatch(/seccomp filter .* does not offer openat2$/);
    expect(hintFor('unshare', 'EPERM')).toBeDefined();
    expect(hintFor('clone', 'ENOSPC')).toMatch(/user\.max_\*_namespaces/);
    expect(hintFor('mount', 'EPERM')).toMatch(/CAP_SYS_ADMIN/);
    expect(hintFor('openat', 'EMFILE')).toMatch(/ulimit -n/);
    expect(hintFor('openat', 'ENFILE')).toMatch(/fs\.file-max/);
    expect(hintFor('clone', 'EAGAIN')).toMatch(/pids\.max/);
    expect(hintFor('execve', 'E2BIG')).toMatch(/128 KiB/);
  });

  it('is not there for what says enough itself', () => {
    expect(hintFor('chdir', 'ENOENT')).toBeUndefined();
    expect(hintFor('read', 'EPERM')).toBeUndefined();
    expect(hintFor('read', 'EAGAIN')).toBeUndefined();
  });
});
