import type { Scope } from '@ctr/cgroups/systemd';
import { CgroupError, formatDeviceRule, groupName, readStatistics, readUsage, type Limits, type Statistics, type Usage } from '@ctr/cgroups';
import { announceExec, dieWithHost, label, launch, waitForHost, type Plan, type Step } from '@ctr/syscall';

import { limitsOfScope } from './container-group.js';
import { ownGroups } from './own-groups.js';
import { isInUserNamespace } from './own-user-namespace.js';
import type { Spec } from './spec.js';

/** A group that systemd is to make, in a scope of its own. */
export interface PlannedScope {
  /** The plan waits until it is made, before all else: nothing of the container runs outside of it. */
  readonly steps: readonly Step[];
  readonly name: string;
  readonly slice: string | undefined;
  readonly limits: Limits;
  readonly measure: boolean;
}

/** What the end of a container needs of its group. */
export interface ContainerGroup {
  readonly read: () => Usage;
  readonly statistics: () => Statistics;
  /** Kills what is left in it, and waits until systemd knows nothing of it any more. */
  readonly remove: () => Promise<void>;
}

/** What the kernel takes at most, and one more process has to fit into. @see Limits.pids */
const MAX_PIDS = 4_194_304;

/** The scope of a container whose group systemd is to make. A container that is named has one of that name, of which systemd allows no second. */
export function planScope(spec: Spec): PlannedScope | undefined {
  if (spec.cgroupManager !== 'systemd') return undefined;
  const limits = limitsOfScope(spec);
  return {
    steps: waitForScope('a scope of systemd', limits),
    name: spec.name ?? groupName(),
    slice: spec.cgroupParent,
    limits,
    measure: spec.measure,
  };
}

/** The plan waits until a scope is made, which has these limits. */
export function waitForScope(scope: string, { devices, ...limits }: Limits): Step[] {
  const text = Object.entries(limits).map(([name, value]) => `${name} = ${typeof value === 'object' ? JSON.stringify(value) : value}`);
  const rules = devices?.map((rule) => `${rule.allow ? 'allow' : 'deny'} ${formatDeviceRule(rule)}`);
  return [...waitForHost([scope, text.join(', ')].filter(Boolean).join(' with ')), ...(rules ? [label(`device rules: ${rules.join('; ')}`)] : [])];
}

/** Finds out, before anything is made, whether systemd can be asked. Rejects with a {@link CgroupError} of kind `no-systemd`, or a `TypeError` for names that it does not take. */
export async function requireScope({ name, slice }: PlannedScope): Promise<void> {
  const { expandSlice, requireSystemd, scopeName } = await import('@ctr/cgroups/systemd');
  scopeName(name);
  if (slice !== undefined) expandSlice(slice);
  if (isInUserNamespace())
    throw new CgroupError(
      'no-systemd',
      'systemd takes nobody for the user that a user namespace says they are: run outside of it, or let ctr make the cgroup itself (--cgroup-manager cgroupfs)',
    );
  requireSystemd(ownGroups().layout);
}

/**
 * Has systemd make the scope, and puts a process that waits into a group below it, with exact limits.
 *
 * systemd removes a scope with its last process, and what the group has counted with it. So that it can be read after the end of the container, a process of ctr's is in the scope as well,
 * beside the group of the container, and is killed at the end.
 */
export async function makeScope({ name, slice, limits, measure }: PlannedScope, pid: number, cancelSignal: AbortSignal | undefined): Promise<ContainerGroup> {
  const { createScope, scopeName } = await import('@ctr/cgroups/systemd');
  const keeper = await launch(keep(), { stdio: ['ignore', 'ignore', 'ignore'] });
  let scope: Scope | undefined;
  const remove = async (): Promise<void> => {
    await scope?.stop();
    await keeper[Symbol.asyncDispose]();
  };
  try {
    const { devices: _devices, pids, ...rest } = limits;
    scope = await createScope(scopeName(name), {
      pids: [pid, keeper.pid],
      limits: { ...rest, ...(pids !== undefined && { pids: pids === 'max' ? pids : Math.min(pids + 1, MAX_PIDS) }) },
      description: `ctr container ${name}`,
      layout: ownGroups().layout,
      ...(slice !== undefined && { slice }),
      ...(cancelSignal && { cancelSignal }),
    });
    const group = await scope.group.create('container', limits, { moveToLeaf: 'keeper', ...(measure && { measure: ['memory', 'cpu', 'pids'] }) });
    await group.add(pid);
    return { read: () => readUsage(group.directories), statistics: () => readStatistics(group.directories), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** A process that does nothing, and ends with the host. */
function keep(): Plan {
  const again = label('go on');
  return [
    ...dieWithHost(),
    announceExec(),
    { call: 'close_range', args: [3, 0xffffffff, 0], purpose: 'the host need not wait any longer' },
    again,
    { call: 'ppoll', args: [null, 0, null, null, 8], purpose: 'wait to be killed', tolerates: ['EINTR'], jump: { when: '<', to: again } },
  ];
}
