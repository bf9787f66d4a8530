import { checkOptions, fileTypes, resultOf, type Step } from '@ctr/syscall';

import { attachBelow, closed } from './attach.js';
import { bindMount } from './bind.js';
import { checkInteger, checkMode, checkName, checkOneOf } from './check.js';
import type { Handle } from './handle.js';
import { symlink } from './symlink.js';

/** How device files come about: made by mknod(2), which needs CAP_MKNOD in the initial user namespace, or by mounting the host's over empty files. */
export type DeviceNodes = 'make' | 'bind';

/** A device file. */
export interface Device {
  /** @default 'char' */
  readonly type?: 'char' | 'block' | 'fifo';
  /** Which driver, and which of its devices; not for a fifo. */
  readonly major?: number;
  readonly minor?: number;
  /** Permissions; the umask takes its bits from them. @default 0o666 */
  readonly mode?: number;
}

/** The devices that every program counts on: linux/Documentation/admin-guide/devices.txt. */
const common = { null: [1, 3], zero: [1, 5], full: [1, 7], random: [1, 8], urandom: [1, 9], tty: [5, 0] } as const;
const links = { fd: '/proc/self/fd', stdin: '/proc/self/fd/0', stdout: '/proc/self/fd/1', stderr: '/proc/self/fd/2', ptmx: 'pts/ptmx' } as const;
const types = { char: fileTypes.S_IFCHR, block: fileTypes.S_IFBLK, fifo: fileTypes.S_IFIFO } as const;

/**
 * Makes the usual device files (null, zero, full, random, urandom, tty) and links (fd, stdin, stdout, stderr, ptmx) in an open, empty directory.
 *
 * With `bind`, the steps have to be taken while the host's `/dev` is still in place: before {@link pivotRoot}.
 *
 * The steps fail with EEXIST if a name is taken: a directory that an image has filled is not trusted to have the right ones.
 * `make` fails with EPERM in a user namespace.
 *
 * @see null(4), random(4), tty(4), mknod(2)
 * @example
 * ```ts
 * import { devices, tmpfsMount } from '@ctr/fs';
 * const { steps, mount } = tmpfsMount({ noDev: false, mode: 0o755 });
 * const plan = [...steps, ...devices(mount, { nodes: 'make' })];
 * ```
 */
export function devices(dev: Handle, options: { readonly nodes: DeviceNodes }): Step[] {
  checkOptions('devices', options, ['nodes']);
  checkOneOf('nodes', options.nodes, ['make', 'bind']);
  const umask: Step = { call: 'umask', args: [0], purpose: 'devices get exactly the mode they should have', as: 'umask' };
  const names = Object.keys(common) as (keyof typeof common)[];
  return [
    umask,
    ...names.flatMap((name) => {
      const [major, minor] = common[name];
      return options.nodes === 'bind' ? boundDevice(`/dev/${name}`, dev, name) : [device(dev, name, { major, minor })];
    }),
    { call: 'umask', args: [resultOf(umask)], purpose: 'the umask is as before' },
    ...Object.entries(links).map(([name, target]) => symlink(target, dev, name)),
  ];
}

/**
 * Makes one device file, or fifo, in an open directory.
 *
 * The step fails with EPERM in a user namespace (but for a fifo), and EEXIST if the name is taken.
 *
 * @see mknodat(2)
 * @example
 * ```ts
 * import { device, tmpfsMount } from '@ctr/fs';
 * const { steps, mount } = tmpfsMount({ noDev: false });
 * const plan = [...steps, device(mount, 'fuse', { major: 10, minor: 229 })];
 * ```
 */
export function device(parent: Handle, name: string, options: Device): Step {
  checkOptions('device', options, ['type', 'major', 'minor', 'mode']);
  checkName('device', name);
  const { type = 'char', mode = 0o666 } = options;
  checkOneOf('type', type, Object.keys(types));
  checkMode(name, mode);
  return {
    call: 'mknodat',
    args: [parent, name, types[type] | mode, type === 'fifo' ? 0 : deviceNumber(name, options)],
    purpose: `make the device ${name}`,
    hints: {
      EPERM:
        'a device can only be made with CAP_MKNOD in the initial user namespace: elsewhere, bind the one of the host. With it, the device rules of a cgroup that the process is in or below refuse the device',
      EEXIST: `${name} is there already, and not trusted to be the right device`,
    },
  };
}

/**
 * Shows a device of the host in an open directory, where it cannot be made: mounts it over an empty file.
 * The mount is read-only, so that the mode and the owner of the host's file stay as they are; what can be read from the device and written to it is not changed by that.
 *
 * @param from a path that the caller vouches for
 * @example
 * ```ts
 * import { boundDevice, tmpfsMount, openPlace } from '@ctr/fs';
 * const { steps, fd } = openPlace('/mnt');
 * const plan = [...steps, ...boundDevice('/dev/fuse', fd, 'fuse')];
 * ```
 */
export function boundDevice(from: string, parent: Handle, name: string): Step[] {
  checkName('device', name);
  const bound = bindMount(from, { readonly: true, noSuid: true, noExec: true, purpose: `the host's ${from}`, as: name });
  return [
    ...bound.steps,
    { call: 'mknodat', args: [parent, name, fileTypes.S_IFREG | 0o666, 0], purpose: `a file to mount ${name} on` },
    attachBelow(bound.mount, parent, name),
    closed(bound.mount, 'it is attached'),
  ];
}

/** The number of a device as mknod(2) takes it: linux/kdev_t.h, new_encode_dev(). */
function deviceNumber(name: string, { major, minor }: Device): number {
  if (major === undefined || minor === undefined) throw new TypeError(`the device ${name} needs a major and a minor number`);
  checkInteger(`the major number of ${name}`, major, 0, 0xfff);
  checkInteger(`the minor number of ${name}`, minor, 0, 0xfffff);
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}
