import { interfaceFlags, linkAttributes, routeMessages, type Fd, type Step } from '@ctr/syscall';

import { decodeAttributes, encodeAttributes, string, stringOf, u32, type Message } from './message.js';
import type { RouteSocket } from './route-socket.js';

/** A network device, as the kernel tells of it. */
export interface Link {
  /** Its number in its namespace. */
  readonly index: number;
  readonly name: string;
  readonly isUp: boolean;
  readonly isLoopback: boolean;
}

/** linux/rtnetlink.h, struct ifinfomsg: family, type of the hardware, index, flags, and which of these are to be changed */
const IFINFOMSG_BYTES = 16;
const INDEX = 4;
const FLAGS = 8;
const CHANGE = 12;

const rightsHint =
  'to move a network device takes CAP_NET_ADMIN in the user namespaces that both network namespaces belong to: for one of the host, root outside of all user namespaces';

/** The device of a name. Throws a `SyscallError` ENODEV if there is none. */
export function linkNamed(socket: RouteSocket, name: string): Link {
  const messages = socket.request({
    ...getLink,
    payload: Buffer.concat([ifinfomsg({}), encodeAttributes([[linkAttributes.IFLA_IFNAME, string(name)]])]),
    shown: `IFLA_IFNAME=${JSON.stringify(name)}`,
    purpose: `look for the network device ${name}`,
    hints: { ENODEV: `no network device of this process's network namespace has the name ${name}` },
  });
  const [link] = linksIn(messages);
  if (!link) throw new Error(`the kernel tells nothing of the network device ${name}`);
  return link;
}

/** All devices of the namespace. */
export function links(socket: RouteSocket): Link[] {
  return linksIn(socket.dump({ ...getLink, payload: ifinfomsg({}), shown: 'NLM_F_DUMP', purpose: 'list the network devices of a namespace' }));
}

/** Asks for no change at all: what the kernel says to that tells whether changes may be made. Throws a `SyscallError` EPERM if not. */
export function mayChange(socket: RouteSocket, { index, name }: Link): void {
  socket.request({
    type: routeMessages.RTM_SETLINK,
    name: 'RTM_SETLINK',
    payload: ifinfomsg({ index }),
    shown: `ifi_index=${index}`,
    purpose: `whether the network device ${name} may be changed`,
    hints: { EPERM: rightsHint },
  });
}

/** What becomes of a device that is moved. */
export interface LinkMove {
  readonly to: Fd;
  readonly name: string;
  /** Its number there. */
  readonly index: number;
}

/**
 * Moves a device into another network namespace, and gives it a name there. It is down then, and without addresses.
 * The kernel moves first and renames then: if the name is not to be had, the device may be there all the same, under its old name.
 */
export function moveLink(socket: RouteSocket, { index, name }: Link, move: LinkMove): void {
  const { IFLA_IFNAME, IFLA_NET_NS_FD, IFLA_NEW_IFINDEX } = linkAttributes;
  const hints: Step['hints'] = {
    EPERM: rightsHint,
    EEXIST: `a network device there has the name ${move.name} already: choose another`,
    EINVAL: 'not every device can leave its namespace (the loopback device cannot), and a name has at most one %d',
    ENODEV: 'the device is gone',
  };
  socket.request({
    ...newLink,
    payload: Buffer.concat([
      ifinfomsg({ index }),
      encodeAttributes([
        [IFLA_NET_NS_FD, u32(move.to.number)],
        [IFLA_IFNAME, string(move.name)],
        [IFLA_NEW_IFINDEX, u32(move.index)],
      ]),
    ]),
    shown: `ifi_index=${index}, IFLA_NET_NS_FD=${String(move.to)}, IFLA_IFNAME=${JSON.stringify(move.name)}, IFLA_NEW_IFINDEX=${move.index}`,
    purpose: `move the network device ${name}`,
    hints,
  });
}

/** Switches a device on. */
export function setUp(socket: RouteSocket, index: number, name: string): void {
  socket.request({
    ...newLink,
    payload: ifinfomsg({ index, flags: interfaceFlags.IFF_UP, change: interfaceFlags.IFF_UP }),
    shown: `ifi_index=${index}, ifi_flags=IFF_UP`,
    purpose: `switch on the network device ${name}`,
  });
}

const getLink = { type: routeMessages.RTM_GETLINK, name: 'RTM_GETLINK' } as const;
const newLink = { type: routeMessages.RTM_NEWLINK, name: 'RTM_NEWLINK' } as const;

function ifinfomsg({ index = 0, flags = 0, change = 0 }: { readonly index?: number; readonly flags?: number; readonly change?: number }): Buffer {
  const bytes = Buffer.alloc(IFINFOMSG_BYTES);
  bytes.writeInt32LE(index, INDEX);
  bytes.writeUInt32LE(flags, FLAGS);
  bytes.writeUInt32LE(change, CHANGE);
  return bytes;
}

function linksIn(messages: readonly Message[]): Link[] {
  return messages.flatMap(({ type, payload }) => {
    const name = decodeAttributes(payload.subarray(IFINFOMSG_BYTES)).get(linkAttributes.IFLA_IFNAME);
    if (type !== routeMessages.RTM_NEWLINK || !name) return [];
    const flags = payload.readUInt32LE(FLAGS);
    const has = (flag: number): boolean => (flags & flag) !== 0;
    return [{ index: payload.readInt32LE(INDEX), name: stringOf(name), isUp: has(interfaceFlags.IFF_UP), isLoopback: has(interfaceFlags.IFF_LOOPBACK) }];
  });
}
