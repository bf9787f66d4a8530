import { describe, expect, it } from 'vitest';

import { features, hookNames, mountOptionNames, supportedFields, validate } from '@ctr/oci';
import { capabilityNames } from '@ctr/security';

const base = { ociVersion: '1.2.0', root: { path: 'rootfs' }, process: { cwd: '/', args: ['sh'] } };
const errors = (part: object): unknown[] => validate({ ...base, ...part }).filter(({ severity }) => severity === 'error');

describe('features', () => {
  const { linux, ...common } = features();

  it('name what a config is checked by', () => {
    expect(common).toEqual({
      ociVersionMin: '1.0.0',
      ociVersionMax: '1.3.0',
      hooks: hookNames,
      mountOptions: mountOptionNames,
    });
    expect(linux.capabilities).toEqual(capabilityNames);
    expect(linux.namespaces).toEqual(['cgroup', 'ipc', 'mount', 'network', 'pid', 'time', 'user', 'uts']);
    expect(linux.seccomp).toMatchObject({
      actions: expect.arrayContaining(['SCMP_ACT_ALLOW', 'SCMP_ACT_NOTIFY']) as unknown,
      archs: expect.arrayContaining(['SCMP_ARCH_X86_64', 'SCMP_ARCH_RISCV64']) as unknown,
    });
  });

  it('name nothing that a config may not have', () => {
    const mount = { type: 'mount' };
    for (const ociVersion of [common.ociVersionMin, common.ociVersionMax]) expect(errors({ ociVersion })).toEqual([]);
    for (const hook of common.hooks) expect(errors({ hooks: { [hook]: [{ path: '/a' }] } })).toEqual([]);
    for (const type of linux.namespaces) {
      const ids = type === 'user' ? [{ containerID: 0, hostID: 0, size: 1 }] : [];
      expect(errors({ linux: { namespaces: type === 'mount' ? [mount] : [mount, { type }], uidMappings: ids, gidMappings: ids } })).toEqual([]);
    }
    const seccomp = (part: object): unknown[] =>
      errors({ linux: { namespaces: [mount], seccomp: { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: '/a', ...part } } });
    for (const arch of linux.seccomp.archs) expect(seccomp({ architectures: [arch] })).toEqual([]);
    for (const flag of linux.seccomp.knownFlags) expect(seccomp({ flags: [flag] })).toEqual([]);
    for (const action of linux.seccomp.actions) expect(seccomp({ syscalls: [{ names: ['a'], action }] })).toEqual([]);
    for (const op of linux.seccomp.operators)
      expect(seccomp({ syscalls: [{ names: ['a'], action: 'SCMP_ACT_LOG', args: [{ index: 0, value: 0, op }] }] })).toEqual([]);
    for (const mode of linux.memoryPolicy.modes) {
      const nodes = mode === 'MPOL_DEFAULT' || mode === 'MPOL_LOCAL' ? '' : '0';
      expect(errors({ linux: { namespaces: [mount], memoryPolicy: { mode, nodes } } })).toEqual([]);
    }
  });

  it('say that what is refused is not there, and that all else is', () => {
    expect(linux).toMatchObject({
      cgroup: { v1: true, v2: true, rdma: true },
      seccomp: { enabled: true, supportedFlags: linux.seccomp.knownFlags },
      apparmor: { enabled: true },
      selinux: { enabled: true },
      mountExtensions: { idmap: { enabled: true } },
    });
    for (const [path, enabled] of [
      ['linux.intelRdt', linux.intelRdt.enabled],
      ['linux.intelRdt.schemata', linux.intelRdt.schemata],
      ['linux.intelRdt.enableMonitoring', linux.intelRdt.monitoring],
      ['linux.netDevices', linux.netDevices.enabled],
    ] as const)
      expect(enabled).toBe(supportedFields().find((field) => field.path === path)?.support === 'applied');
  });
});

describe('the table of fields', () => {
  const fields = supportedFields();

  it('has each field once, with what is allowed there', () => {
    expect(new Set(fields.map(({ path }) => path)).size).toBe(fields.length);
    expect(fields.find(({ path }) => path === 'linux.resources.pids.limit')).toMatchObject({
      allowed: 'an integer from -1 to 9223372036854775807',
      required: false,
    });
    expect(fields.find(({ path }) => path === 'process.cwd')).toMatchObject({ allowed: 'an absolute path', required: true });
    expect(fields.find(({ path }) => path === 'linux.netDevices')).toMatchObject({ since: '1.3' });
    expect(fields.find(({ path }) => path === 'hooks.prestart')?.deprecated).toBeDefined();
    expect(fields.find(({ path }) => path === 'mounts[].options')?.allowed).toBe('an array, of which each is a string');
    expect(fields.find(({ path }) => path === 'linux.netDevices[*].name')).toBeDefined();
    expect(fields.find(({ path }) => path === 'windows')).toMatchObject({ support: 'ignored' });
    expect(fields.find(({ path }) => path === 'linux.resources.unified')).toMatchObject({ support: 'applied', needs: 'version 2 of control groups' });
    expect(fields.find(({ path }) => path === 'linux.resources.blockIO.weightDevice[].leafWeight')).toMatchObject({ support: 'refused' });
  });
});
