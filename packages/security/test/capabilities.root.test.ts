import { statSync } from 'node:fs';

import { call, capabilityNumbers, launch, Memory, type Step } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import {
  becomeUser,
  boundingSet,
  capabilities,
  capabilityNames,
  capabilitySets,
  defaultCapabilities,
  readCapabilities,
  type Capability,
  type ProcessRights,
} from '@ctr/security';

import { parseStatus } from '../src/read-capabilities.js';
import { Copy, launched, NOBODY, program, rejection, script, statusAfter } from './launched.js';

const nobody = { uid: NOBODY, gid: NOBODY };
const own = readCapabilities();

/** What a program has that is executed after these steps. */
async function rightsAfter(plan: readonly Step[], path?: string): Promise<ProcessRights> {
  return parseStatus(await statusAfter(plan, path));
}

/** Gives a file capabilities: linux/capability.h, struct vfs_cap_data, revision 2. */
function setFileCapability(path: string, capability: Capability, which: 'permitted' | 'inheritable'): void {
  const data = Uint32Array.of(0x0200_0000, 0, 0, 0, 0);
  const number = capabilityNumbers[capability];
  data[1 + (number >> 5) * 2 + (which === 'permitted' ? 0 : 1)] = 2 ** (number & 31);
  const bytes = Buffer.from(data.buffer);
  call({ call: 'setxattr', args: [path, 'security.capability', bytes, bytes.length, 0], purpose: 'file capabilities for a test' });
}

describe('capabilities', () => {
  it('are what a program of root has in each set, and nothing else', async () => {
    expect(await rightsAfter(capabilities(defaultCapabilities))).toMatchObject({
      bounding: defaultCapabilities,
      permitted: defaultCapabilities,
      effective: defaultCapabilities,
      inheritable: [],
      ambient: [],
    });
  });

  it('are all that the caller has, without them', async () => {
    const rights = await rightsAfter([]);
    expect(rights.bounding).toEqual(own.bounding);
    expect(rights.bounding).toContain('CAP_SYS_ADMIN');
  });

  it('can be none at all, not even those that only a newer kernel has', async () => {
    const status = await statusAfter(capabilities([]));
    expect(status.match(/^Cap\w+:\t\w+$/gm)).toEqual(['Inh', 'Prm', 'Eff', 'Bnd', 'Amb'].map((set) => `Cap${set}:\t${'0'.repeat(16)}`));
  });

  it('leave nothing inheritable, whatever the caller has made so', async () => {
    const inherited = capabilitySets({ permitted: capabilityNames.filter((name) => own.permitted.includes(name)), inheritable: ['CAP_CHOWN', 'CAP_NET_RAW'] });
    expect((await rightsAfter(inherited)).inheritable).toEqual(['CAP_CHOWN', 'CAP_NET_RAW']);
    expect((await rightsAfter([...inherited, ...capabilities(defaultCapabilities)])).inheritable).toEqual([]);
  });

  it('are what root can and cannot do', async () => {
    using copy = new Copy('/bin/cat');
    const chown = script(`chown 1:1 ${copy.path}`);
    const refused = await launched([...capabilities([]), ...chown]);
    expect(refused.output).toContain('Operation not permitted');
    expect(statSync(copy.path).uid).toBe(0);
    expect((await launched([...capabilities(['CAP_CHOWN']), ...chown])).output).toBe('');
    expect(statSync(copy.path).uid).toBe(1);
  });

  it('cannot be more than the process has', async () => {
    const error = await rejection(launch([...capabilities(['CAP_CHOWN']), ...capabilitySets({ permitted: ['CAP_SYS_ADMIN'] })]));
    expect(error.message).toMatch(/^capset\(.*permitted=CAP_SYS_ADMIN.*\) = EPERM .*\nhint: a process can keep only what it is permitted itself/);
  });
});

describe('boundingSet', () => {
  it('is what the capabilities of a file come up against', async () => {
    using copy = new Copy('/bin/cat');
    setFileCapability(copy.path, 'CAP_SYS_ADMIN', 'permitted');
    expect((await rightsAfter(becomeUser(nobody), copy.path)).permitted).toEqual(['CAP_SYS_ADMIN']);
    expect((await rightsAfter([...boundingSet(defaultCapabilities), ...becomeUser(nobody)], copy.path)).permitted).toEqual([]);
  });

  it('is what a set-user-id program of root comes up against', async () => {
    using copy = new Copy('/bin/cat', 0o4755);
    expect((await rightsAfter([...boundingSet(['CAP_CHOWN']), ...becomeUser(nobody)], copy.path)).permitted).toEqual(['CAP_CHOWN']);
  });

  it('loses whatever comes behind the last one that has a name here', async () => {
    const plan = boundingSet(capabilityNames);
    const next = plan[0]?.args[1];
    if (typeof next !== 'object' || !next || !('of' in next) || !(next.of instanceof Memory)) throw new Error('it is not counted in memory');
    next.of.initial?.fill(0); // as if none had a name
    expect((await rightsAfter(plan)).bounding).toEqual([]);
  });

  it('needs CAP_SETPCAP', async () => {
    const error = await rejection(launch([...capabilitySets({ permitted: [] }), ...boundingSet([])]));
    expect(error.message).toMatch(/^prctl\(PR_CAPBSET_DROP, CAP_CHOWN\) = EPERM .*\nhint: this needs CAP_SETPCAP/);
  });
});

describe('inheritable capabilities', () => {
  it('come by a file that has them, and not if they are empty', async () => {
    using copy = new Copy('/bin/cat');
    setFileCapability(copy.path, 'CAP_NET_RAW', 'inheritable');
    const raw = ['CAP_NET_RAW'] as const;
    const user = becomeUser({ ...nobody, keepCapabilities: true });
    expect((await rightsAfter([...user, ...capabilitySets({ permitted: raw, inheritable: raw })], copy.path)).permitted).toEqual(raw);
    const again = becomeUser({ ...nobody, keepCapabilities: true });
    expect((await rightsAfter([...again, ...capabilitySets({ permitted: raw })], copy.path)).permitted).toEqual([]);
  });
});

describe('ambient capabilities', () => {
  it('are what a program of an ordinary user has', async () => {
    using copy = new Copy('/bin/cat');
    const chown = ['CAP_CHOWN'] as const;
    const become = (): Step[] => [...boundingSet(chown), ...becomeUser({ ...nobody, keepCapabilities: true })];
    const rights = await rightsAfter([...become(), ...capabilitySets({ permitted: chown, inheritable: chown, ambient: chown })]);
    expect(rights).toMatchObject({ bounding: chown, permitted: chown, effective: chown, inheritable: chown, ambient: chown });
    const without = await launched([...become(), ...capabilitySets({ permitted: chown }), ...script(`chown 1:1 ${copy.path}`)]);
    expect(without.output).toContain('Operation not permitted');
    await launched([...become(), ...capabilitySets({ permitted: chown, inheritable: chown, ambient: chown }), ...script(`chown 1:1 ${copy.path}`)]);
    expect(statSync(copy.path).uid).toBe(1);
  });
});

describe('keepCapabilities', () => {
  it('is what lets an ordinary user have any', async () => {
    const chown = ['CAP_CHOWN'] as const;
    const error = await rejection(launch([...becomeUser(nobody), ...capabilitySets({ permitted: chown })]));
    expect(error.message).toMatch(/^capset\(.*\) = EPERM /);
    const kept = await launched([...becomeUser({ ...nobody, keepCapabilities: true }), ...capabilitySets({ permitted: chown }), ...program('/bin/true')]);
    expect(kept.exit.code).toBe(0);
  });

  it('keeps nothing for the program by itself', async () => {
    expect(await rightsAfter(becomeUser({ ...nobody, keepCapabilities: true }))).toMatchObject({ permitted: [], effective: [], ambient: [] });
  });
});

describe('readCapabilities', () => {
  it('reads those of another process', async () => {
    await using child = await launch([...capabilities(['CAP_KILL']), ...program('/bin/sleep', '60')], { stdio: ['ignore', 'ignore', 'ignore'] });
    expect(readCapabilities(child.pid)).toMatchObject({ permitted: ['CAP_KILL'], effective: ['CAP_KILL'], bounding: ['CAP_KILL'], seccomp: 'disabled' });
  });
});
