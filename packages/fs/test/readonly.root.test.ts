import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { attach, bindMount, inRoot, openPlace, pivotRoot, readonlyPath, tmpfs } from '@ctr/fs';

import { image, inUserNamespace, mapIds, printed, privateMounts } from './launched.js';

describe('readonlyPath', () => {
  it.each([
    ['as root', privateMounts, {}],
    ['in a user namespace', inUserNamespace, mapIds],
  ])('keeps files and directories from being written, with what is mounted below, %s', async (_, first, options) => {
    const directory = image();
    mkdirSync(join(directory, 'dir'));
    writeFileSync(join(directory, 'file'), '');
    const root = bindMount(directory);
    const top = openPlace('/');
    const plan = [
      ...root.steps,
      ...top.steps,
      ...attach(root.mount, top.fd),
      ...tmpfs(inRoot(root.mount, '/dir/below')),
      ...readonlyPath(root.mount, ['/dir', '/missing', '/file', '/file/below']),
      ...pivotRoot(root.mount),
    ];
    const output = await printed(plan, 'for f in dir/x dir/below/x file free; do echo x > $f && echo $f is written; done', first(), options);
    expect(output).toBe(
      [
        "sh: can't create dir/x: Read-only file system",
        "sh: can't create dir/below/x: Read-only file system",
        "sh: can't create file: Read-only file system",
        'free is written',
      ].join('\n'),
    );
  });
});
