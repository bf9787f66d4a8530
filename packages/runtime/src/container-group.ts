import { CgroupError, planGroup, type GroupOptions, type Limits, type PlannedGroup } from '@ctr/cgroups';
import { readCapabilities } from '@ctr/security';
import { label, perUser, type Step } from '@ctr/syscall';

import { asksForDeviceRules, deviceRulesOf } from './device-rules.js';
import { groupsOf } from './own-groups.js';
import { isInUserNamespace } from './own-user-namespace.js';
import type { Spec } from './spec.js';

/** Enough for most programs, too few for a fork bomb. */
const DEFAULT_PIDS = 2048;

/** What nobody has asked for, but is there where it can be. */
type Default = 'pids' | 'devices';
const defaults: readonly Default[] = ['pids', 'devices'];

/** Why there is no such limit here: found out once for each user that this process is. */
const refusals = perUser(() => new Map<Default, string>());

/** @see security/device_cgroup.c and kernel/bpf/syscall.c of the kernel: both versions ask for it, in the first user namespace */
const mayRuleDevices = perUser(() => !isInUserNamespace() && readCapabilities('self').effective.includes('CAP_SYS_ADMIN'));

/** The group of a container. A limit that was asked for is there, or there is an error; the one that nobody has asked for is there where it can be. */
export function planOwnGroup(spec: Spec, name: string): PlannedGroup | undefined {
  if (!spec.cgroup) return undefined;
  const options = { ...groupsOf(spec.cgroupParent), ...(spec.measure && { measure: ['memory', 'cpu', 'pids'] as const }) };
  // Whoever names a group above wants the container to be below it.
  const asked: Limits = { ...(spec.cgroupParent !== undefined && { pids: DEFAULT_PIDS }), ...askedLimits(spec) };
  if (!mayRuleDevices()) refusals().set('devices', 'the kernel takes them from root alone, outside of containers');
  for (;;) {
    const added = addedLimits(spec, asked);
    try {
      return planGroup(name, { ...asked, ...added }, options);
    } catch (error) {
      if (!(error instanceof CgroupError) || Object.keys(added).length === 0) throw error;
      // What was asked for is an error of its own if it cannot be had.
      planGroup(name, asked, options);
      if (!noteRefusals(name, added, options)) throw error;
    }
  }
}

/** What systemd is told: likewise, but for a number of processes, which it always has. */
export function limitsOfScope(spec: Spec): Limits {
  const asked = askedLimits(spec);
  const rules = asked.devices === undefined && mayRuleDevices() ? deviceRulesOf(spec) : undefined;
  return { pids: DEFAULT_PIDS, ...asked, ...(rules && { devices: rules }) };
}

/** Limits that are there, or the container is not. */
export function askedLimits(spec: Spec): Limits {
  const rules = asksForDeviceRules(spec) ? deviceRulesOf(spec) : undefined;
  return { ...spec.limits, ...(rules && { devices: rules }) };
}

/** Words in the plan where a container has no limit although nobody wanted that. */
export function withoutLimits(spec: Spec, group: PlannedGroup | undefined): Step[] {
  if (!group) return [];
  const asked = askedLimits(spec);
  const noLimits = group.directories.length === 0 && asked.pids === undefined ? refusals().get('pids') : undefined;
  const noRules = asked.devices === undefined && deviceRulesOf(spec) ? refusals().get('devices') : undefined;
  return [...(noLimits === undefined ? [] : [label(`no limits: ${noLimits}`)]), ...(noRules === undefined ? [] : [label(`no device rules: ${noRules}`)])];
}

/** The limits of {@link defaults} that are not refused here. */
function addedLimits(spec: Spec, asked: Limits): Pick<Limits, Default> {
  const rules = asked.devices === undefined && !refusals().has('devices') ? deviceRulesOf(spec) : undefined;
  return { ...(asked.pids === undefined && !refusals().has('pids') && { pids: DEFAULT_PIDS }), ...(rules && { devices: rules }) };
}

/** Finds out which of them it was. @returns whether it was any */
function noteRefusals(name: string, added: Pick<Limits, Default>, options: GroupOptions): boolean {
  const refused = defaults.filter((limit) => {
    if (added[limit] === undefined) return false;
    try {
      planGroup(name, { [limit]: added[limit] }, options);
      return false;
    } catch (error) {
      if (!(error instanceof CgroupError)) throw error;
      refusals().set(limit, reasonOf(error));
      return true;
    }
  });
  return refused.length > 0;
}

function reasonOf({ kind, message }: CgroupError): string {
  return kind === 'not-delegated' && !message.includes('BPF') ? 'no control group is delegated to this user' : (message.split(/:|, so /)[0] ?? kind);
}
