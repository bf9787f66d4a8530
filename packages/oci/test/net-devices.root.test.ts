// Network devices of the host that a container gets. The host is a network namespace of each test: this thread leaves its own, and joins it again at the end.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join as joinPaths } from 'node:path';

import { create as newNamespaces, join } from '@ctr/namespaces';
import { defaultConfig, remove, start, toSpec, type Hook, type Linux } from '@ctr/oci';
import { posture } from '@ctr/runtime';
import { explain, openFd, openFlags, perform, type Fd } from '@ctr/syscall';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { makesVeth } from '../../../test/support/veth.js';
import { bundleOf, cgroupsBelow, configOf, created, newId, place, ran, type Changes } from './container.js';
import { shell } from './ctr-oci.js';

const at = place();
const files: Fd[] = [];
let home: Fd;
let host: Fd;

const ownNetwork = (): Fd => {
  const file = openFd('/proc/self/ns/net', { flags: openFlags.O_RDONLY });
  files.push(file);
  return file;
};
const ip = (line: string): string => execFileSync('/bin/busybox', ['ip', ...line.split(' ')], { encoding: 'utf8' });

beforeEach(({ skip }) => {
  home = ownNetwork();
  perform(newNamespaces('net'));
  host = ownNetwork();
  skip(!makesVeth(), 'this kernel has no veth devices');
  ip('link set veth mtu 1400');
  ip('link set veth up');
  ip('addr add 192.0.2.1/24 dev veth');
  ip('-6 addr add 2001:db8::1/64 dev veth');
});

afterEach(() => {
  perform(join(home, 'net'));
  for (const file of files.splice(0)) file.close();
});

/** A network namespace beside the host's, which a container may join: its path, and how something is done in it. */
function otherNetwork(): { readonly path: string; readonly within: (line: string) => string } {
  perform(newNamespaces('net'));
  const file = ownNetwork();
  perform(join(host, 'net'));
  const within = (line: string): string => {
    perform(join(file, 'net'));
    try {
      return ip(line);
    } finally {
      perform(join(host, 'net'));
    }
  };
  return { path: `/proc/${process.pid}/fd/${file.number}`, within };
}

/** The usual namespaces, with another network. */
function joining(path: string): NonNullable<Linux['namespaces']> {
  return (defaultConfig().linux?.namespaces ?? []).map((namespace) => (namespace.type === 'network' ? { ...namespace, path } : namespace));
}

function sh(line: string): Hook {
  return { path: '/bin/sh', args: ['sh', '-c', line], env: ['PATH=/bin:/usr/bin'] };
}

/** The device as it is on the host: that nothing has become of it. */
function asBefore(): void {
  const shown = ip('addr show veth');
  expect(shown).toMatch(/<[^>]*\bUP\b[^>]*> mtu 1400 /);
  expect(shown).toContain('inet 192.0.2.1/24');
  expect(shown).toContain('inet6 2001:db8::1/64');
}

/** Nor of a container. */
function nothingMade(): void {
  asBefore();
  expect({ states: existsSync(at.root) ? readdirSync(at.root) : [], groups: cgroupsBelow(at.cgroup) }).toEqual({ states: [], groups: [] });
}

describe('linux.netDevices', () => {
  it('moves a device of the host into the container, under its new name, with its addresses, and up', async () => {
    const { exit, output } = await ran(at, ['ip', 'addr', 'show', 'data0'], { linux: { netDevices: { veth: { name: 'data0' } } } });
    expect(exit.code).toBe(0);
    expect(output).toMatch(/data0@\S+ <[^>]*\bUP\b[^>]*> mtu 1400 /);
    expect(output).toContain('inet 192.0.2.1/24');
    expect(output).toContain('inet6 2001:db8::1/64');
  });

  it('moves several, which keep their names where no other is given', async () => {
    ip('link add idle type veth');
    const { output } = await ran(at, ['ip', '-o', 'link'], { linux: { netDevices: { veth: {}, idle: { name: 'eth%d' } } } });
    expect(
      output
        .match(/^\d+: \w+(?=@)/gm)
        ?.map((line) => line.split(' ')[1])
        .toSorted(),
    ).toEqual(['eth0', 'veth']);
    expect(output.match(/<[^>]*\bUP\b/g)).toHaveLength(3);
  });

  it('has them there before hooks are run and settings are made', async () => {
    const { output } = await ran(at, ['cat', '/proc/sys/net/ipv4/conf/data0/forwarding'], {
      linux: { netDevices: { veth: { name: 'data0' } }, sysctl: { 'net.ipv4.conf.data0.forwarding': '1' } },
      hooks: {
        createRuntime: [sh('! /bin/busybox ip link show veth 2>/dev/null && /bin/busybox ip link show veth0')],
        createContainer: [sh('/bin/busybox ip addr show data0 | grep -q 192.0.2.1/24')],
      },
    });
    expect(output).toBe('1\n');
  });

  it('does so in a new user namespace, whose root may change them then', async () => {
    const ids = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
    const capabilities = Object.fromEntries(['bounding', 'permitted', 'effective'].map((set) => [set, ['CAP_NET_ADMIN']]));
    const { output } = await ran(at, ['sh', '-c', 'ip link set data0 down && ip addr show data0'], {
      process: { capabilities },
      linux: {
        namespaces: [...(defaultConfig().linux?.namespaces ?? []), { type: 'user' }],
        uidMappings: ids,
        gidMappings: ids,
        netDevices: { veth: { name: 'data0' } },
      },
    });
    expect(output).toContain('inet 192.0.2.1/24');
    expect(output).not.toMatch(/<[^>]*\bUP\b/);
  });

  it('moves them to a network namespace that is joined, where they stay', async () => {
    const other = otherNetwork();
    const { id, root } = await created(at, ['true'], { linux: { namespaces: joining(other.path), netDevices: { veth: {} } } });
    await start(id, root);
    await remove(id, { ...root, force: true });
    expect(other.within('addr show veth')).toContain('inet 192.0.2.1/24');
  });

  it('shows in a spec as what the host does', () => {
    const config = configOf(at, ['true'], { linux: { netDevices: { veth: {}, other: { name: 'eth1' } } } });
    const { plan } = toSpec(config, { bundle: bundleOf(at, config) });
    expect(posture(plan).find(({ item }) => item === 'network')?.value).toBe('its own, with a loopback; from the host: veth, other as eth1');
    expect(explain(plan)).toContain('wait for the host: move network devices, with their addresses: veth, other as eth1');
    asBefore();
  });

  it('works from the command line', async () => {
    const config = configOf(at, ['ip', 'addr', 'show', 'data0'], { linux: { netDevices: { v: { name: 'data0' } } } });
    const make = '/bin/busybox ip link add v type veth && /bin/busybox ip addr add 192.0.2.9/24 dev v';
    const { code, stdout, stderr } = await shell(`${make} && $CTR_OCI --root ${at.root} run ${newId()}`, {
      cwd: bundleOf(at, config),
      prefix: ['/bin/busybox', 'unshare', '-n'],
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('inet 192.0.2.9/24');
  });
});

describe('linux.netDevices, where it cannot be:', () => {
  it('a device that is not there', async () => {
    await expect(ran(at, ['true'], { linux: { netDevices: { veth: {}, none: {} } } })).rejects.toThrow(
      /^linux\.netDevices: RTM_GETLINK\(IFLA_IFNAME="none"\) = ENODEV .*: look for the network device none\nhint: no network device of this process's network namespace/,
    );
    nothingMade();
  });

  it('a loopback device', async () => {
    await expect(ran(at, ['true'], { linux: { netDevices: { lo: { name: 'lo0' } } } })).rejects.toThrow(
      'linux.netDevices: the network device lo cannot be moved: each network namespace has a loopback device of its own',
    );
  });

  it('a name that a device of the container has', async () => {
    await expect(ran(at, ['true'], { linux: { netDevices: { veth: { name: 'lo' } } } })).rejects.toThrow(
      'linux.netDevices: the network device veth cannot have the name lo there: a device of that network namespace has it already; choose another',
    );
    nothingMade();
    const other = otherNetwork();
    other.within('link add taken type veth');
    await expect(ran(at, ['true'], { linux: { namespaces: joining(other.path), netDevices: { veth: { name: 'taken' } } } })).rejects.toThrow(
      'the name taken there',
    );
    nothingMade();
  });

  it('the network of the host, by its path', async () => {
    const hook = joinPaths(at.directory, 'hooked');
    const changes = { linux: { namespaces: joining('/proc/self/ns/net'), netDevices: { veth: {} } }, hooks: { poststop: [sh(`touch ${hook}`)] } };
    await expect(ran(at, ['true'], changes)).rejects.toThrow('linux.netDevices: the network namespace /proc/self/ns/net is the one that this process is in');
    expect(existsSync(hook)).toBe(false);
    nothingMade();
  });

  it('without the right to change the network of the host', async () => {
    const config = configOf(at, ['true'], { linux: { netDevices: { veth: {} } } });
    const { code, stderr } = await shell(`$CTR_OCI --root ${joinPaths(at.directory, 'other')} run ${newId()}`, {
      cwd: bundleOf(at, config),
      prefix: ['/bin/busybox', 'unshare', '-U', '-r'],
    });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(
      /linux\.netDevices: RTM_SETLINK.*EPERM[^]*to move a network device takes CAP_NET_ADMIN in the user namespaces that both network namespaces belong to/,
    );
    asBefore();
  });

  const failures: readonly (readonly [name: string, changes: Changes, message: string])[] = [
    ['a hook that fails', { hooks: { createRuntime: [sh('exit 3')] } }, 'createRuntime hook #0: exit status 3'],
    ['a program that is not there', { process: { args: ['/no/such/program'] } }, 'ENOENT'],
    ['a setting that is not there', { linux: { sysctl: { 'net.ipv4.no.such': '1' } } }, 'net.ipv4.no.such'],
  ];
  it.each(failures)('%s brings the devices back', async (_, changes, message) => {
    const linux = { ...changes.linux, netDevices: { veth: { name: 'data0' } } };
    await expect(created(at, ['true'], { ...changes, linux })).rejects.toThrow(message);
    nothingMade();
  });

  it('a joined network loses them again', async () => {
    const other = otherNetwork();
    const linux = { namespaces: joining(other.path), netDevices: { veth: { name: 'data0' } } };
    await expect(created(at, ['true'], { linux, hooks: { createRuntime: [sh('exit 3')] } })).rejects.toThrow('createRuntime hook #0: exit status 3');
    nothingMade();
    expect(other.within('-o link')).not.toContain('data0');
  });

  it('a creation that is broken off, while the devices are on their way or later, brings them back', async () => {
    for (const delayMs of [0, 1, 2, 4, 8, 16, 32, 64]) {
      const cancelSignal = AbortSignal.timeout(delayMs);
      const linux = { netDevices: { veth: { name: 'data0' } } };
      await expect(created(at, ['true'], { linux, hooks: { createRuntime: [sh('sleep 100')] } }, { cancelSignal })).rejects.toThrow('timeout');
      nothingMade();
    }
  });
});

it.each(['INT', 'TERM'])('a runtime that is ended by SIG%s while it creates a container brings the devices back', async (signal) => {
  const config = configOf(at, ['true'], {
    linux: { netDevices: { veth: { name: 'data0' } } },
    hooks: { createRuntime: [sh(`kill -${signal} $PPID; sleep 100`)] },
  });
  const bundle = bundleOf(at, config);
  for (const command of ['create', 'run'])
    expect(await shell(`$CTR_OCI --root ${at.root} ${command} ${newId()}`, { cwd: bundle })).toEqual({
      code: 1,
      stdout: '',
      stderr: `ctr-oci: ${command} failed: broken off by SIG${signal}\n`,
    });
  nothingMade();
});

it('a runtime that is killed takes devices that are no hardware with it, as the end of any network namespace does', async () => {
  const log = joinPaths(at.directory, 'killed');
  const config = configOf(at, ['true'], { linux: { netDevices: { veth: {} } }, hooks: { createRuntime: [sh(`echo $PPID > ${log}; kill -9 $PPID`)] } });
  const id = newId();
  onTestFinished(() => remove(id, { root: at.root, force: true }));
  await shell(`$CTR_OCI --root ${at.root} create ${id}`, { cwd: bundleOf(at, config) });
  expect(Number(readFileSync(log, 'utf8'))).toBeGreaterThan(1);
  while (ip('-o link').includes('veth0')) await new Promise((resolve) => setImmediate(resolve));
});
