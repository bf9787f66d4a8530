import { quote } from '@ctr/syscall';
import type { CreateOptions } from '../life-cycle/create.js';
import { UsageError } from './args.js';
import type { Context } from './context.js';
import { preservedFiles } from './preserved-files.js';

/** What `create` and `run` have in common. */
export function creation({ args, root, log, cgroupManager }: Context): { readonly bundle: string; readonly options: CreateOptions } {
  if (cgroupManager !== 'cgroupfs' && cgroupManager !== 'systemd' && cgroupManager !== 'disabled')
    throw new UsageError(`--cgroup-manager ${quote(cgroupManager)}: cgroupfs, systemd or disabled`);
  const consoleSocket = args.text('console-socket');
  const pidFile = args.text('pid-file');
  const passed = listenFds();
  return {
    bundle: args.text('bundle') ?? '.',
    options: {
      ...root,
      ...(consoleSocket !== undefined && consoleSocket !== '' && { consoleSocket }),
      ...(pidFile !== undefined && pidFile !== '' && { pidFile }),
      ...(args.has('pidfd-socket') && { pidfdSocket: args.text('pidfd-socket') ?? '' }),
      listenFds: passed,
      notify: managerSocket() !== undefined,
      preserveFds: preservedFiles(args, passed),
      pivot: !args.flag('no-pivot'),
      newKeyring: !args.flag('no-new-keyring'),
      cgroup: cgroupManager !== 'disabled',
      ...(cgroupManager !== 'disabled' && { cgroupManager }),
      onWarning: (message) => log.warn(message),
      onDebug: (message) => log.debug(message),
    },
  };
}

/** The socket of whoever manages services, if this is to be one of them. @see sd_notify(3) */
export function managerSocket(): string | undefined {
  return process.env['NOTIFY_SOCKET'] || undefined;
}

/** How many files of the caller are sockets that systemd has opened for this process. @see sd_listen_fds(3) */
function listenFds(): number {
  const { LISTEN_FDS: count = '', LISTEN_PID: pid = '' } = process.env;
  return pid === String(process.pid) && /^[1-9]\d{0,3}$/.test(count) ? Number(count) : 0;
}
