import { epollEvents, epollOperations, maskHow, messageFlags, openFlags, prctlOptions, rlimitResources, SHUT_RD, signals } from './abi/constants.js';
import { hostArch } from './abi/numbers.js';
import { iovec, msghdr } from './abi/structs.js';
import type { Fd } from './fd.js';
import { CMSGHDR_BYTES, KEPT, WAY } from './keeper.js';
import { Memory, type Load } from './memory.js';
import { label, resultOf, type Arg, type Jump, type Plan, type Step } from './step.js';

/** The files of the keeper: the two that are waited for, the epoll instance, and from here on those that it is given. */
const SOCKET = 0;
const ALIVE = 1;
const FIRST_GIVEN = 3;
const LAST_FD = 0xffffffff;

/** linux/eventpoll.h, struct epoll_event: packed on x64 only. */
const EVENT_BYTES = hostArch() === 'x64' ? 12 : 16;
const DATA = EVENT_BYTES - 8;
/** Room for three files, as a registration has them: the end of the pipe by which it is answered, the pidfd, and perhaps the file `cgroup.kill`. */
const CONTROL_BYTES = CMSGHDR_BYTES + 16;
const PIPE = CMSGHDR_BYTES;
const FILES = CMSGHDR_BYTES + 4;
/** Where a registration brings the way of a process, that takes the place of the pipe; this bit in what epoll(7) says of it, and of no other file, tells so. */
const WAY_BIT = 2 ** 30;
const WAY_BITS = BigInt(WAY_BIT) * 2n ** 32n;
/** struct cmsghdr and struct ucred, of linux/socket.h, which begins with the pid. */
const CREDENTIALS_BYTES = CMSGHDR_BYTES + 16;

/** A jump that is always taken: no result of a step that stands before one is -1. */
const always = (to: Step): Jump => ({ when: '!=', than: -1, to });

/**
 * The keeper: waits for the end of its host, and kills what has registered by `registerWithKeeper`. There is one for each host, whatever the number of containers:
 * of each of them it holds one file or two, which it closes at the container's end. A group ends with the process that has registered it.
 * It answers a registration when it holds all its files; the process that registers waits for that.
 *
 * A session of its own and a mask keep all signals away but SIGKILL and SIGSTOP. A process that shares its pid namespace cannot look into it.
 *
 * @param socket the end of a pair of SOCK_SEQPACKET by which registrations come
 * @param alive the read end of a pipe whose write end the host alone has
 * @see epoll(7), pidfd_send_signal(2)
 */
export function keeperPlan(socket: Fd, alive: Fd): Plan {
  const loop = label('wait again');
  const event = eventOf(0);
  const limit = new Memory(16, 'limit');
  const epoll: Step = { call: 'epoll_create1', args: [0], purpose: 'the files to wait for', as: 'epoll' };
  const add = (fd: Arg, of: Memory, purpose: string): Step => ({
    call: 'epoll_ctl',
    args: [resultOf(epoll), epollOperations.EPOLL_CTL_ADD, fd, of],
    purpose,
  });
  const watch: Watch = (file, item, purpose = 'wait for its end') => ({ ...add(file, item, purpose), tolerates: 'any' });
  const ended = label('this container has ended by itself');
  const { steps: receive, end, isOver } = receiving(loop, watch);
  const unwatch: Step = {
    call: 'epoll_ctl',
    args: [resultOf(epoll), epollOperations.EPOLL_CTL_DEL, event.i32(DATA), event],
    purpose: 'it is not waited for any more',
    tolerates: 'any',
  };
  const over: Step = { call: 'add', args: [1, 0], purpose: 'the host has ended', into: isOver.at(0) };
  return [
    { call: 'setsid', args: [], purpose: 'no signals by way of the terminal' },
    { call: 'rt_sigprocmask', args: [maskHow.SIG_BLOCK, new Memory(Buffer.alloc(8, 0xff), 'all'), null, 8], purpose: 'nor any other signals' },
    { call: 'prctl', args: [prctlOptions.PR_SET_DUMPABLE, 0, 0, 0, 0], purpose: 'nobody looks into this process' },
    { call: 'prctl', args: [prctlOptions.PR_SET_NAME, 'ctr-keeper', 0, 0, 0], purpose: 'a name to find it by' },
    { call: 'chdir', args: ['/'], purpose: 'no directory of the host stays in use' },
    { call: 'dup3', args: [socket, SOCKET, 0], purpose: 'the socket' },
    { call: 'dup3', args: [alive, ALIVE, 0], purpose: 'the pipe' },
    { call: 'close_range', args: [ALIVE + 1, LAST_FD, 0], purpose: 'nothing else is open' },
    { call: 'prlimit64', args: [0, rlimitResources.RLIMIT_NOFILE, null, limit], purpose: 'how many files may be open', tolerates: 'any' },
    { call: 'add', args: [limit.u64(8), 0], purpose: 'as many as are allowed', into: limit.at(0), tolerates: 'any' },
    { call: 'prlimit64', args: [0, rlimitResources.RLIMIT_NOFILE, limit, null], purpose: 'there may be many containers', tolerates: 'any' },
    epoll,
    add(SOCKET, eventOf(SOCKET), 'wait for registrations'),
    add(ALIVE, eventOf(ALIVE), 'wait for the end of the host'),
    loop,
    {
      call: 'epoll_pwait',
      args: [resultOf(epoll), event, 1, -1, null, 8],
      purpose: 'wait',
      tolerates: ['EINTR'],
      jump: { when: '<', than: 1, to: loop },
    },
    { call: 'add', args: [event.i32(DATA), 0], purpose: 'a registration?', jump: { when: '==', than: SOCKET, to: receive[0] } },
    { call: 'add', args: [event.i32(DATA), 0], purpose: 'the end of the host?', jump: { when: '==', than: ALIVE, to: over } },
    { call: 'add', args: [event.i32(DATA + 4), 0], purpose: 'the end of a container?', jump: { when: '<', than: WAY_BIT, to: ended } },
    ...byOwnWay(event, end, { loop, ended, unwatch, watch }),
    ended,
    // The open file may be another process's, too, and is watched until all have closed it.
    unwatch,
    { call: 'close', args: [event.i32(DATA)], purpose: 'its pidfd', tolerates: 'any' },
    { call: 'add', args: [event.i32(DATA + 4), 0], purpose: 'is there a file of its cgroup?', jump: { when: '==', to: loop } },
    // The process may have been ended by its tie to a thread of the host that has ended before the others: the end of the host is yet to come then.
    { call: 'write', args: [event.i32(DATA + 4), '1', 1], purpose: 'its end is that of all in its cgroup', tolerates: 'any' },
    { call: 'close', args: [event.i32(DATA + 4)], purpose: 'the file of its cgroup', tolerates: 'any', jump: always(loop) },
    over,
    // Whoever registers from here on is refused (EPIPE) and never becomes a program; who has registered before is still in the queue.
    { call: 'shutdown', args: [SOCKET, SHUT_RD], purpose: 'nothing more can be registered', tolerates: 'any' },
    ...receive,
    ...killing(end),
  ];
}

type Watch = (file: Arg, item: Memory, purpose?: string) => Step;

interface Around {
  readonly loop: Step;
  /** Where the files of the event are closed. */
  readonly ended: Step;
  readonly unwatch: Step;
  readonly watch: Watch;
}

/**
 * A process registers by a way of its own, or has closed that. What the kernel says of the sender is a pid, which may be another process's once the sender has ended;
 * but then the sender's end of the way is closed, and cannot be written to. The pidfd takes the number of the way.
 */
function byOwnWay(event: Memory, end: Memory, { loop, ended, unwatch, watch }: Around): Step[] {
  const control = new Memory(CREDENTIALS_BYTES, 'credentials');
  const message = msghdr({ msg_iov: iovec({ iov_base: new Memory(8, 'data'), iov_len: 1 }), msg_iovlen: 1, msg_control: control });
  const item = eventOf(0);
  const gone = label('nobody is to be kept');
  const isGone = label('it has ended');
  const open: Step = {
    call: 'pidfd_open',
    args: [control.i32(CMSGHDR_BYTES), 0],
    purpose: 'the process',
    as: 'pidfd',
    tolerates: 'any',
    jump: { when: '<', to: gone },
  };
  return [
    { call: 'add', args: [0, 0], purpose: 'nobody yet', into: control.at(CMSGHDR_BYTES) },
    { call: 'add', args: [CREDENTIALS_BYTES, 0], purpose: 'room for who it is', into: message.field('msg_controllen') },
    {
      call: 'recvmsg',
      args: [event.i32(DATA), message, messageFlags.MSG_DONTWAIT | messageFlags.MSG_CMSG_CLOEXEC],
      purpose: 'a process by a way of its own',
      tolerates: 'any',
      jump: { when: '<', than: 1, to: gone },
    },
    open,
    {
      call: 'write',
      args: [event.i32(DATA), KEPT, 1],
      purpose: 'tell the process that it is kept',
      tolerates: 'any',
      jump: { when: '<', than: 1, to: isGone },
    },
    { ...unwatch, purpose: 'its way has done its part' },
    { call: 'dup3', args: [resultOf(open), event.i32(DATA), openFlags.O_CLOEXEC], purpose: 'the process takes its place', tolerates: 'any' },
    { call: 'close', args: [resultOf(open)], purpose: 'one file is enough', tolerates: 'any' },
    { call: 'add', args: [event.u64(DATA), -WAY_BITS], purpose: 'its files, to be closed together', into: item.at(DATA) },
    watch(event.i32(DATA), item),
    ...counting([item.i32(DATA), item.i32(DATA + 4)], end, loop),
    isGone,
    { call: 'close', args: [resultOf(open)], purpose: 'it is not kept', tolerates: 'any' },
    gone,
    { call: 'add', args: [event.u64(DATA), -WAY_BITS], purpose: 'its files', into: event.at(DATA), jump: { when: '!=', than: -1, to: ended } },
  ];
}

/** Keeps count of the highest file of all. */
function counting(files: readonly Load[], end: Memory, then: Step): Step[] {
  return files.flatMap((file, i): Step[] => {
    const next = label(i + 1 < files.length ? 'the second file' : 'they are counted');
    const to = i + 1 < files.length ? next : then;
    return [
      { call: 'add', args: [file, 0], purpose: 'is it the highest?', jump: { when: '<', than: end.u64(), to } },
      { call: 'add', args: [file, 1], purpose: 'it is', into: end.at(0), ...(to === next ? {} : { jump: always(then) }) },
      ...(to === next ? [next] : []),
    ];
  });
}

/** Takes all registrations that have come. Goes on with the next step if the host has ended, else in `loop`. */
function receiving(loop: Step, watch: Watch): { readonly steps: readonly [Step, ...Step[]]; readonly end: Memory; readonly isOver: Memory } {
  const control = new Memory(CONTROL_BYTES, 'control');
  const data = new Memory(8, 'data');
  const message = msghdr({ msg_iov: iovec({ iov_base: data, iov_len: 8 }), msg_iovlen: 1, msg_control: control });
  const item = eventOf(0);
  /** The first fd above all that were given. */
  const end = counter('end');
  const isOver = new Memory(8, 'is_over');
  const next = label('the next registration');
  const process = label('a process');
  const answer = label('it is kept');
  const refuse = label('no room for all of its files');
  const unanswered = label('the pipe');
  const none = label('no more registrations');
  const [pipe, file, further] = [control.i32(PIPE), control.i32(FILES), control.i32(FILES + 4)];
  const recv: Step = {
    call: 'recvmsg',
    args: [SOCKET, message, messageFlags.MSG_DONTWAIT | messageFlags.MSG_CMSG_CLOEXEC],
    purpose: 'a registration',
    tolerates: 'any',
    jump: { when: '<', than: 1, to: none },
  };
  const steps: readonly [Step, ...Step[]] = [
    next,
    { call: 'add', args: [0, 0], purpose: 'nothing yet', into: control.at(0) },
    { call: 'add', args: [0, 0], purpose: 'nor what it is', into: data.at(0) },
    { call: 'add', args: [0, 0], purpose: 'no files yet', into: control.at(CMSGHDR_BYTES) },
    { call: 'add', args: [0, 0], purpose: 'nor a third one', into: control.at(CMSGHDR_BYTES + 8) },
    { call: 'add', args: [CONTROL_BYTES, 0], purpose: 'room for three', into: message.field('msg_controllen') },
    recv,
    // The kernel leaves out, without an error, what the table of files has no room for: unix(7).
    { call: 'add', args: [data.u8(0), 0], purpose: 'was there room for all of its files?', jump: { when: '!=', than: control.u64(0), to: refuse } },
    { call: 'add', args: [data.u8(1), 0], purpose: 'is it a process?', jump: { when: '!=', than: WAY, to: process } },
    { call: 'add', args: [control.u64(PIPE), WAY_BITS], purpose: 'it is the way of one', into: item.at(DATA) },
    { ...watch(pipe, item, 'wait for the process'), jump: always(next) },
    process,
    { call: 'add', args: [control.u64(FILES), 0], purpose: 'its files, to be closed together', into: item.at(DATA) },
    watch(file, item),
    ...counting([file, further], end, answer),
    answer,
    { call: 'write', args: [pipe, KEPT, 1], purpose: 'tell the process that it is kept', tolerates: 'any' },
    { call: 'close', args: [pipe], purpose: 'it has been told', tolerates: 'any', jump: always(next) },
    // The end of the pipe tells the process that it is not kept. A third file is never there without the others.
    refuse,
    { call: 'add', args: [file, 0], purpose: 'has its pidfd come?', jump: { when: '==', to: unanswered } },
    { call: 'close', args: [file], purpose: 'it is not kept', tolerates: 'any' },
    unanswered,
    { call: 'add', args: [pipe, 0], purpose: 'has the pipe come?', jump: { when: '==', to: next } },
    { call: 'close', args: [pipe], purpose: 'no answer', tolerates: 'any', jump: always(next) },
    none,
    { call: 'add', args: [isOver.u64(), 0], purpose: 'has the host ended?', jump: { when: '==', to: loop } },
  ];
  return { steps, end, isOver };
}

/** Goes through all files: a pidfd takes the signal, and a `cgroup.kill` the number; each refuses the other. */
function killing(end: Memory): Step[] {
  const file = counter('file');
  const kill: Step = {
    call: 'pidfd_send_signal',
    args: [file.i32(0), signals.SIGKILL, null, 0],
    purpose: 'kill the first process of a container',
    tolerates: 'any',
  };
  return [
    kill,
    { call: 'write', args: [file.i32(0), '1', 1], purpose: 'or all of a cgroup', tolerates: 'any' },
    { call: 'add', args: [file.u64(0), 1], purpose: 'the next file', into: file.at(0), jump: { when: '<', than: end.u64(), to: kill } },
    { call: 'exit_group', args: [0], purpose: 'nothing is left to keep' },
  ];
}

function counter(name: string): Memory {
  return new Memory(Buffer.from(BigUint64Array.of(BigInt(FIRST_GIVEN)).buffer), name);
}

/** struct epoll_event for a file that is to be read; the data is its number. */
function eventOf(fd: number): Memory {
  const bytes = Buffer.alloc(EVENT_BYTES);
  bytes.writeUInt32LE(epollEvents.EPOLLIN, 0);
  bytes.writeUInt32LE(fd, DATA);
  return new Memory(bytes, 'event');
}
