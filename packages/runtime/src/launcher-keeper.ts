import {
  cloneFlags,
  iovec,
  KEEPER_FD,
  Memory,
  messageFlags,
  msghdr,
  openFlags,
  signals,
  socketDomains,
  socketTypes,
  waitFlags,
  waitIdTypes,
  type Jump,
  type Step,
} from '@ctr/syscall';

/** The files of the keeper: the socket that registrations come by, and from here on the pidfds that they bring, in order. */
const SOCKET = 0;
const FIRST_PIDFD = 1;
const LAST_FD = 0xffffffff;
/** struct cmsghdr of linux/socket.h, with room for one fd. */
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
 * @param registrations how many processes register
 * @see unix(7), clone(2): CLONE_PIDFD
 */
export function launcherKeeper(registrations: number): LauncherKeeper {
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
      ...keeping(pair, registrations),
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
function keeping(pair: Memory, registrations: number): Step[] {
  const control = new Memory(CONTROL_BYTES, 'control');
  const message = msghdr({
    msg_iov: iovec({ iov_base: new Memory(8, 'data'), iov_len: 1 }),
    msg_iovlen: 1,
    msg_control: control,
    msg_controllen: CONTROL_BYTES,
  });
  const receive: Step = {
    call: 'recvmsg',
    args: [SOCKET, message, messageFlags.MSG_CMSG_CLOEXEC],
    purpose: 'a registration, of one byte, or the end',
    tolerates: 'any',
    get jump(): Jump {
      return { when: '==', than: 1, to: receive };
    },
  };
  const kill = (_: unknown, i: number): Step => ({
    call: 'pidfd_send_signal',
    args: [FIRST_PIDFD + i, signals.SIGKILL, null, 0],
    purpose: 'kill what is kept',
    tolerates: 'any',
  });
  return [
    { call: 'setsid', args: [], purpose: 'no signals by way of the terminal', tolerates: 'any' },
    { call: 'dup3', args: [pair.i32(0), SOCKET, 0], purpose: 'the socket', tolerates: 'any' },
    { call: 'close_range', args: [FIRST_PIDFD, LAST_FD, 0], purpose: 'nothing else is open', tolerates: 'any' },
    receive,
    ...Array.from({ length: registrations }, kill),
    { call: 'exit_group', args: [0], purpose: 'nothing is left to keep' },
  ];
}
