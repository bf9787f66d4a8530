import type { Config } from './config/config.js';

/** Refuses what a configuration asks for and this runtime does not do: a container that lacks it would not be the one that was meant. Throws an `Error`. */
export function refuseWhatIsNotThere({ linux = {} }: Config): void {
  const { intelRdt, netDevices } = linux;
  if (intelRdt && Object.keys(intelRdt).length > 0) throw new Error('linux.intelRdt is not supported');
  if (netDevices && Object.keys(netDevices).length > 0)
    throw new Error('linux.netDevices is not supported: move the device to the network namespace before, and give its path');
}
