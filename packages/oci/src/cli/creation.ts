import type { CreateOptions } from '../life-cycle/create.js';
import { UsageError } from './args.js';
import type { Context } from './context.js';

/** What `create` and `run` have in common. */
export function creation({ args, root, log, cgroupManager }: Context): { readonly bundle: string; readonly options: CreateOptions } {
  if (cgroupManager !== 'cgroupfs' && cgroupManager !== 'disabled')
    throw new UsageError(`the cgroup manager ${JSON.stringify(cgroupManager)} is not supported: cgroupfs, or disabled`);
  if (args.flag('no-pivot')) throw new UsageError('--no-pivot is not supported: the root file system must not be on a ramdisk');
  if (args.has('pidfd-socket')) throw new UsageError('--pidfd-socket is not supported');
  const consoleSocket = args.text('console-socket');
  const pidFile = args.text('pid-file');
  return {
    bundle: args.text('bundle') ?? '.',
    options: {
      ...root,
      ...(consoleSocket !== undefined && consoleSocket !== '' && { consoleSocket }),
      ...(pidFile !== undefined && pidFile !== '' && { pidFile }),
      preserveFds: args.integer('preserve-fds') ?? 0,
      newKeyring: !args.flag('no-new-keyring'),
      cgroup: cgroupManager !== 'disabled',
      onWarning: (message) => log.warn(message),
    },
  };
}
