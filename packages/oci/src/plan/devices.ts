import { basename, dirname, posix } from 'node:path';

import { bindMount, attach, device, inRoot, openPlace, symlink, type Handle } from '@ctr/fs';
import { atFlags, errnos, fileTypes, label, openFlags, resultOf, type ResultOf, type Step } from '@ctr/syscall';

import type { LinuxDevice } from '../config/device.js';
import { closed } from './attributes.js';

/** Config-linux of the runtime-spec, "Default Devices". */
const usual: readonly LinuxDevice[] = (
  [
    ['null', 1, 3],
    ['random', 1, 8],
    ['full', 1, 7],
    ['tty', 5, 0],
    ['zero', 1, 5],
    ['urandom', 1, 9],
  ] as const
).map(([name, major, minor]) => ({ path: `/dev/${name}`, type: 'c', major, minor, fileMode: 0o666, uid: 0, gid: 0 }));

/** The same, "Default symbolic links" of /dev; what leads to the core of the kernel is masked in most containers. */
const links = { fd: '/proc/self/fd', stdin: '/proc/self/fd/0', stdout: '/proc/self/fd/1', stderr: '/proc/self/fd/2', core: '/proc/kcore' } as const;
const types = { c: 'char', u: 'char', b: 'block', p: 'fifo' } as const;
const DEFAULT_MODE = 0o666;
/** Engines take the mode of the host's file, its type included. */
const PERMISSIONS = 0o7777;

/**
 * The device files of a container: the usual ones, those of the configuration, and the links of /dev. What is there already stays as it is.
 * Every directory is found below the root, and what is made is made in it by its handle: a /dev that is a link leads nowhere else.
 *
 * @param nodes `make` where the process may make devices; `bind` shows those of the host, in a user namespace
 */
export function deviceSteps(
  devices: readonly LinuxDevice[],
  root: ResultOf,
  { nodes, hasCore }: { readonly nodes: 'make' | 'bind'; readonly hasCore: boolean },
): Step[] {
  // The multiplexer of terminals is a link to that of /dev/pts, whatever the configuration says: it may only say that it may be used.
  const listed = devices.map((each) => ({ ...each, path: pathOf(each) })).filter(({ path }) => path !== '/dev/ptmx');
  // Of two at one path the first is there.
  const given = new Map(listed.toReversed().map((each) => [each.path, each]));
  const all = [...usual.filter(({ path }) => !given.has(path)), ...[...given.values()].toReversed()];
  const dev = openPlace(inRoot(root, '/dev', { create: 'directory' }));
  return [
    ...dev.steps,
    ...all.flatMap((each) => {
      const { path } = each;
      if (dirname(path) === '/dev') return deviceIn(dev.fd, basename(path), each, nodes);
      // The root stays open for all that comes behind.
      if (dirname(path) === '/') return deviceIn(root, basename(path), each, nodes);
      const parent = openPlace(inRoot(root, dirname(path), { create: 'directory' }));
      return [...parent.steps, ...deviceIn(parent.fd, basename(path), each, nodes), closed(parent.fd)];
    }),
    ...Object.entries(links)
      .filter(([name]) => name !== 'core' || hasCore)
      .map(([name, target]): Step => ({ ...symlink(target, dev.fd, name), tolerates: ['EEXIST'] })),
    { call: 'unlinkat', args: [dev.fd, 'ptmx', 0], purpose: 'terminals are those of /dev/pts alone', tolerates: ['ENOENT'] },
    symlink('pts/ptmx', dev.fd, 'ptmx'),
    closed(dev.fd),
  ];
}

function pathOf({ path }: LinuxDevice): string {
  return posix.normalize(path).replace(/(.)\/$/, '$1');
}

function deviceIn(parent: Handle, name: string, given: LinuxDevice, nodes: 'make' | 'bind'): Step[] {
  return nodes === 'bind' && given.type !== 'p' ? bound(parent, name, given) : made(parent, name, given);
}

function made(parent: Handle, name: string, { type, major, minor, fileMode, uid, gid }: LinuxDevice): Step[] {
  const done = label(`${name} is there`);
  const make = device(parent, name, {
    type: types[type],
    mode: (fileMode ?? DEFAULT_MODE) & PERMISSIONS,
    ...(type !== 'p' && { major: major ?? 0, minor: minor ?? 0 }),
  });
  if (!uid && !gid) return [{ ...make, tolerates: ['EEXIST'] }];
  return [
    { ...make, tolerates: ['EEXIST'], jump: { when: '==', than: -errnos.EEXIST, to: done } },
    { call: 'fchownat', args: [parent, name, uid ?? 0, gid ?? 0, atFlags.AT_SYMLINK_NOFOLLOW], purpose: `${name} belongs to ${uid ?? 0}:${gid ?? 0}` },
    done,
  ];
}

/** The device of the host of the same path, mounted over a file. The mount is read-only: mode, owner and times of the host's file stay as they are. */
function bound(parent: Handle, name: string, { path }: LinuxDevice): Step[] {
  const from = bindMount(path, { readonly: true, noSuid: true, noExec: true, purpose: `the host's ${path}`, as: name });
  const place: Step = {
    call: 'openat',
    args: [parent, name, openFlags.O_PATH | openFlags.O_NOFOLLOW | openFlags.O_CLOEXEC, 0],
    purpose: 'where it is mounted',
    as: `at-${name}`,
  };
  return [
    ...from.steps,
    { call: 'mknodat', args: [parent, name, fileTypes.S_IFREG | DEFAULT_MODE, 0], purpose: `a file to mount ${name} on`, tolerates: ['EEXIST'] },
    place,
    ...attach(from.mount, resultOf(place)),
    closed(from.mount),
    closed(resultOf(place)),
  ];
}
