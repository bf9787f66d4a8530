import { atFlags, AT_FDCWD, call, Fd, isSyscallError, mountAttr, mountAttrs, openFd, openFlags, openTreeFlags } from '@ctr/syscall';

import { nullStreams, type Streams } from '../plan/streams.js';

/**
 * Has the null device of the host, among the standard streams, by a read-only mount that is attached to nothing: in a container that has no null device of its own,
 * its root cannot change the mode of the host's. Where the caller may mount nothing the device stays as it is: its owner is then root of the host, and not of the container.
 *
 * @param opened is added to, for the caller to close
 * @see mount_setattr(2)
 */
export function withReadOnlyNull(streams: Streams, opened: Fd[]): Streams {
  const fds = nullStreams(streams);
  if (fds.length === 0) return streams;
  const device = readOnlyNull();
  if (!device) return streams;
  opened.push(device);
  const [stdin, stdout, stderr] = streams;
  return [fds.includes(0) ? device : stdin, fds.includes(1) ? device : stdout, fds.includes(2) ? device : stderr];
}

function readOnlyNull(): Fd | undefined {
  try {
    const flags = openTreeFlags.OPEN_TREE_CLONE | openTreeFlags.OPEN_TREE_CLOEXEC;
    using mount = new Fd(call({ call: 'open_tree', args: [AT_FDCWD, '/dev/null', flags], purpose: "a mount of the host's /dev/null" }), '/dev/null');
    const attr = mountAttr({ attr_set: mountAttrs.MOUNT_ATTR_RDONLY | mountAttrs.MOUNT_ATTR_NOSUID | mountAttrs.MOUNT_ATTR_NOEXEC });
    call({ call: 'mount_setattr', args: [mount, '', atFlags.AT_EMPTY_PATH, attr, attr.byteLength], purpose: 'make it read-only' });
    return openFd(`/proc/self/fd/${mount.number}`, { flags: openFlags.O_RDWR | openFlags.O_NOCTTY });
  } catch (error) {
    if (isSyscallError(error)) return undefined;
    throw error;
  }
}
