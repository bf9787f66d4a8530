import { call, errnoName } from '@ctr/syscall';

import type { Finding, Section } from './check.js';
import { readSetting } from './kernel.js';

/** linux/landlock.h: LANDLOCK_CREATE_RULESET_VERSION */
const VERSION = 1;

/** What confines programs beyond namespaces. `ctr run` does without. */
export function security(): Section {
  return { title: 'Confinement', findings: [seccomp(), filtered(), landlock()] };
}

function seccomp(): Finding {
  const actions = readSetting('/proc/sys/kernel/seccomp/actions_avail');
  return {
    what: 'seccomp',
    ok: actions !== undefined,
    needed: false,
    found: actions ?? 'not offered',
    ...(actions === undefined && { advice: 'a kernel with CONFIG_SECCOMP_FILTER' }),
  };
}

/** Whether this process is under a filter already: some calls may be refused for that alone. */
function filtered(): Finding {
  const mode = /^Seccomp:\s*(\d)$/m.exec(readSetting('/proc/self/status') ?? '')?.[1];
  const ok = mode !== '2';
  return {
    what: 'seccomp filter around ctr',
    ok,
    needed: false,
    found: ok ? 'none' : 'there is one',
    ...(!ok && { advice: 'if a call above fails with ENOSYS or EPERM, that filter may be why (docker, podman: --security-opt seccomp=unconfined)' }),
  };
}

function landlock(): Finding {
  const version = call({ call: 'landlock_create_ruleset', args: [null, 0, VERSION], purpose: 'the version of Landlock', tolerates: 'any' });
  const ok = version > 0;
  const advice =
    errnoName(-version) === 'EOPNOTSUPP'
      ? 'it is built in, but off: add landlock to the lsm= list of the boot command line'
      : 'a kernel with CONFIG_SECURITY_LANDLOCK';
  return { what: 'Landlock', ok, needed: false, found: ok ? `ABI ${version}` : errnoName(-version), ...(!ok && { advice }) };
}
