import type { Fd } from '@ctr/syscall';

import type { LinuxSeccomp } from '../config/seccomp.js';
import type { ContainerProcessState, State } from '../state.js';
import { sendFile } from './console-socket.js';
import { connectTo } from './unix-socket.js';

/** Whether somebody is to be asked about calls. */
export function notifies(seccomp: LinuxSeccomp | undefined): boolean {
  return seccomp !== undefined && (seccomp.syscalls ?? []).some(({ action }) => action === 'SCMP_ACT_NOTIFY');
}

/** Hands the listener of a filter to the agent that answers, with the state of the container. @see ContainerProcessState */
export function sendListener({ listenerPath = '', listenerMetadata }: LinuxSeccomp, listener: Fd, state: State, pid: number): void {
  const message: ContainerProcessState = {
    ociVersion: state.ociVersion,
    fds: ['seccompFd'],
    pid,
    ...(listenerMetadata !== undefined && { metadata: listenerMetadata }),
    state: { ...state, pid },
  };
  using socket = connectTo(listenerPath);
  sendFile(socket, JSON.stringify(message), listener);
}
