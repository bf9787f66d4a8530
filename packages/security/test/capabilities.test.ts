import { explain } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { boundingSet, capabilities, capabilityNames, capabilitySets, defaultCapabilities, keepCapabilities, type Capability } from '@ctr/security';

describe('capabilities', () => {
  it('write all five sets: first the bounding set, as long as there is CAP_SETPCAP', () => {
    const keep = capabilityNames.filter((name) => name !== 'CAP_SYS_MODULE' && name !== 'CAP_BPF');
    expect(explain(capabilities({ permitted: ['CAP_CHOWN', 'CAP_BPF'], bounding: keep }))).toMatchInlineSnapshot(`
      "1  prctl(PR_CAPBSET_DROP, CAP_SYS_MODULE)  # no program gains it
      2  prctl(PR_CAPBSET_DROP, CAP_BPF)  # no program gains it
      3  prctl(PR_CAPBSET_DROP, $next) (EINVAL is fine), if < 0 go to 5  # nor one that a newer kernel has
      4  add($next, 1), if != 0 go to 3  # the one behind it
      5  label()  # there are no more
      6  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)  # no capability comes with every program
      7  capset({version=_LINUX_CAPABILITY_VERSION_3, pid=0}, {effective=CAP_CHOWN, permitted=CAP_CHOWN, inheritable=0, effective_high=CAP_BPF, permitted_high=CAP_BPF})  # these capabilities and no other"
    `);
  });

  it('take from a list the bounding, permitted and effective set, and leave the others empty', () => {
    expect(explain(capabilities(defaultCapabilities))).toBe(
      explain(capabilities({ bounding: defaultCapabilities, permitted: defaultCapabilities, effective: defaultCapabilities, inheritable: [], ambient: [] })),
    );
  });

  it('refuse what can be inherited but not had', () => {
    expect(() => capabilities({ permitted: ['CAP_CHOWN'], bounding: [], inheritable: ['CAP_CHOWN'] })).toThrow(
      new RangeError('capabilities: CAP_CHOWN is inheritable, but not in the bounding set'),
    );
    expect(() => capabilities({ permited: [] } as unknown as Capability[])).toThrow('did you mean permitted?');
  });
});

describe('boundingSet', () => {
  it('drops each capability that is not kept, and goes on behind the last one that has a name', () => {
    const plan = boundingSet([]);
    expect(plan).toHaveLength(capabilityNames.length + 3);
    expect(explain(plan).split('\n').slice(-4)).toMatchInlineSnapshot(`
      [
        "41  prctl(PR_CAPBSET_DROP, CAP_CHECKPOINT_RESTORE)  # no program gains it",
        "42  prctl(PR_CAPBSET_DROP, $next) (EINVAL is fine), if < 0 go to 44  # nor one that a newer kernel has",
        "43  add($next, 1), if != 0 go to 42  # the one behind it",
        "44  label()  # there are no more",
      ]
    `);
    expect(boundingSet(capabilityNames)).toHaveLength(3);
  });
});

describe('capabilitySets', () => {
  it('raises ambient ones after the sets that they have to be in', () => {
    expect(
      explain(
        capabilitySets({
          permitted: ['CAP_CHOWN', 'CAP_NET_RAW', 'CAP_PERFMON'],
          effective: [],
          inheritable: ['CAP_NET_RAW', 'CAP_PERFMON'],
          ambient: ['CAP_NET_RAW', 'CAP_PERFMON'],
        }),
      ),
    ).toMatchInlineSnapshot(`
      "1  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)  # no capability comes with every program
      2  capset({version=_LINUX_CAPABILITY_VERSION_3, pid=0}, {effective=0, permitted=CAP_CHOWN|CAP_NET_RAW, inheritable=CAP_NET_RAW, permitted_high=CAP_PERFMON, inheritable_high=CAP_PERFMON})  # these capabilities and no other
      3  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0)  # but this one
      4  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_PERFMON, 0, 0)  # but this one"
    `);
  });

  it('takes a name twice as one', () => {
    expect(explain(capabilitySets({ permitted: ['CAP_CHOWN', 'CAP_CHOWN'] }))).toBe(explain(capabilitySets({ permitted: ['CAP_CHOWN'] })));
  });

  it('refuses sets that the kernel does not take together', () => {
    const permitted = ['CAP_CHOWN'] as const;
    expect(() => capabilitySets({ permitted, effective: ['CAP_KILL'] })).toThrow(
      new RangeError('capabilities: CAP_KILL is effective, but not permitted: an effective capability has to be permitted'),
    );
    for (const sets of [
      { permitted, ambient: permitted },
      { permitted: [], inheritable: permitted, ambient: permitted },
    ])
      expect(() => capabilitySets(sets)).toThrow(/^capabilities: CAP_CHOWN is ambient, but not .*: an ambient capability has to be permitted and inheritable$/);
  });

  it('refuses names that are none, in each set', () => {
    const wrong = ['CAP_CHWON'] as unknown as Capability[];
    for (const set of ['permitted', 'effective', 'inheritable', 'ambient'])
      expect(() => capabilitySets({ permitted: [], [set]: wrong })).toThrow(`${set}: there is no capability: "CAP_CHWON": did you mean CAP_CHOWN?`);
    expect(() => boundingSet(wrong)).toThrow(RangeError);
    expect(() => boundingSet(['__proto__'] as unknown as Capability[])).toThrow(RangeError);
  });
});

it('keepCapabilities is one call', () => {
  expect(explain(keepCapabilities())).toMatchInlineSnapshot(`"1  prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)  # another user keeps what is permitted"`);
});
