import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { create, defaultConfig, toSpec, type Config } from '@ctr/oci';
import { explain, isSyscallError } from '@ctr/syscall';
import { readLayout } from '@ctr/cgroups';
import { expect, it } from 'vitest';

import { bundleOf, cgroupsBelow, configOf, newId, place } from './container.js';

const at = place();
/** The calls of a plan as text, without what differs between a plan that is made and one that is read: numbers of files, places in memory. */
const calls = (text: string): string[] =>
  text.split('\n').map((line) => {
    const [, call = line, purpose = ''] = /^[→ ]*\d+ +(\w+)\(.*?(#.*)?$/.exec(line) ?? [];
    // The files of the state are only there when it is.
    return call === 'fcntl' ? call : `${call} ${purpose}`;
  });

const configs: readonly (readonly [name: string, changes: Parameters<typeof configOf>[2]])[] = [
  ['the usual one', {}],
  ['one with a user namespace', { linux: withUsers() }],
  ['one with hooks and limits', { hooks: { createRuntime: [{ path: '/bin/true' }] }, linux: { resources: { pids: { limit: 10 } } } }],
];

function withUsers(): NonNullable<Config['linux']> {
  const ids = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
  return { namespaces: [...(defaultConfig().linux?.namespaces ?? []), { type: 'user' }], uidMappings: ids, gidMappings: ids };
}

it.each(configs)('a spec has the steps that are taken for %s', async (_, changes) => {
  const config = configOf(at, ['/no/such/program'], changes);
  const bundle = bundleOf(at, config);
  const { plan, createSteps } = toSpec(config, { bundle });
  expect(plan[createSteps - 1]?.call).toBeDefined();
  const failure = await create(bundle, newId(), { root: at.root }).catch((error: unknown) => error);
  if (!isSyscallError(failure)) throw failure;
  expect(failure.code).toBe('ENOENT');
  expect(calls(failure.plan ?? '')).toEqual(calls(explain(plan)));
});

it('nothing is made for a spec', () => {
  mkdirSync(at.root, { recursive: true });
  const before = readdirSync(at.root);
  const config = configOf(at, ['true'], { linux: { resources: { pids: { limit: 3 } } } });
  toSpec(config, { bundle: bundleOf(at, config), id: 'spec' });
  expect(readdirSync(at.root)).toEqual(before);
  expect(cgroupsBelow(at.cgroup)).toEqual([]);
  expect(readLayout().hierarchies.length).toBeGreaterThan(0);
});

it('a path of the form slice:prefix:name is a scope of systemd, with the limits that it has, unless it is told otherwise', () => {
  const annotations = { 'org.systemd.property.CollectMode': 'inactive' };
  const config = configOf(at, ['true'], { linux: { cgroupsPath: 'machine.slice:pod:web', resources: { pids: { limit: 20 } } } });
  const bundle = bundleOf(at, config);
  const text = explain(toSpec(config, { bundle }).plan);
  expect(text).toMatch(/the scope pod-web\.scope of systemd in machine\.slice with pids = 20\n/);
  expect(text).not.toContain('pids.max');
  expect(explain(toSpec(config, { bundle, cgroupManager: 'cgroupfs' }).plan)).toContain('machine.slice:pod:web');
  expect(explain(toSpec({ ...config, linux: { ...config.linux, cgroupsPath: '' } }, { bundle, id: 'web', cgroupManager: 'systemd' }).plan)).toContain(
    'the scope ctr-web.scope of systemd',
  );
  expect(() => toSpec({ ...config, annotations }, { bundle })).toThrow('annotations["org.systemd.property.CollectMode"]: "inactive": a type that is taken');
});

it('what cannot be is refused, as create does', () => {
  const config = configOf(at, ['true']);
  const bundle = bundleOf(at, config);
  expect(() => toSpec({ ...config, ociVersion: '9.0.0' }, { bundle })).toThrow('ociVersion');
  expect(() => toSpec({ ...config, root: { path: join(at.directory, 'none') } }, { bundle })).toThrow('no such file or directory');
  expect(() => toSpec({ ...config, linux: { ...config.linux, intelRdt: { closID: 'x' } } }, { bundle })).toThrow('linux.intelRdt');
  expect(() => toSpec(config, { bundel: '' } as never)).toThrow('bundel');
});
