import type * as bundlesModule from './bundle-program.js';
import type * as containersModule from './commands/containers.js';

let loading: Promise<typeof containersModule> | undefined;

/**
 * Loads what makes system calls: the commands that do, and what tells their errors. It is one file of the bundle, since loading many, with what they share,
 * takes longer than to run a container. It is asked for once only: `ctr child` has another root file system by the time it may fail.
 */
export function containers(): Promise<typeof containersModule> {
  loading ??= import('./commands/containers.js');
  return loading;
}

/** Loads what runs OCI bundles. */
export function bundles(): Promise<typeof bundlesModule> {
  return import('./bundle-program.js');
}
