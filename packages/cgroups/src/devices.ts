import type { ResultOf, Step } from '@ctr/syscall';

import type { DeviceRule } from './device-rules.js';
import { hierarchyOf, type CgroupLayout } from './layout.js';
import type { Place } from './place.js';
import { deviceListSteps, setDeviceList } from './v1/devices.js';
import { deviceProgramSteps, requireDevicePrograms, setDeviceProgram } from './v2/devices.js';

/** What rules about devices need: the controller, which version 1 alone has, or a group of version 2 and a kernel that runs programs for it. */
export function deviceNeeds(layout: CgroupLayout): { readonly controllers: readonly string[]; readonly unified: boolean } {
  const unified = layout.hierarchies.find(({ version }) => version === 2);
  if (hierarchyOf(layout, 'devices') || !unified) return { controllers: ['devices'], unified: false };
  requireDevicePrograms(unified.mount);
  return { controllers: [], unified: true };
}

/** The directory by which a group decides about devices, if there is one. */
export function devicePlace(places: readonly Place[]): Place | undefined {
  return places.find(({ controllers }) => controllers.includes('devices')) ?? places.find(({ version }) => version === 2);
}

/** The steps that give a new group its rules. */
export function deviceSteps({ version }: Place, group: ResultOf, rules: readonly DeviceRule[]): Step[] {
  return version === 1 ? deviceListSteps(group, rules) : deviceProgramSteps(group, rules);
}

/** Gives a group that is there other rules, all or none. */
export function setDevices({ version, directory }: Place, rules: readonly DeviceRule[]): void {
  if (version === 1) setDeviceList(directory, rules);
  else setDeviceProgram(directory, rules);
}
