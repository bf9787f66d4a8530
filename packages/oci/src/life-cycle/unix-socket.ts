import { call, Fd, Memory, socketDomains, socketTypes, quote } from '@ctr/syscall';

/** linux/un.h: struct sockaddr_un is 2 bytes of the family and the path. */
const MAX_PATH_BYTES = 107;

/**
 * Connects to a socket of the file system, or for `@name` to an abstract one. The path is the caller's own.
 * Throws a `RangeError` for one that is longer than a socket's can be, a `SyscallError` (ENOENT, ECONNREFUSED, ENOTSOCK, EPROTOTYPE).
 */
export function connectTo(path: string, type: 'SOCK_STREAM' | 'SOCK_DGRAM' = 'SOCK_STREAM'): Fd {
  return withSocket(path, type, 'connect', `connect to ${path}`);
}

/** A socket for datagrams that others find at a path, where nothing is yet. Throws as {@link connectTo} does, and EADDRINUSE. */
export function bindTo(path: string): Fd {
  return withSocket(path, 'SOCK_DGRAM', 'bind', `have a socket at ${path}`);
}

function withSocket(path: string, type: 'SOCK_STREAM' | 'SOCK_DGRAM', how: 'connect' | 'bind', purpose: string): Fd {
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_PATH_BYTES || bytes === 0) throw new RangeError(`${quote(path)} is not the path of a socket: 1 to ${MAX_PATH_BYTES} bytes`);
  const address = Buffer.alloc(2 + MAX_PATH_BYTES + 1);
  address.writeUInt16LE(socketDomains.AF_UNIX);
  address.write(path, 2);
  const isAbstract = path.startsWith('@');
  // What names an abstract socket begins with a zero, and all of it counts.
  if (isAbstract) address[2] = 0;
  const socket = new Fd(call({ call: 'socket', args: [socketDomains.AF_UNIX, socketTypes[type] | socketTypes.SOCK_CLOEXEC, 0], purpose: 'a socket' }), path);
  try {
    call({ call: how, args: [socket, new Memory(address, 'address'), isAbstract ? 2 + bytes : address.byteLength], purpose });
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket;
}
