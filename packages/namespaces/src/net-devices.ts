import { fstatSync, statSync } from 'node:fs';

import { isSyscallError, openFd, openFlags, quote, type Fd } from '@ctr/syscall';

import { addAddress, addressesOf, isPermanentAndGlobal, type Address } from './rtnetlink/address.js';
import { linkNamed, links, mayChange, moveLink, setUp, type Link } from './rtnetlink/link.js';
import { RouteSocket } from './rtnetlink/route-socket.js';

/** A network device that goes to another network namespace. */
export interface NetDeviceMove {
  /** Its name in the network namespace of this thread. */
  readonly name: string;
  /** Its name there; the kernel puts a number for `%d`. @default the one it has */
  readonly newName?: string;
}

/** Network devices that have been moved. Disposing lets go of their namespace, and leaves them there. */
export interface MovedNetDevices extends Disposable {
  /** The names that they have there, by those that they had. */
  readonly names: ReadonlyMap<string, string>;
  /**
   * Moves them back: each has its old name, its addresses and its old state again, and the number that it had unless another device has that.
   * Of those that are not there any more, nothing is said. Throws an `AggregateError` for those that cannot be moved back.
   */
  undo(): void;
}

/**
 * Looks whether network devices may be moved: they are there, they are none that cannot leave, and this process may change them; and `namespace` is not the one that they are in already.
 * Nothing is changed.
 *
 * Throws a `SyscallError` ENODEV for a name that no device has, EPERM without CAP_NET_ADMIN, a `TypeError` for what is no name, an `Error` for the loopback device and for the own namespace.
 *
 * @see netdevice(7), network_namespaces(7), rtnetlink(7)
 * @example
 * ```ts no-run
 * import { checkNetDevices } from '@ctr/namespaces';
 * checkNetDevices([{ name: 'eth1' }]);
 * ```
 */
export function checkNetDevices(devices: readonly NetDeviceMove[], namespace?: Fd): void {
  for (const { name, newName = name } of devices) for (const each of [name, newName]) checkName(each);
  if (namespace) refuseOwn(namespace);
  using socket = RouteSocket.open();
  for (const { name } of devices) {
    const link = linkNamed(socket, name);
    if (link.isLoopback) throw new Error(`the network device ${name} cannot be moved: each network namespace has a loopback device of its own`);
    mayChange(socket, link);
  }
}

/**
 * Moves network devices from the network namespace of this thread to another one. There they have their new names, all that devices have of their own, such as MTU and hardware address,
 * and those of their addresses that are permanent and global; and they are up. Routes, other addresses and what a device was a part of (a bridge) are lost, as the kernel has it.
 *
 * When a namespace ends, the kernel gives what is hardware back to the first network namespace, and removes all other devices.
 *
 * Rejects as {@link checkNetDevices} does, with a `SyscallError` EEXIST where a name is taken, EINVAL for a device that cannot leave its namespace; all devices are back then, unless the error says otherwise.
 *
 * @param namespace the file of a network namespace, of `/proc/PID/ns` or one that it is pinned to
 * @see netdevice(7), network_namespaces(7), rtnetlink(7)
 * @example Give a device to a process
 * ```ts no-run
 * import { moveNetDevices } from '@ctr/namespaces';
 * import { openFd, openFlags } from '@ctr/syscall';
 * using namespace = openFd('/proc/4711/ns/net', { flags: openFlags.O_RDONLY });
 * using moved = await moveNetDevices([{ name: 'eth1', newName: 'eth0' }], namespace);
 * console.log(moved.names.get('eth1')); // eth0
 * ```
 */
export async function moveNetDevices(devices: readonly NetDeviceMove[], namespace: Fd): Promise<MovedNetDevices> {
  checkNetDevices(devices, namespace);
  // The kernel chooses among the names that are left.
  const sorted = devices.toSorted((a, b) => Number(isTemplate(a)) - Number(isTemplate(b)));
  const transfer = await Transfer.open(namespace);
  try {
    transfer.refuseTaken(sorted);
    for (const device of sorted) transfer.move(device);
    return transfer;
  } catch (error) {
    using _transfer = transfer;
    throw withFailures(error, () => transfer.undo());
  }
}

/** A device on its way: what it was here, and its number there. */
interface Moved {
  readonly link: Link;
  readonly addresses: readonly Address[];
  index: number;
}

interface Side {
  readonly socket: RouteSocket;
  readonly namespace: Fd;
}

class Transfer implements MovedNetDevices {
  readonly names = new Map<string, string>();
  readonly #here: Side;
  readonly #there: Side;
  readonly #moved: Moved[] = [];

  private constructor(here: Side, there: Side) {
    this.#here = here;
    this.#there = there;
  }

  static async open(namespace: Fd): Promise<Transfer> {
    const socket = await RouteSocket.openIn(namespace);
    const own = openFd(ownNamespace, { flags: openFlags.O_RDONLY });
    return new Transfer({ socket: RouteSocket.open(), namespace: own }, { socket, namespace });
  }

  /** What will not do is told before anything is moved. */
  refuseTaken(devices: readonly NetDeviceMove[]): void {
    const taken = new Set(links(this.#there.socket).map(({ name }) => name));
    for (const { name, newName = name } of devices)
      if (taken.has(newName))
        throw new Error(`the network device ${name} cannot have the name ${newName} there: a device of that network namespace has it already; choose another`);
  }

  move({ name, newName = name }: NetDeviceMove): void {
    const { socket } = this.#here;
    const link = linkNamed(socket, name);
    const moved: Moved = { link, addresses: addressesOf(socket, link.index), index: 0 };
    this.#moved.push(moved);
    carry(this.#here, this.#there, link, newName, link.index, (index) => (moved.index = index));
    const now = this.#nameThere(moved);
    for (const address of moved.addresses.filter(isPermanentAndGlobal))
      addAddress(this.#there.socket, address, { index: moved.index, name: now, oldName: name });
    setUp(this.#there.socket, moved.index, now);
    this.names.set(name, now);
  }

  undo(): void {
    const errors: unknown[] = [];
    for (const moved of this.#moved.splice(0).toReversed()) {
      try {
        this.#back(moved);
      } catch (error) {
        errors.push(error);
      }
    }
    this.names.clear();
    if (errors.length > 0) throw new AggregateError(errors, errors.map((error) => (error as Error).message).join('\n'));
  }

  [Symbol.dispose](): void {
    this.#here.socket[Symbol.dispose]();
    this.#here.namespace.close();
    this.#there.socket[Symbol.dispose]();
  }

  #back({ link, addresses, index }: Moved): void {
    const there = links(this.#there.socket).find((each) => each.index === index);
    // It has never left, or somebody has removed it.
    if (!there || links(this.#here.socket).some((each) => each.index === link.index && each.name === link.name)) return;
    let here = link.index;
    let { name } = link;
    let failure: unknown;
    try {
      carry(this.#there, this.#here, there, name, here, (found) => (here = found));
    } catch (error) {
      // The kernel moves before it renames.
      const stray = links(this.#here.socket).find((each) => each.index === here && each.name === there.name);
      if (!stray) throw error;
      ({ name } = stray);
      failure = error;
    }
    for (const address of addresses) addAddress(this.#here.socket, address, { index: here, name, oldName: link.name });
    if (link.isUp) setUp(this.#here.socket, here, name);
    if (failure !== undefined) throw new Error(`the network device ${link.name} is back as ${name}: ${(failure as Error).message}`, { cause: failure });
  }

  #nameThere({ index, link }: Moved): string {
    const found = links(this.#there.socket).find((each) => each.index === index);
    if (!found) throw new Error(`the network device ${link.name} is gone: somebody has removed it while it was moved`);
    return found.name;
  }
}

/**
 * Moves a device, and tells its number before: by that it is found, whatever its name is then.
 *
 * @param wanted the number that it is to have, if that is free
 */
function carry(from: Side, to: Side, link: Link, name: string, wanted: number, choose: (index: number) => void): void {
  for (;;) {
    const taken = new Set(links(to.socket).map(({ index }) => index));
    let index = wanted;
    while (taken.has(index)) index++;
    choose(index);
    try {
      return moveLink(from.socket, link, { to: to.namespace, name, index });
    } catch (error) {
      // Another device has come in between.
      const isLost = isSyscallError(error) && error.code === 'EBUSY' && links(from.socket).some((each) => each.index === link.index);
      if (!isLost || !links(to.socket).some((each) => each.index === index)) throw error;
    }
  }
}

/** Of this thread: other threads may be elsewhere. */
const ownNamespace = '/proc/thread-self/ns/net';

function refuseOwn(namespace: Fd): void {
  const other = fstatSync(namespace.number);
  const own = statSync(ownNamespace);
  if (other.ino === own.ino && other.dev === own.dev)
    throw new Error(
      `the network namespace ${namespace.path ?? ''} is the one that this process is in, and the network devices with it: they can only be moved to another`,
    );
}

function checkName(name: string): void {
  // net/core/dev.c, dev_valid_name; linux/if.h: IFNAMSIZ
  if (name === '' || Buffer.byteLength(name) > 15 || name === '.' || name === '..' || /[/:\s\0]/.test(name))
    throw new TypeError(`${quote(name)} is not the name of a network device: up to 15 bytes, without / : and white space`);
}

function isTemplate({ newName = '' }: NetDeviceMove): boolean {
  return newName.includes('%');
}

/** The error, with what went wrong when all that it had left was undone. */
function withFailures(error: unknown, undo: () => void): unknown {
  try {
    undo();
    return error;
  } catch (failure) {
    return new Error(`${(error as Error).message}\nand not all devices could be moved back: ${(failure as Error).message}`, { cause: error });
  }
}
