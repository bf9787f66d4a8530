import { ifreq, interfaceFlags, ioctls, resultOf, socketDomains, socketTypes, type Step } from '@ctr/syscall';

/**
 * Steps that switch on the loopback device of the process's network namespace: a new one has it, but down, so that 127.0.0.1 and ::1 cannot be reached.
 *
 * Fails with EPERM without CAP_NET_ADMIN in the user namespace that the network namespace belongs to.
 *
 * @see netdevice(7), network_namespaces(7)
 * @example A program without a network that can talk to itself
 * ```ts
 * import { create, loopbackUp } from '@ctr/namespaces';
 * const steps = [...create('net'), ...loopbackUp()];
 * ```
 */
export function loopbackUp(): Step[] {
  const socket: Step = {
    call: 'socket',
    args: [socketDomains.AF_INET, socketTypes.SOCK_DGRAM | socketTypes.SOCK_CLOEXEC, 0],
    purpose: 'any socket, to speak of network devices',
    as: 'socket',
  };
  const loopback = ifreq({ ifr_name: Buffer.from('lo'), ifr_flags: interfaceFlags.IFF_UP | interfaceFlags.IFF_RUNNING });
  return [
    socket,
    {
      call: 'ioctl',
      args: [resultOf(socket), ioctls.SIOCSIFFLAGS, loopback],
      purpose: 'switch on the loopback device',
      hints: { EPERM: 'the network namespace belongs to a user namespace in which the process has no CAP_NET_ADMIN: create one with it first' },
    },
    { call: 'close', args: [resultOf(socket)], purpose: 'the socket is not needed any more' },
  ];
}
