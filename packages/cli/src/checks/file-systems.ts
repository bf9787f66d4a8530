import { attach, directory, newMount, overlayMount, proc, propagation, sysfs } from '@ctr/fs';
import { createFlags } from '@ctr/namespaces';
import { AT_FDCWD, continueInChild, openFlags, resultOf, type Step } from '@ctr/syscall';

import { attempt, isRoot, tried, type Section } from './check.js';
import { userNamespace } from './namespaces.js';

/** The file systems that a container mounts, really mounted in a mount namespace that ends with the attempt. */
export async function fileSystems(): Promise<Section> {
  const own = isRoot() ? [] : userNamespace();
  const proced = await attempt([...own, ...apart(['mount', 'pid']), ...proc('/proc')]);
  const sysfsed = await attempt([...own, ...apart(['mount', 'net']), ...sysfs('/sys')]);
  const masked =
    'parts of it are mounted over, as in most containers: there the kernel gives no fresh one (docker: --privileged, podman: --security-opt unmask=ALL)';
  const readOnly = 'modprobe overlay (as root); without it /usr and the like are read-only in a container that has no --rootfs';
  return {
    title: 'File systems',
    findings: [
      tried('proc', true, proced, 'can be mounted'),
      tried('sysfs', true, sysfsed, 'can be mounted', masked),
      ...(isRoot() ? [tried('overlay', false, await attempt([...apart(['mount']), ...overlaid(false)]), 'can be mounted', readOnly)] : []),
      tried('overlay in a user namespace', false, await attempt([...userNamespace(), ...apart(['mount']), ...overlaid(true)]), 'can be mounted', readOnly),
    ],
  };
}

/** New namespaces, of which nothing is seen outside. */
function apart(kinds: readonly ('mount' | 'pid' | 'net')[]): Step[] {
  return [...continueInChild({ namespaces: createFlags(kinds) }), ...propagation('/', 'private', { recursive: true })];
}

function overlaid(userXattr: boolean): Step[] {
  const scratch = newMount('tmpfs', { purpose: 'memory for the upper layer' });
  const place: Step = { call: 'openat', args: [AT_FDCWD, '/proc', openFlags.O_PATH | openFlags.O_CLOEXEC, 0], purpose: 'a place for it', as: 'place' };
  const layers = overlayMount({ lower: ['/usr'], upper: 'upper', work: 'work', userXattr });
  return [
    ...scratch.steps,
    place,
    ...attach(scratch.mount, resultOf(place)),
    directory(scratch.mount, 'upper', 0o755),
    directory(scratch.mount, 'work', 0o755),
    { call: 'fchdir', args: [scratch.mount], purpose: 'the layers are named from here' },
    ...layers.steps,
  ];
}
