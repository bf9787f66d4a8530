import {
  call,
  callInto,
  Fd,
  handOver,
  launch,
  Memory,
  messageFlags,
  netlinkErrorAttributes,
  netlinkFlags,
  netlinkMessages,
  netlinkOptions,
  netlinkProtocols,
  resultOf,
  SOL_NETLINK,
  socketDomains,
  socketTypes,
  SyscallError,
  type Step,
} from '@ctr/syscall';

import { join } from '../join.js';
import { decode, decodeAttributes, encode, stringOf, u32, type Message } from './message.js';

/** A dump fills no more at once, and an answer to one question is smaller. @see netlink(7), and NLMSG_GOODSIZE of the kernel */
const ANSWER_BYTES = 32 * 1024;
/** So often what changes while it is listed is listed again. */
const MAX_DUMPS = 100;
/** linux/netlink.h: struct nlmsgerr: the errno, negative, and the header of the request */
const ERROR_BYTES = 20;

/** What is asked of the kernel, and how an error tells of it. */
export interface Request {
  readonly type: number;
  readonly flags?: number;
  readonly payload: Buffer;
  /** The name of the message: `RTM_NEWLINK`. */
  readonly name: string;
  /** What it says, for errors: `ifi_index=4, IFLA_IFNAME="eth0"`. */
  readonly shown: string;
  readonly purpose: string;
  readonly hints?: Step['hints'];
}

/** A socket of rtnetlink(7), which speaks of the devices of one network namespace: the one that it was made in. It is held as long as the socket is open. */
export class RouteSocket implements Disposable {
  readonly #fd: Fd;
  #sequence = 0;

  private constructor(fd: Fd) {
    this.#fd = fd;
    // The kernel's own words come with an error, and the request does not.
    for (const option of [netlinkOptions.NETLINK_EXT_ACK, netlinkOptions.NETLINK_CAP_ACK])
      call({ call: 'setsockopt', args: [fd, SOL_NETLINK, option, u32(1), 4], purpose: 'how errors are told' });
  }

  /** One of the namespace that this thread is in. */
  static open(): RouteSocket {
    return new RouteSocket(new Fd(call(socket()), 'rtnetlink'));
  }

  /** One of another namespace, with the rights of this process: a process that is there for a moment makes it. */
  static async openIn(namespace: Fd): Promise<RouteSocket> {
    const made = socket();
    let file: Fd | undefined;
    const child = await launch(
      [
        ...join(namespace, 'net'),
        made,
        ...handOver(resultOf(made), 'hand the socket over'),
        { call: 'exit_group', args: [0], purpose: 'the socket is all that was to be made' },
      ],
      { onFile: (each) => (file = each) },
    );
    await child.exited;
    if (!file) throw new Error('no socket could be had in a network namespace');
    return new RouteSocket(file);
  }

  /** Asks for something to be done or told, and returns what is told. Throws a {@link SyscallError} under the name of the message. */
  request(request: Request): Message[] {
    return this.#exchange(request, netlinkFlags.NLM_F_ACK).messages;
  }

  /** Asks for a list of all. */
  dump(request: Request): Message[] {
    for (let tries = 0; tries < MAX_DUMPS; tries++) {
      const { messages, interrupted } = this.#exchange(request, netlinkFlags.NLM_F_DUMP);
      if (!interrupted) return messages;
    }
    throw new Error(`${request.purpose}: it has changed each of the ${MAX_DUMPS} times that it was read`);
  }

  [Symbol.dispose](): void {
    this.#fd.close();
  }

  #exchange(request: Request, how: number): { readonly messages: Message[]; readonly interrupted: boolean } {
    const { type, flags = 0, payload, purpose } = request;
    const sequence = ++this.#sequence;
    const bytes = encode({ type, flags: netlinkFlags.NLM_F_REQUEST | how | flags, sequence, payload });
    call({ call: 'write', args: [this.#fd, bytes, bytes.length], purpose });
    const messages: Message[] = [];
    let interrupted = false;
    for (;;) {
      for (const message of this.#receive(purpose)) {
        if (message.sequence !== sequence) continue;
        interrupted ||= (message.flags & netlinkFlags.NLM_F_DUMP_INTR) !== 0;
        const isLast = message.type === netlinkMessages.NLMSG_ERROR || message.type === netlinkMessages.NLMSG_DONE;
        if (!isLast) {
          messages.push(message);
          continue;
        }
        const errno = -message.payload.readInt32LE(0);
        if (errno > 0) throw failureOf(request, errno, message);
        return { messages, interrupted };
      }
    }
  }

  /** What the kernel has answered is there when the request has been written: nothing is waited for. */
  #receive(purpose: string): Message[] {
    const answer = new Memory(ANSWER_BYTES, 'answer');
    const flags = messageFlags.MSG_DONTWAIT | messageFlags.MSG_TRUNC;
    const { result, bytes } = callInto({ call: 'recvfrom', args: [this.#fd, answer, ANSWER_BYTES, flags, null, null], purpose }, answer);
    if (result > ANSWER_BYTES) throw new RangeError(`${purpose}: an answer of ${result} bytes, where ${ANSWER_BYTES} were awaited`);
    return decode(bytes.subarray(0, result));
  }
}

function socket(): Step {
  return {
    call: 'socket',
    args: [socketDomains.AF_NETLINK, socketTypes.SOCK_RAW | socketTypes.SOCK_CLOEXEC, netlinkProtocols.NETLINK_ROUTE],
    purpose: 'a socket of rtnetlink, to speak of network devices',
    as: 'rtnetlink',
  };
}

function failureOf({ name, shown, purpose, hints = {} }: Request, errno: number, { type, payload }: Message): SyscallError {
  const start = type === netlinkMessages.NLMSG_ERROR ? ERROR_BYTES : 4;
  const words = decodeAttributes(payload.subarray(start)).get(netlinkErrorAttributes.NLMSGERR_ATTR_MSG);
  const failure = { call: name, line: `${name}(${shown})`, errno, purpose };
  const known = hints[new SyscallError(failure).code];
  const hint = [known, words && `the kernel says: ${stringOf(words)}`].filter((part) => part !== undefined).join('; ');
  return new SyscallError({ ...failure, ...(hint !== '' && { hint }) });
}
