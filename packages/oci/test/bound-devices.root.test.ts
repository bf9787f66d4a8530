// Device files of the host in a container that cannot make any: what is done to them there must not be done to the host's.
import { statSync } from 'node:fs';

import { plan as runtimePlan } from '@ctr/runtime';
import { defaultConfig, toSpec, type LinuxNamespace } from '@ctr/oci';
import { explainCall, type Plan } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

import { bundleOf, configOf, place, ran, type Changes } from './container.js';

const at = place();
/** Root of the container is root of the host, in a user namespace. */
const same = [{ containerID: 0, hostID: 0, size: 65_536 }];
const namespaces: LinuxNamespace[] = [...(defaultConfig().linux?.namespaces ?? []), { type: 'user' }];
const withUsers: NonNullable<Changes['linux']> = { namespaces, uidMappings: same, gidMappings: same };
const everything = ['CAP_FOWNER', 'CAP_CHOWN', 'CAP_DAC_OVERRIDE'];
const rights = { capabilities: { bounding: everything, permitted: everything, effective: everything } };

describe('a device that is bound into a container', () => {
  const bind = { destination: '/dev/given', type: 'bind', source: '/dev/zero', options: ['bind', 'rw', 'rrw', 'suid', 'exec'] };
  const changes: Changes = { mounts: [...(defaultConfig().mounts ?? []), bind], process: rights, linux: withUsers };

  // The mode that the file has already: even where the call succeeds, nothing changes.
  it.each(['null', 'zero', 'full', 'random', 'urandom', 'tty', 'given'])('keeps its mode and its owner: %s', async (name) => {
    const of = statSync(`/dev/${name === 'given' ? 'zero' : name}`);
    const mode = (of.mode & 0o7777).toString(8);
    const { output } = await ran(
      at,
      ['sh', '-c', `chmod ${mode} /dev/${name}; chown ${of.uid} /dev/${name}; touch -a /tmp/own; chmod 600 /tmp/own; stat -c %a /tmp/own`],
      {
        ...changes,
        mounts: [...(changes.mounts ?? []), { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' }],
      },
    );
    expect(output).toBe(`chmod: /dev/${name}: Read-only file system\nchown: /dev/${name}: Read-only file system\n600\n`);
  });

  it('can be read and written', async () => {
    const { output } = await ran(at, ['sh', '-c', 'echo gone > /dev/null && head -c 2 /dev/zero | od -An -tx1 && head -c 1 /dev/given | od -An -tx1'], changes);
    expect(output).toBe(' 00 00\n 00\n');
  });
});

/** The mounts of device files that a plan attaches without having made them read-only, by the lines of its explanation. */
function writable(plan: Plan): string[] {
  const lines = plan.map((step) => explainCall(step));
  return plan.flatMap((step, i) => {
    const line = lines[i] ?? '';
    if (step.call !== 'open_tree' || !/^open_tree\((AT_FDCWD, "\/dev\/|\$slave, )/.test(line)) return [];
    const attached = lines.findIndex((each, j) => j > i && each.startsWith(`move_mount($${step.as},`));
    const isKept = lines.slice(i, attached).some((each) => each.startsWith(`mount_setattr($${step.as},`) && each.includes(kept));
    return isKept ? [] : [line];
  });
}

const kept = 'MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NOEXEC';

describe('a plan', () => {
  it('attaches no device of the host without having made the mount read-only', () => {
    const config = configOf(at, ['true'], {
      process: { terminal: true },
      mounts: [...(defaultConfig().mounts ?? []), { destination: '/dev/given', type: 'bind', source: '/dev/zero', options: ['bind', 'rw'] }],
      linux: { ...withUsers, devices: [{ path: '/dev/fuse', type: 'c', major: 10, minor: 229 }] },
    });
    const plans: readonly Plan[] = [
      toSpec(config, { bundle: bundleOf(at, config) }).plan,
      runtimePlan(['true'], { namespaces: { user: 'new' }, terminal: { columns: 80, rows: 24 }, devices: [{ device: '/dev/zero' }] }),
      runtimePlan(['true'], { rootfs: at.rootfs, namespaces: { user: 'new' }, devices: [{ device: '/dev/zero' }] }),
    ];
    for (const plan of plans) {
      const bound = plan.filter(({ call, args }) => call === 'open_tree' && typeof args[1] === 'string' && args[1].startsWith('/dev/'));
      expect(bound.length).toBeGreaterThan(6);
      expect(writable(plan)).toEqual([]);
    }
  });
});
