import type { Config } from './config/config.js';

/** Refuses what a configuration asks for and this runtime does not do: a container that lacks it would not be the one that was meant. Throws an `Error` that names the field. */
export function refuseWhatIsNotThere({ linux = {} }: Config): void {
  const { intelRdt, resources: { blockIO } = {} } = linux;
  if (intelRdt && Object.keys(intelRdt).length > 0)
    throw new Error('linux.intelRdt is not supported: make the group in /sys/fs/resctrl, and write the pid to its tasks in a hook of createRuntime');
  for (const [path, weight] of [
    ['leafWeight', blockIO?.leafWeight],
    ...(blockIO?.weightDevice ?? []).map(({ leafWeight }, i) => [`weightDevice[${i}].leafWeight`, leafWeight] as const),
  ] as const)
    if (weight) throw new Error(`linux.resources.blockIO.${path} is not supported: it was a weight of the CFQ scheduler, which no kernel since 5.0 has`);
}
