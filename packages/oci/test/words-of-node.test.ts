// Node takes some words for its own wherever they stand in its command line: the bin keeps them from it.
import { spawnSync } from 'node:child_process';

import { expect, it } from 'vitest';

import { bin } from './ctr-oci.js';

it('the installed ctr-oci gets the words of a command that Node would take', () => {
  const { status, stderr } = spawnSync(bin, ['exec', 'no-such-container', 'tool', '--env-file', 'nowhere'], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([255, 'ctr-oci: exec failed: container does not exist: "no-such-container"\n']);
});
