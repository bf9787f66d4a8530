import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

import type { LinuxResources } from '@ctr/cgroups';
import { defaultConfig, exec, kill, pause, ps, remove, resume, start, state, stats, update, type CreateOptions, type LinuxNamespace } from '@ctr/oci';
import { describe, expect, it } from 'vitest';

import { bundleOf, configOf, created, newId, place, ran } from './container.js';
import { ctrOci } from './ctr-oci.js';

const at = place();
const bySystemd: CreateOptions = { cgroupManager: 'systemd' };
const slice = '/sys/fs/cgroup/ctroci.slice/ctroci-test.slice';

describe('a container in a scope of systemd', () => {
  it('is where slice:prefix:name says, with limits that systemd and the kernel have, and can be changed, paused and measured', async () => {
    const changes = { linux: { cgroupsPath: 'ctroci-test.slice:pod:web', resources: { pids: { limit: 20 }, memory: { limit: 2 ** 26 } } } };
    const { id, child, root } = await created(at, ['sleep', '1000'], changes, bySystemd);
    const scope = `${slice}/pod-web.scope`;
    const read = (file: string): string => readFileSync(`${scope}/${file}`, 'latin1').trim();
    // Before it is started: nothing of the program has run yet.
    expect(['cgroup.procs', 'pids.max', 'memory.max'].map(read)).toEqual([String(child.pid), '20', '67108864']);
    expect(shown('pod-web.scope', 'TasksMax,MemoryMax')).toEqual(['MemoryMax=67108864', 'TasksMax=20']);
    await start(id, root);
    await update(id, { pids: { limit: 40 } }, root);
    expect(read('pids.max')).toBe('40');
    expect(shown('pod-web.scope', 'TasksMax')).toEqual(['TasksMax=40']);
    await pause(id, root);
    expect(state(id, root).status).toBe('paused');
    await resume(id, root);
    expect(ps(id, root)).toEqual([child.pid]);
    expect(stats(id, root).data).toMatchObject({ pids: { current: 1, limit: 40 } });
    // It is in the group and, from there, in its namespace: from within, nobody may come from outside.
    const further = await exec(id, (own) => ({ ...own, args: ['sh', '-c', 'test "$(cat /proc/self/cgroup)" = 0::/ && exit 7'] }), root);
    expect(await further.exited).toMatchObject({ code: 7 });
    await remove(id, { ...root, force: true });
    expect((await child.exited).signal).toBe('SIGKILL');
    expect(existsSync(scope)).toBe(false);
    expect(shown('pod-web.scope', 'LoadState')).toEqual(['LoadState=not-found']);
  });

  it('has others join its namespace of groups', async () => {
    const { child, id, root } = await created(at, ['sleep', '1000']);
    const namespaces = (defaultConfig().linux?.namespaces ?? []).filter(({ type }) => type !== 'cgroup');
    const joined: LinuxNamespace = { type: 'cgroup', path: `/proc/${child.pid}/ns/cgroup` };
    const member = await ran(at, ['cat', '/proc/self/cgroup'], { linux: { namespaces: [...namespaces, joined] } });
    expect(member).toMatchObject({ exit: { code: 0 }, output: expect.stringMatching(/^0::\/\.\.\/c\d+\n$/) as string });
    await remove(id, { ...root, force: true });
  });

  it('without a path is in the slice of the system, and its scope ends with its program', async () => {
    const { id, child, root } = await created(at, ['true'], { linux: { cgroupsPath: '' } }, bySystemd);
    const scope = `/sys/fs/cgroup/system.slice/ctr-${id}.scope`;
    expect(existsSync(scope)).toBe(true);
    await start(id, root);
    await child.exited;
    await remove(id, root);
    expect(existsSync(scope)).toBe(false);
  });

  it('may use the devices that every container has, and no other that is there, unless it is told', async () => {
    const tty0 = { path: '/dev/tty0', type: 'c', major: 4, minor: 0 } as const;
    const script = 'head -c 1 /dev/zero >/dev/null && exec 3</dev/tty0';
    const codeWith = async (resources: LinuxResources): Promise<number | undefined> => {
      const { id, child, root } = await created(at, ['sh', '-c', script], { linux: { cgroupsPath: '::devices', devices: [tty0], resources } }, bySystemd);
      await start(id, root);
      const { code } = await child.exited;
      await remove(id, root);
      return code;
    };
    expect(await codeWith({})).not.toBe(0);
    expect(await codeWith({ devices: [{ allow: false }, { allow: true, type: 'c', major: 4, minor: 0, access: 'r' }] })).toBe(0);
  });

  it('is refused with another form of a path, with a name that is taken, and with limits that cannot be: nothing is left', async () => {
    await expect(created(at, ['true'], {}, bySystemd)).rejects.toThrow('names no scope: systemd takes slice:prefix:name');
    const { id, root } = await created(at, ['sleep', '1000'], { linux: { cgroupsPath: '::taken' } }, bySystemd);
    await expect(created(at, ['true'], { linux: { cgroupsPath: '::taken' } }, bySystemd)).rejects.toThrow('the scope taken.scope is there already');
    expect(state(id, root).status).toBe('created');
    kill(id, 'SIGKILL', root);
    const resources = { cpu: { cpus: '4000' } };
    await expect(created(at, ['true'], { linux: { cgroupsPath: '::never', resources } }, bySystemd)).rejects.toThrow(/cpuset\.cpus/);
    expect(shown('never.scope', 'LoadState')).toEqual(['LoadState=not-found']);
  });

  it('has the properties that its annotations name, and is refused, by their place, with others', async () => {
    const withProperties = (values: Record<string, string>, cgroupsPath: string) =>
      created(
        at,
        ['sleep', '1000'],
        { annotations: Object.fromEntries(Object.entries(values).map(([name, value]) => [`org.systemd.property.${name}`, value])), linux: { cgroupsPath } },
        bySystemd,
      );
    const { id, root } = await withProperties(
      { TimeoutStopSec: '7', CollectMode: "'inactive'", Documentation: "['man:sleep(1)', 'man:sh(1)']", MemoryHigh: 'uint64 33554432', SendSIGHUP: 'true' },
      '::properties',
    );
    expect(shown('properties.scope', 'TimeoutStopUSec,CollectMode,Documentation,MemoryHigh,SendSIGHUP')).toEqual([
      'CollectMode=inactive',
      'Documentation="man:sleep(1)" "man:sh(1)"',
      'MemoryHigh=33554432',
      'SendSIGHUP=yes',
      'TimeoutStopUSec=7s',
    ]);
    await remove(id, { ...root, force: true });
    await expect(withProperties({ After: '[]' }, '::never')).rejects.toThrow('annotations["org.systemd.property.After"]: "[]": the type before an empty array');
    await expect(withProperties({ NoSuch: '1' }, '::never')).rejects.toThrow(/NoSuch.*this systemd does not know the property/);
    await expect(withProperties({ CollectMode: '1' }, '::never')).rejects.toThrow('a property has another type than systemd has for it');
    expect(shown('never.scope', 'LoadState')).toEqual(['LoadState=not-found']);
  });

  it('is asked for by --systemd-cgroup', async () => {
    const config = configOf(at, ['cat', '/proc/self/cgroup'], {
      linux: { cgroupsPath: 'ctroci-test.slice:pod:run', namespaces: (defaultConfig().linux?.namespaces ?? []).filter(({ type }) => type !== 'cgroup') },
    });
    const { code, stdout, stderr } = await ctrOci(['--root', at.root, '--systemd-cgroup', 'run', '--bundle', bundleOf(at, config), newId()]);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '0::/ctroci.slice/ctroci-test.slice/pod-run.scope\n', stderr: '' });
    expect(existsSync(`${slice}/pod-run.scope`)).toBe(false);
  });
});

function shown(unit: string, properties: string): string[] {
  return execFileSync('systemctl', ['show', '-p', properties, unit], { encoding: 'utf8' }).trim().split('\n').toSorted();
}
