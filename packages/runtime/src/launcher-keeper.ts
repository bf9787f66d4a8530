import {
  cloneFlags,
  fcntlCommands,
  iovec,
  KEEPER_FD,
  label,
  Memory,
  messageFlags,
  msghdr,
  openFlags,
  signals,
  socketDomains,
  socketTypes,
  waitFlags,
  waitIdTypes,
  type Step,
} from '@ctr/syscall';

/** The files of the keeper: the socket that the registration comes by, and what that brings: the end of a pipe by which it is answered, and the pidfd. */
const SOCKET = 0;
const PIPE = 1;
const PIDFD = 2;
const LAST_FD = 0xffffffff;
/** struct cmsghdr of linux/socket.h, with room for two fds. */
const CONTROL_BYTES = 24;

/** The steps of a launcher that have to do with its keeper. */
export interface LauncherKeeper {
  /** Makes the keeper: before anything is open that others have to see the end of. */
  readonly begin: readonly Step[];
  /** Ends it, after the container's end. */
  readonly end: readonly Step[];
}

/**
 * The keeper of a compiled container: a process that shares the few pages of the launcher, and waits until nobody has the other end of its socket any more:
 * the launcher, and whoever sets the container up. Then it kills what has registered.
 *
 * @see unix(7), clone(2): CLONE_PIDFD
 */
export function launcherKeeper(): LauncherKeeper {
  const pair = new Memory(8, 'pair');
  const pidfd = new Memory(8, 'keeper');
  const type = socketTypes.SOCK_SEQPACKET | socketTypes.SOCK_CLOEXEC;
  const flags = cloneFlags.CLONE_VM | cloneFlags.CLONE_PIDFD | signals.SIGCHLD;
  // The end that the keeper reads stays open here, too: whoever waits for an end of file waits for the other one.
  const goOn: Step = {
    call: 'dup3',
    args: [pair.i32(4), KEEPER_FD, openFlags.O_CLOEXEC],
    purpose: 'the way to the keeper, where the plan has it',
    // EINVAL: it is there already.
    tolerates: ['EINVAL'],
  };
  return {
    begin: [
      { call: 'socketpair', args: [socketDomains.AF_UNIX, type, 0, pair], purpose: 'a way to the keeper' },
      {
        call: 'clone',
        args: [flags, new Memory(64, 'stack'), pidfd, null, null],
        purpose: 'the keeper, which kills the container when this process ends',
        jump: { when: '!=', to: goOn },
      },
      ...keeping(pair),
      goOn,
    ],
    end: [
      { call: 'pidfd_send_signal', args: [pidfd.i32(), signals.SIGKILL, null, 0], purpose: 'the keeper has nothing to keep', tolerates: 'any' },
      {
        call: 'waitid',
        args: [waitIdTypes.P_PIDFD, pidfd.i32(), null, waitFlags.WEXITED | waitFlags.__WALL, null],
        purpose: 'nothing is left of it',
        tolerates: 'any',
      },
    ],
  };
}

/** The keeper itself. A step of it that fails is not for this process to tell of. */
function keeping(pair: Memory): Step[] {
  const control = new Memory(CONTROL_BYTES, 'control');
  const unkept = label('the pipe');
  const message = msghdr({
    msg_iov: iovec({ iov_base: new Memory(8, 'data'), iov_len: 1 }),
    msg_iovlen: 1,
    msg_control: control,
    msg_controllen: CONTROL_BYTES,
  });
  const kill: Step = { call: 'pidfd_send_signal', args: [PIDFD, signals.SIGKILL, null, 0], purpose: 'kill what is kept', tolerates: 'any' };
  const receive: Step = {
    call: 'recvmsg',
    args: [SOCKET, message, messageFlags.MSG_CMSG_CLOEXEC],
    purpose: 'a registration, of one byte, or the end',
    tolerates: 'any',
    jump: { when: '!=', than: 1, to: kill },
  };
  return [
    { call: 'setsid', args: [], purpose: 'no signals by way of the terminal', tolerates: 'any' },
    { call: 'dup3', args: [pair.i32(0), SOCKET, 0], purpose: 'the socket', tolerates: 'any' },
    { call: 'close_range', args: [PIPE, LAST_FD, 0], purpose: 'nothing else is open', tolerates: 'any' },
    receive,
    // With room for one file there is no pidfd, and no answer: the end of the pipe tells the process that it is not kept.
    { call: 'fcntl', args: [PIDFD, fcntlCommands.F_GETFD, 0], purpose: 'was there room for both files?', tolerates: 'any', jump: { when: '<', to: unkept } },
    { call: 'write', args: [PIPE, 'k', 1], purpose: 'tell the process that it is kept', tolerates: 'any' },
    unkept,
    { call: 'close', args: [PIPE], purpose: 'it has been told', tolerates: 'any', jump: { when: '!=', than: -1, to: receive } },
    kill,
    { call: 'exit_group', args: [0], purpose: 'nothing is left to keep' },
  ];
}
