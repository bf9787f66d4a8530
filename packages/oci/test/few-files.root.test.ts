// A caller who may have few files open: what fails for that leaves nothing, wherever it fails.
import { readdirSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { bundleOf, cgroupsBelow, configOf, newId, place } from './container.js';
import { shell } from './ctr-oci.js';

const at = place();
/** Less is too little for Node itself. */
const LEAST = 18;
const ENOUGH = 64;

async function createWith(files: number): Promise<{ readonly code: number | null; readonly said: string; readonly left: unknown }> {
  const id = newId();
  const bundle = bundleOf(at, configOf(at, ['true'], { process: { rlimits: [] } }));
  const { code, stdout } = await shell(
    `ulimit -n ${files}; $CTR_OCI --root ${at.root} create --bundle ${bundle} ${id} >/dev/null 2>said </dev/null; code=$?; cat said; exit $code`,
    {
      cwd: bundle,
    },
  );
  const left = { states: readdirSync(at.root), groups: cgroupsBelow(at.cgroup) };
  if (code === 0) await shell(`$CTR_OCI --root ${at.root} delete --force ${id}`);
  return { code, said: stdout, left };
}

describe('a container whose caller may have few files open', () => {
  it('is made, or nothing of it', { timeout: 180_000 }, async () => {
    await createWith(ENOUGH);
    const failed = new Map<number, string>();
    let files = LEAST;
    for (; files < ENOUGH; files++) {
      const { code, said, left } = await createWith(files);
      if (code === 0) break;
      failed.set(files, said);
      expect([files, said, left]).toEqual([files, said, { states: [], groups: [] }]);
    }
    expect(files).toBeLessThan(ENOUGH);
    expect([...failed.values()].filter((said) => said.includes('create failed') && said.includes('EMFILE')).length).toBeGreaterThan(3);
  });
});
