import { call, cmsgFd, Fd, iovec, Memory, msghdr, SCM_RIGHTS, socketDomains, socketTypes, SOL_SOCKET, type Struct } from '@ctr/syscall';

/** linux/un.h: struct sockaddr_un is 2 bytes of the family and the path. */
const MAX_PATH_BYTES = 107;

/**
 * Connects to a socket of the file system. The path is the caller's own.
 * Throws a `RangeError` for one that is longer than a socket's can be, a `SyscallError` (ENOENT, ECONNREFUSED, ENOTSOCK).
 */
export function connectTo(path: string): Fd {
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_PATH_BYTES || bytes === 0) throw new RangeError(`${JSON.stringify(path)} is not the path of a socket: 1 to ${MAX_PATH_BYTES} bytes`);
  const address = Buffer.alloc(2 + MAX_PATH_BYTES + 1);
  address.writeUInt16LE(socketDomains.AF_UNIX);
  address.write(path, 2);
  const socket = new Fd(
    call({ call: 'socket', args: [socketDomains.AF_UNIX, socketTypes.SOCK_STREAM | socketTypes.SOCK_CLOEXEC, 0], purpose: 'a socket' }),
    path,
  );
  try {
    call({ call: 'connect', args: [socket, new Memory(address, 'address'), address.byteLength], purpose: `connect to ${path}` });
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket;
}

/** Sends a text with an open file to whoever listens at a socket. @see unix(7): SCM_RIGHTS */
export function sendFile(socket: Fd, text: string, file: Fd): void {
  const message = new Memory(Buffer.from(text), 'message');
  const control: Struct = cmsgFd({ cmsg_len: cmsgFd.offsetOf('fd') + 4, cmsg_level: SOL_SOCKET, cmsg_type: SCM_RIGHTS, fd: file.number });
  const header = msghdr({
    msg_iov: iovec({ iov_base: message, iov_len: message.byteLength }),
    msg_iovlen: 1,
    msg_control: control,
    msg_controllen: cmsgFd.byteLength,
  });
  call({ call: 'sendmsg', args: [socket, header, 0], purpose: `send ${file.path ?? 'a file'}` });
}

/** Hands the master of a terminal over, as runc does: its name is the message. */
export function sendConsole(path: string, master: Fd): void {
  using socket = connectTo(path);
  sendFile(socket, '/dev/ptmx', master);
}

/** Sends a pidfd of a child of this process that has not been waited for: no other can be taken for it. */
export function sendPidfd(path: string, pid: number): void {
  using socket = connectTo(path);
  using pidfd = new Fd(call({ call: 'pidfd_open', args: [pid, 0], purpose: `hold on to process ${pid}` }), `process ${pid}`);
  sendFile(socket, 'pidfd', pidfd);
}
