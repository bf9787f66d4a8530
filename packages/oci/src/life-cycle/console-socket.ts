import { call, cmsgFd, Fd, iovec, Memory, msghdr, SCM_RIGHTS, SOL_SOCKET, type Struct } from '@ctr/syscall';

import { connectTo } from './unix-socket.js';

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
