import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { checkSegment, openGroup, parseCgroupsPath } from '../src/cgroups-path.js';

describe('parseCgroupsPath', () => {
  it('begins at the top of the mount or at the group of this process', () => {
    expect(parseCgroupsPath('/')).toEqual({ fromTop: true, segments: [] });
    expect(parseCgroupsPath('.')).toEqual({ fromTop: false, segments: [] });
    expect(parseCgroupsPath('/machine.slice/libpod-4f2a.scope/container')).toEqual({
      fromTop: true,
      segments: ['machine.slice', 'libpod-4f2a.scope', 'container'],
    });
    expect(parseCgroupsPath('ctr/web')).toEqual({ fromTop: false, segments: ['ctr', 'web'] });
  });

  it('takes what other runtimes and systemd name groups', () => {
    const names = [
      'user@1000.service',
      'kubepods-burstable-pod1f_2.slice',
      'dev-disk-by\\x2dlabel.mount',
      'cri-containerd-9a.scope',
      'ä b',
      '.hidden',
      'memory.4711.a',
    ];
    for (const name of names) checkSegment(name);
    checkSegment('x'.repeat(255));
  });

  it('refuses what would lead elsewhere, or be taken for something else', () => {
    const bad = [
      '',
      '..',
      '/..',
      '/a/..',
      '../a',
      '/a//b',
      '/a/',
      'a/',
      './a',
      '/a/./b',
      '/a\nb',
      '/a\0b',
      '/a\x1b[2J',
      '/a\x7f',
      `/${'x'.repeat(256)}`,
      `/${'ä'.repeat(128)}`,
    ];
    for (const path of bad) expect(() => parseCgroupsPath(path), JSON.stringify(path)).toThrow(TypeError);
    for (const name of [
      'tasks',
      'cgroup.procs',
      'cgroup.kill',
      'memory.max',
      'memory.limit_in_bytes',
      'hugetlb.2MB.max',
      'notify_on_release',
      'release_agent',
      'devices.deny',
    ])
      expect(() => parseCgroupsPath(`/a/${name}/b`), name).toThrow(/control files/);
  });

  it('holds for any text: what is let through stays below', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('.', '/', 'a', '\n', '\0', ' ', 'ä') }), (text) => {
        let path;
        try {
          path = parseCgroupsPath(text);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
          return;
        }
        for (const segment of path.segments) expect(segment).not.toMatch(/^\.{0,2}$|[/\n\0]/);
        expect(join('/top', ...path.segments).startsWith('/top')).toBe(true);
      }),
    );
  });
});

describe('openGroup', () => {
  it('opens what is below, and follows no link', () => {
    const top = mkdtempSync(join(tmpdir(), 'ctr-path-'));
    try {
      mkdirSync(join(top, 'a/b'), { recursive: true });
      symlinkSync('/', join(top, 'a/root'));
      symlinkSync('b', join(top, 'a/link'));
      openGroup(top, 'a/b').close();
      openGroup(top).close();
      expect(() => openGroup(top, 'a/root/etc')).toThrow(expect.objectContaining({ code: 'ELOOP' }));
      expect(() => openGroup(top, 'a/link')).toThrow(expect.objectContaining({ code: 'ELOOP' }));
      expect(() => openGroup(join(top, 'a/link'))).toThrow(expect.objectContaining({ code: 'ELOOP' }));
      expect(() => openGroup(top, '..')).toThrow(expect.objectContaining({ code: 'EXDEV' }));
      expect(() => openGroup(top, '/etc')).toThrow(expect.objectContaining({ code: 'EXDEV' }));
      expect(() => openGroup(top, 'nothing')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
    } finally {
      rmSync(top, { recursive: true });
    }
  });
});
