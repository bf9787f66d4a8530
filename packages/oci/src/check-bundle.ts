import { statSync } from 'node:fs';
import { resolve } from 'node:path';

import type { Config } from './config/config.js';
import type { Process } from './config/process.js';
import { refuseWhatIsNotThere } from './not-there.js';

/** What of a bundle a container cannot be without. Throws for what is missing, and for what is asked for and not there. */
export function checkBundle(config: Config, directory: string): { readonly process: Process; readonly rootfs: string } {
  const { process } = config;
  if (!process) throw new TypeError('the config has no process, which is what a container runs');
  refuseWhatIsNotThere(config);
  if (!config.linux?.namespaces?.some(({ type }) => type === 'mount'))
    throw new TypeError('linux.namespaces has none of the type mount: the program would run in the root of the host, whatever root.path says');
  if (globalThis.process.geteuid?.() !== 0 && config.hooks?.startContainer?.length)
    throw new TypeError(
      'hooks.startContainer: the first process of a container cannot be looked into until its program runs, and only root can join its namespaces before: leave these hooks out, or run this in a user namespace (unshare --user --map-root-user), as engines do',
    );
  const rootfs = resolve(directory, config.root.path);
  if (!statSync(rootfs, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`the root file system ${rootfs} is no directory, or not there: no such file or directory`);
  return { process, rootfs };
}

/** Whether the host has something to run before the root changes. */
export function hasHooksBeforeRoot({ hooks = {} }: Config): boolean {
  return [hooks.prestart, hooks.createRuntime, hooks.createContainer].some((list) => list && list.length > 0);
}
