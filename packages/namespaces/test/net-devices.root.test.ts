// Each test in network namespaces of its own: that of this thread is left for one, and joined again at the end.
import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';

import { _LINUX_CAPABILITY_VERSION_3, call, callInto, capabilityNumbers, capData, capHeader, Memory, openFd, openFlags, perform, type Fd } from '@ctr/syscall';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { checkNetDevices, create, join, moveNetDevices } from '@ctr/namespaces';

import { busybox, rejection } from '../../../test/support/launched.js';
import { makesVeth } from '../../../test/support/veth.js';

const files: Fd[] = [];
let home: Fd;
let here: Fd;
let there: Fd;

const open = (): Fd => {
  const file = openFd('/proc/thread-self/ns/net', { flags: openFlags.O_RDONLY });
  files.push(file);
  return file;
};

beforeEach(({ skip }) => {
  home = open();
  perform(create('net'));
  there = open();
  perform(create('net'));
  here = open();
  skip(!makesVeth(), 'this kernel has no veth devices');
  ip('link set veth0 up');
});

afterEach(() => {
  perform(join(home, 'net'));
  for (const file of files.splice(0)) file.close();
});

const ip = (line: string): string => execFileSync(busybox, ['ip', ...line.split(' ')], { encoding: 'utf8' });

/** The same in the other namespace. */
function ipThere(line: string): string {
  perform(join(there, 'net'));
  try {
    return ip(line);
  } finally {
    perform(join(here, 'net'));
  }
}

const addresses = (text: string): string[] => [...text.matchAll(/inet6? (\S+(?: brd \S+)?)/g)].map(([, address = '']) => address);

describe('moveNetDevices', () => {
  it('moves a device, which keeps its MTU, its hardware address and its permanent global addresses, and is up', async () => {
    ip('link set veth mtu 1400');
    ip('addr add 192.0.2.1/24 brd 192.0.2.255 dev veth');
    ip('addr add 192.0.2.2/24 dev veth label veth:x');
    ip('addr add 203.0.113.7/32 scope link dev veth');
    ip('-6 addr add 2001:db8::1/64 dev veth');
    const [, hardware] = /link\/ether (\S+)/.exec(ip('link show veth')) ?? [];
    using moved = await moveNetDevices([{ name: 'veth', newName: 'data' }], there);
    expect([...moved.names]).toEqual([['veth', 'data']]);
    expect(ip('-o link')).not.toContain('veth@');
    const shown = ipThere('addr show data');
    expect(shown).toContain(`link/ether ${hardware}`);
    expect(shown).toMatch(/<[^>]*\bUP\b[^>]*> mtu 1400 /);
    expect(shown).toContain('secondary data:x');
    expect(addresses(shown).filter((each) => !each.startsWith('fe80'))).toEqual(['192.0.2.1/24 brd 192.0.2.255', '192.0.2.2/24', '2001:db8::1/64']);
  });

  it('moves several, and the kernel chooses among the names that are left for those with %d', async () => {
    ip('link add one type veth');
    ip('link add two type veth');
    const moves = [{ name: 'one', newName: 'veth%d' }, { name: 'two', newName: 'veth0' }, { name: 'veth' }];
    using moved = await moveNetDevices(moves, there);
    expect(Object.fromEntries(moved.names)).toEqual({ one: 'veth1', two: 'veth0', veth: 'veth' });
    expect(
      ipThere('-o link')
        .match(/\w+(?=@)/g)
        ?.toSorted(),
    ).toEqual(['veth', 'veth0', 'veth1']);
  });

  it('takes a number that is free for a device whose own is not', async () => {
    const index = Number(/^(\d+):/.exec(ip('-o link show veth'))?.[1]);
    ipThere('link add other type veth');
    expect(ipThere('-o link')).toMatch(new RegExp(`^${index}: `, 'm'));
    using moved = await moveNetDevices([{ name: 'veth' }], there);
    expect(moved.names.get('veth')).toBe('veth');
    expect(ipThere('-o link').match(/^\d+/gm)).toHaveLength(4);
  });

  it('moves them back as they were, if that is asked for', async () => {
    ip('link set veth up');
    ip('addr add 192.0.2.1/24 dev veth');
    ip('addr add 203.0.113.7/32 scope link dev veth');
    ip('-6 addr add 2001:db8::1/64 dev veth');
    ip('link add idle type veth');
    const before = shownHere();
    using moved = await moveNetDevices(
      [
        { name: 'veth', newName: 'a' },
        { name: 'idle', newName: 'b' },
      ],
      there,
    );
    expect(shownHere()).not.toEqual(before);
    moved.undo();
    expect(shownHere()).toEqual(before);
    expect(ipThere('-o link')).not.toContain('@');
    moved.undo();
    expect(shownHere()).toEqual(before);
  });

  it('moves all back if one cannot have what it had', async () => {
    ip('addr add 192.0.2.1/24 dev veth');
    ip('link add six type veth');
    ip('link set six up');
    ip('-6 addr add 2001:db8::6/64 dev six');
    const before = shownHere();
    perform(join(there, 'net'));
    writeFileSync('/proc/sys/net/ipv6/conf/default/disable_ipv6', '1');
    perform(join(here, 'net'));
    const error = await rejection(moveNetDevices([{ name: 'veth' }, { name: 'six', newName: 'seven' }], there));
    expect(error.message).toMatch(
      /^RTM_NEWADDR\(ifa_index=\d+, 2001:0db8:0000:0000:0000:0000:0000:0006\/64\) = EACCES .*: give the network device seven its address .*\nhint: IPv6 is switched off/,
    );
    expect(shownHere()).toEqual(before);
    expect(ipThere('-o link')).not.toContain('@');
  });

  it('says of a device that cannot be moved back, or not under its own name, where it is', async () => {
    ip('addr add 192.0.2.1/24 dev veth');
    using moved = await moveNetDevices([{ name: 'veth', newName: 'data' }, { name: 'veth0' }], there);
    ip('link add veth type veth');
    expect(() => moved.undo()).toThrow(/^RTM_NEWLINK.*EEXIST.*move the network device veth0\n.*\nthe network device veth is back as data: RTM_NEWLINK.*EEXIST/);
    expect(ip('addr show data')).toContain('192.0.2.1/24');
    expect(ipThere('-o link')).toContain('veth0');
  });

  it('moves nothing if a name is taken there', async () => {
    ip('link add one type veth');
    ipThere('link add taken type veth');
    const before = shownHere();
    await expect(moveNetDevices([{ name: 'one' }, { name: 'veth', newName: 'taken' }], there)).rejects.toThrow(
      'the network device veth cannot have the name taken there: a device of that network namespace has it already',
    );
    expect(shownHere()).toEqual(before);
  });

  it('leaves no file open', async () => {
    const count = (): number => readdirSync('/proc/self/fd').length;
    (await moveNetDevices([{ name: 'veth' }], there))[Symbol.dispose]();
    const before = count();
    (await moveNetDevices([{ name: 'veth0' }], there))[Symbol.dispose]();
    await rejection(moveNetDevices([{ name: 'lo' }], there));
    ip('link add one type veth');
    await rejection(moveNetDevices([{ name: 'one', newName: 'veth' }], there));
    expect(count()).toBe(before);
  });
});

describe('checkNetDevices', () => {
  it('lets pass what may be moved, and changes nothing', () => {
    const before = shownHere();
    checkNetDevices([{ name: 'veth', newName: 'eth%d' }], there);
    expect(shownHere()).toEqual(before);
  });

  it.each([
    ['none', /^RTM_GETLINK\(IFLA_IFNAME="none"\) = ENODEV .*\nhint: no network device of this process's network namespace has the name none/],
    ['lo', /^the network device lo cannot be moved: each network namespace has a loopback device of its own/],
    ['a/b', /^"a\/b" is not the name of a network device: up to 15 bytes/],
    ['', /^"" is not the name/],
    ['..', /^"\.\." is not the name/],
    ['sixteen-bytes-xy', /is not the name/],
  ])('refuses %j', (name, message) => {
    expect(() => checkNetDevices([{ name }], there)).toThrow(message);
  });

  it('refuses the namespace that the devices are in', () => {
    expect(() => checkNetDevices([{ name: 'veth' }], here)).toThrow('is the one that this process is in, and the network devices with it');
  });

  it('says which right is missing', () => {
    const header = capHeader({ version: _LINUX_CAPABILITY_VERSION_3, pid: 0 });
    const memory = new Memory(capData.byteLength, 'capabilities');
    const { bytes: all } = callInto({ call: 'capget', args: [header, memory], purpose: 'what this thread may do' }, memory);
    const fewer = Buffer.from(all);
    fewer.writeUInt32LE((all.readUInt32LE(0) & ~(1 << capabilityNumbers.CAP_NET_ADMIN)) >>> 0, 0);
    call({ call: 'capset', args: [header, fewer], purpose: 'less than that' });
    try {
      expect(() => checkNetDevices([{ name: 'veth' }])).toThrow(
        /^RTM_SETLINK\(ifi_index=\d+\) = EPERM .*\nhint: to move a network device takes CAP_NET_ADMIN in the user namespaces/,
      );
    } finally {
      call({ call: 'capset', args: [header, all], purpose: 'as before' });
    }
  });
});

/** The devices here: number, name, whether they are up, MTU and addresses, but for those that the kernel gives by itself. */
function shownHere(): string[] {
  return ip('addr')
    .split(/^(?=\d+: )/m)
    .map((text) => {
      const [, device = '', flags = '', mtu = ''] = /^(\d+: \w+)\S* <(.*?)> mtu (\d+)/.exec(text) ?? [];
      return [device, flags.split(',').includes('UP') ? 'up' : 'down', mtu, ...addresses(text).filter((each) => !each.startsWith('fe80'))].join(' ');
    });
}
