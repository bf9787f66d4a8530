import { addressAttributes, addressFlags, netlinkFlags, routeMessages, routeScopes } from '@ctr/syscall';

import { decodeAttributes, encodeAttributes, string, stringOf, u32, type Attributes } from './message.js';
import type { RouteSocket } from './route-socket.js';

/** An address of a network device. */
export interface Address {
  /** AF_INET or AF_INET6 */
  readonly family: number;
  readonly prefixLength: number;
  /** `IFA_F_…` */
  readonly flags: number;
  readonly scope: number;
  readonly attributes: Attributes;
}

/** linux/if_addr.h, struct ifaddrmsg: family, length of the prefix, flags, scope, index of the device */
const IFADDRMSG_BYTES = 8;
/** linux/if.h: IFNAMSIZ, without the NUL */
const MAX_NAME_BYTES = 15;
const IPV4_BYTES = 4;

const { IFA_ADDRESS, IFA_LOCAL, IFA_LABEL, IFA_BROADCAST, IFA_CACHEINFO, IFA_FLAGS, IFA_RT_PRIORITY, IFA_PROTO } = addressAttributes;
/** What makes up an address; the rest is the kernel's account of it. */
const own = [IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST, IFA_CACHEINFO, IFA_RT_PRIORITY, IFA_PROTO];
/** What somebody has chosen; the rest is its state. */
const chosen =
  addressFlags.IFA_F_NODAD |
  addressFlags.IFA_F_HOMEADDRESS |
  addressFlags.IFA_F_MANAGETEMPADDR |
  addressFlags.IFA_F_NOPREFIXROUTE |
  addressFlags.IFA_F_MCAUTOJOIN;

/** Whether it goes with its device, as the OCI runtime-spec has it: it ends at no time, and is of use everywhere. */
export function isPermanentAndGlobal({ flags, scope }: Address): boolean {
  return (flags & addressFlags.IFA_F_PERMANENT) !== 0 && scope === routeScopes.RT_SCOPE_UNIVERSE;
}

/** The addresses of a device, of all families, but for those that end at this moment. */
export function addressesOf(socket: RouteSocket, index: number): Address[] {
  const messages = socket.dump({
    type: routeMessages.RTM_GETADDR,
    name: 'RTM_GETADDR',
    payload: Buffer.alloc(IFADDRMSG_BYTES),
    shown: 'NLM_F_DUMP',
    purpose: 'list the addresses of network devices',
  });
  return messages.flatMap(({ type, payload }) => {
    if (type !== routeMessages.RTM_NEWADDR || payload.readUInt32LE(4) !== index) return [];
    const attributes = decodeAttributes(payload.subarray(IFADDRMSG_BYTES));
    // linux/if_addr.h, struct ifa_cacheinfo: how long it is preferred, and how long it is valid, in seconds
    if (attributes.get(IFA_CACHEINFO)?.readUInt32LE(4) === 0) return [];
    const flags = attributes.get(IFA_FLAGS)?.readUInt32LE(0) ?? payload.readUInt8(2);
    return [{ family: payload.readUInt8(0), prefixLength: payload.readUInt8(1), flags, scope: payload.readUInt8(3), attributes }];
  });
}

/** Gives an address that a device had elsewhere to a device, or makes it as it was if it is there. The label of one of IPv4 follows the name. */
export function addAddress(socket: RouteSocket, address: Address, device: { readonly index: number; readonly name: string; readonly oldName: string }): void {
  const { family, prefixLength, flags, scope, attributes } = address;
  const { index, name, oldName } = device;
  const header = Buffer.alloc(IFADDRMSG_BYTES);
  header.writeUInt8(family, 0);
  header.writeUInt8(prefixLength, 1);
  header.writeUInt8(scope, 3);
  header.writeUInt32LE(index, 4);
  const label = labelFor(attributes.get(IFA_LABEL), oldName, name);
  const text = textOf(address);
  socket.request({
    type: routeMessages.RTM_NEWADDR,
    name: 'RTM_NEWADDR',
    flags: netlinkFlags.NLM_F_CREATE | netlinkFlags.NLM_F_REPLACE,
    payload: Buffer.concat([
      header,
      encodeAttributes([
        ...[...attributes].filter(([type]) => own.some((each) => each === type)),
        [IFA_FLAGS, u32(flags & chosen)],
        ...(label === undefined ? [] : [[IFA_LABEL, string(label)] as const]),
      ]),
    ]),
    shown: `ifa_index=${index}, ${text}/${prefixLength}`,
    purpose: `give the network device ${name} its address ${text}`,
    hints: { EACCES: 'IPv6 is switched off for it there: see the sysctls net.ipv6.conf.*.disable_ipv6' },
  });
}

/** The device's name, or one that begins with it and a colon. Too long a one is left to the kernel. */
function labelFor(label: Buffer | undefined, oldName: string, name: string): string | undefined {
  if (!label) return undefined;
  const old = stringOf(label);
  const moved = old.startsWith(`${oldName}:`) ? name + old.slice(oldName.length) : old === oldName ? name : old;
  return Buffer.byteLength(moved) > MAX_NAME_BYTES ? undefined : moved;
}

function textOf({ attributes }: Address): string {
  const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS) ?? Buffer.alloc(0);
  if (bytes.length === IPV4_BYTES) return bytes.join('.');
  return (bytes.toString('hex').match(/.{4}/g) ?? []).join(':');
}
