import { basename } from 'node:path';

import type { CgroupLayout, Place } from '@ctr/cgroups';
import { attach, attachBelow, bindMount, directory, inRoot, newMount, openPlace, symlink, type Detached, type Handle, type Mounted } from '@ctr/fs';
import { mountAttrs } from '@ctr/syscall';

import type { MountOptions } from '../mount-options.js';
import { closed, setMasks } from './attributes.js';

/** What is shown of a group. */
export type GroupPlace = Pick<Place, 'version' | 'controllers' | 'directory'>;

/** What the mounts of control groups depend on. */
export interface CgroupMountContext {
  readonly root: Handle;
  readonly layout: CgroupLayout;
  /** The directories of the container's own group; of the caller's, where it has none of its own. */
  readonly places: readonly GroupPlace[];
  /** Whether it has a cgroup namespace of its own, in which a mount begins at its own group. */
  readonly ownGroups: boolean;
}

/**
 * The control groups as the container sees them: nothing above its own. On v2 that is one mount; where there are hierarchies of v1, a tmpfs with one mount for each of them.
 * Who asks for `cgroup2` has that one hierarchy, whatever else there is.
 */
export function cgroupMount(at: string, type: 'cgroup' | 'cgroup2', source: string, options: MountOptions, context: CgroupMountContext): Mounted {
  const place = openPlace(inRoot(context.root, at, { create: 'directory', symlinks: 'refuse' }));
  if (context.layout.mode === 'v2' || type === 'cgroup2') {
    const mount = ownMount('cgroup2', source, {}, context.places.find(({ version }) => version === 2)?.directory, context.ownGroups);
    const steps = [
      ...mount.steps,
      ...setMasks(mount.mount, options.attributes, false),
      ...place.steps,
      ...attach(mount.mount, place.fd, `attach it to ${at}`),
      closed(place.fd),
    ];
    return { steps, mount: mount.mount };
  }
  const { set, clear } = options.attributes;
  const top = newMount('tmpfs', { options: { mode: '755' }, purpose: `a tmpfs for ${at}`, as: 'cgroup' });
  const hierarchies = context.layout.hierarchies.filter(({ version }) => version === 1);
  const steps = [
    ...top.steps,
    ...setMasks(top.mount, { set: set & ~mountAttrs.MOUNT_ATTR_RDONLY, clear }, false),
    ...place.steps,
    ...attach(top.mount, place.fd, `attach it to ${at}`),
    ...hierarchies.flatMap(({ controllers, mount: hostMount }) => {
      const directoryName = basename(hostMount);
      const own = context.places.find((each) => each.version === 1 && each.controllers.some((name) => controllers.includes(name)));
      const mount = ownMount('cgroup', 'cgroup', Object.fromEntries(controllers.map(optionOf)), own?.directory, context.ownGroups);
      return [
        directory(top.mount, directoryName),
        ...mount.steps,
        ...setMasks(mount.mount, options.attributes, false),
        attachBelow(mount.mount, top.mount, directoryName),
        closed(mount.mount),
        ...controllers
          .filter((controller) => !controller.includes('=') && controller !== directoryName)
          .map((controller) => symlink(directoryName, top.mount, controller)),
      ];
    }),
    ...setMasks(top.mount, { set: set & mountAttrs.MOUNT_ATTR_RDONLY, clear: 0 }, false),
    closed(place.fd),
  ];
  return { steps, mount: top.mount };
}

/** `name=systemd` is an option with a value, a controller is one without. */
function optionOf(controller: string): [string, string | true] {
  const equals = controller.indexOf('=');
  return equals < 0 ? [controller, true] : [controller.slice(0, equals), controller.slice(equals + 1)];
}

/** Outside of a namespace of its own, a mount of the file system would show all groups: the own one is bound. */
function ownMount(
  type: 'cgroup' | 'cgroup2',
  source: string,
  options: Readonly<Record<string, string | true>>,
  own: string | undefined,
  ownGroups: boolean,
): Detached {
  if (ownGroups) return newMount(type, { source, options, purpose: 'the control groups from its own on' });
  if (own === undefined) throw new Error('a mount of control groups needs a cgroup of the container, or a cgroup namespace: it has neither here');
  return bindMount(own, { purpose: 'its own control group' });
}
