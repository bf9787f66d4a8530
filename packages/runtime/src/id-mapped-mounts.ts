import { bindMount, idmap } from '@ctr/fs';
import { openFd, openFlags, perform, resultOf, type ResultOf, type Step } from '@ctr/syscall';

import type { CheckedMount, Spec } from './spec.js';

type Bind = CheckedMount & { readonly kind: 'bind' };

/** Where the set-up has its mounts whose owners are to be mapped: out of the way of all that it opens, and below the usual limit of 1024. */
const FIRST_FD = 500;
const opened = new WeakMap<CheckedMount, Step>();

/** What the step that makes a bind mount says of it, which the posture repeats. */
export function bindPurpose({ from, to, readonly, isHostRoot }: Bind): string {
  return `the host's ${from} at ${to}, ${readonly ? 'read-only' : 'writable'}${isHostRoot ? " (the host's root file system)" : ''}`;
}

/**
 * Steps that make the mounts of a container whose owners are mapped by its user namespace. Only a process outside of that may map them ({@link mapOwners}),
 * and only while they are attached to nothing: so they are made before it, and attached in it.
 */
export function openMapped(spec: Spec): Step[] {
  return mapped(spec).flatMap((mount, i) => {
    const { steps, mount: made } = bindMount(mount.from, {
      recursive: true,
      noSuid: true,
      noDev: true,
      ...(mount.readonly && { readonly: true }),
      purpose: `${bindPurpose(mount)}, whose owners are to be mapped`,
    });
    const step: Step = {
      call: 'dup3',
      args: [made, FIRST_FD + i, openFlags.O_CLOEXEC],
      purpose: 'where the host finds it',
      as: `mapped-${i}`,
      hints: { EBADF: `an id-mapped mount needs a limit on open files of more than ${FIRST_FD + i}: see ulimit -n` },
    };
    opened.set(mount, step);
    return [...steps, step, { call: 'close', args: [made], purpose: 'one file for it' } satisfies Step];
  });
}

/** One of these mounts, in the steps that come later. */
export function mappedMount(mount: Bind): ResultOf {
  const step = opened.get(mount);
  if (!step) throw new Error(`${mount.to}: its mount has not been planned`);
  return resultOf(step);
}

/**
 * What the host does while the plan waits for the ids: the owners are mapped by the namespace that has just got its own.
 *
 * @param pid the process that waits
 */
export function mapOwners(spec: Spec, pid: number): void {
  const mounts = mapped(spec);
  if (mounts.length === 0) return;
  using namespace = openFd(`/proc/${pid}/ns/user`, { flags: openFlags.O_RDONLY });
  for (const i of mounts.keys()) {
    using mount = openFd(`/proc/${pid}/fd/${FIRST_FD + i}`, { flags: openFlags.O_PATH });
    perform(idmap(mount, namespace, { recursive: true }));
  }
}

/** The mounts whose owners are mapped, in their order. */
export function mapped(spec: Spec): Bind[] {
  return spec.mounts.filter((mount): mount is Bind => mount.kind === 'bind' && mount.idMap);
}
