import type { NetDeviceMove } from '@ctr/namespaces';
import { waitForHost, type Step } from '@ctr/syscall';

import type { Config } from '../config/config.js';

/** The host's network devices that a container gets. */
export function netDevicesOf({ linux }: Config): NetDeviceMove[] {
  return Object.entries(linux?.netDevices ?? {}).map(([name, { name: newName = '' }]) => ({ name, ...(newName !== '' && { newName }) }));
}

/** The host moves them while the plan waits: a container has no rights over what is the host's. */
export function awaitNetDevices(devices: readonly NetDeviceMove[]): Step[] {
  if (devices.length === 0) return [];
  const listed = devices.map(({ name, newName }) => (newName === undefined ? name : `${name} as ${newName}`)).join(', ');
  return waitForHost(`move network devices, with their addresses: ${listed}`);
}
