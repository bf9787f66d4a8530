// Without pivot_root(2) the old root stays in the mount namespace: the kernel must not take its proc for a reason to give the container one of its own.
import { readFileSync } from 'node:fs';

import { capabilityNames } from '@ctr/security';
import { defaultConfig } from '@ctr/oci';
import { describe, expect, it } from 'vitest';

import { bundleOf, configOf, newId, place, ran, type Changes } from './container.js';
import { shell } from './ctr-oci.js';

const at = place();
const everything = { bounding: capabilityNames, permitted: capabilityNames, effective: capabilityNames };
const rights: Changes['process'] = { capabilities: everything };
const ids = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
const withUsers: Changes['linux'] = {
  namespaces: [...(defaultConfig().linux?.namespaces ?? []), { type: 'user' }],
  uidMappings: ids,
  gidMappings: ids,
};
const attempt = (type: string) => `unshare -mrpf sh -c "mount -t ${type} none /${type === 'proc' ? 'proc' : 'sys'} && echo MOUNTED" 2>&1`;

/** How many mounts the host has, by which it is seen that none of them has been unmounted. */
const hostMounts = () =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => !line.includes(at.directory)).length;

describe.each([
  ['pivot_root', true],
  ['--no-pivot', false],
] as const)('by %s', (_, pivot) => {
  it.each<[string, string, Changes]>([
    ['proc', 'proc', { process: rights }],
    ['proc, in a user namespace', 'proc', { process: rights, linux: withUsers }],
    ['sysfs, in a user namespace', 'sysfs', { process: rights, linux: withUsers }],
  ])('the container can mount no %s, without its masks', async (_name, type, changes) => {
    const before = hostMounts();
    const { output } = await ran(at, ['sh', '-c', attempt(type)], changes, { pivot });
    expect(output).not.toContain('MOUNTED');
    expect(output).toMatch(/permission denied|Operation not permitted/);
    expect(hostMounts()).toBe(before);
  });

  it('nothing masked: the container may mount a proc', async () => {
    const linux = { ...withUsers, maskedPaths: [], readonlyPaths: [] };
    const { output } = await ran(at, ['sh', '-c', attempt('proc')], { process: rights, linux }, { pivot });
    expect(output).toBe('MOUNTED\n');
  });

  it.each(['shared', 'rslave', 'rprivate'] as const)('unmounts nothing of a host whose mounts are shared: %s', async (rootfsPropagation) => {
    const bundle = bundleOf(at, configOf(at, ['true'], { linux: { rootfsPropagation } }));
    // In a mount namespace of the test's own, whose mounts are first cut off from the host's, and shared then.
    const list = "cut -d' ' -f5- /proc/self/mountinfo | sort";
    const line = `mount --make-rshared /; mount --bind ${at.rootfs} ${at.rootfs}; ${list} > ${bundle}/before; $CTR_OCI --root ${at.root} run ${pivot ? '' : '--no-pivot'} -b ${bundle} ${newId()}; echo $?; ${list} | diff ${bundle}/before -`;
    const outcome = await shell(line, { prefix: ['unshare', '--mount', '--propagation', 'private', '--'] });
    expect(outcome).toEqual({ code: 0, stdout: '0\n', stderr: '' });
  });
});
