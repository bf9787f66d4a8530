import { handOver, resultOf, seccompFilterFlags, waitForHost, type Step } from '@ctr/syscall';

/**
 * Steps that load a filter which asks a supervisor, hand its listener over to the host (what `launch` calls its `onFile` with, for a {@link Notifier}) and go on
 * when the host is ready. The process keeps no listener: who has it can answer, and its calls would wait for ever if the host closed its own.
 *
 * The filter has to let `sendmsg` and `write` through; the host may be asked about `read` and `close`. `launch` calls its `onWaiting`, if it has one, for this wait as for any other. Throws a `TypeError` for steps that load no filter with a listener.
 *
 * @param filter what `seccomp` returns for a profile with `SCMP_ACT_NOTIFY`
 * @see seccomp_unotify(2)
 * @example
 * ```ts
 * import { handOverListener, seccomp } from '@ctr/security';
 * const filter = seccomp({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_NOTIFY' }] });
 * const steps = handOverListener(filter);
 * ```
 */
export function handOverListener(filter: readonly Step[]): Step[] {
  const load = filter.find(({ call, args: [, flags] }) => call === 'seccomp' && typeof flags === 'number' && (flags & NEW_LISTENER) !== 0);
  if (!load) throw new TypeError('handOverListener: these steps load no filter that asks a supervisor: its profile has to say SCMP_ACT_NOTIFY');
  return [
    ...filter,
    ...handOver(resultOf(load), 'who answers the calls that the filter asks about'),
    ...waitForHost('answer from here on'),
    // Somebody may be asked about this, too.
    { call: 'close', args: [resultOf(load)], purpose: 'nobody else answers' },
  ];
}

const NEW_LISTENER = seccompFilterFlags.SECCOMP_FILTER_FLAG_NEW_LISTENER;
