// What programs of a container inherit of whoever calls ctr-oci: neither processors nor signals. runc resets the processors since 1.2, and the kernel those that a cpuset takes away.
import { describe, expect, it } from 'vitest';

import { bundleOf, configOf, newId, place } from './container.js';
import { command, run } from './ctr-oci.js';

const at = place();
// Without a shell: that of busybox ignores a signal itself.
const show = ['grep', '-E', '^(Sig(Blk|Ign)|Cpus_allowed_list)', '/proc/self/status'];

/** Runs a line of a shell as a caller that may run on the first processor alone, and ignores signals. */
function restricted(line: string) {
  return run(['taskset', '-c', '0', 'sh', '-c', `trap '' CHLD HUP TSTP USR1; ${line}`], { env: { CTR_OCI: `${command.join(' ')} --root ${at.root}` } });
}

/** As it is for a caller without restrictions. */
async function unrestricted(): Promise<string> {
  const { stdout } = await run(['taskset', '-c', '0-8191', ...show]);
  return stdout.replaceAll(/^(Sig\w+:\t).*/gm, '$10000000000000000');
}

describe('a program', () => {
  it('of run is restricted by the cpuset alone, and ignores no signal', async () => {
    const { code, stdout } = await restricted(`$CTR_OCI run --bundle ${bundleOf(at, configOf(at, show))} ${newId()}`);
    expect({ code, stdout }).toEqual({ code: 0, stdout: await unrestricted() });
  });

  it('of exec, likewise', async () => {
    const id = newId();
    const { code, stdout } = await restricted(
      `$CTR_OCI run --detach --bundle ${bundleOf(at, configOf(at, ['sleep', '1000']))} ${id} </dev/null >/dev/null 2>&1; $CTR_OCI exec ${id} ${show.map((word) => `'${word}'`).join(' ')}; code=$?; $CTR_OCI delete --force ${id}; exit $code`,
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: await unrestricted() });
  });
});
