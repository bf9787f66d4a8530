// Containers of the configs that engines have written, with files of this machine in place of theirs.
import { existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';

import { create, parseConfig, remove, start, type Config, type Mount } from '@ctr/oci';
import { expect, it, onTestFinished } from 'vitest';

import { bundleOf, newId, Output, place } from './container.js';
import { corpus } from './corpus.js';

const at = place();

/** The config that has every field has more than one machine. */
const ofEngines = corpus.filter(([name]) => name !== 'every-field');

/** A directory that is there, for one that was there where the config was written. */
function directory(): string {
  const made = mkdtempSync(join(at.directory, 'source-'));
  for (const name of ['lower', 'base', 'upper', 'work']) mkdirSync(join(made, name));
  return made;
}

function here(mount: Mount): Mount {
  const { type, source = '', options = [] } = mount;
  if (type === 'overlay') {
    const made = directory();
    const layers = options.map((option) =>
      option.replace(/^(lower|upper|work)dir=.*/, (_, layer: string) => `${layer}dir=${made}/${layer}${layer === 'lower' ? `:${made}/base` : ''}`),
    );
    return { ...mount, options: layers };
  }
  const isBind = options.some((option) => option === 'bind' || option === 'rbind');
  return isBind && !existsSync(source)
    ? { ...mount, source: /\/(passwd|group|hosts|hostname|resolv\.conf|\.containerenv)$/.test(source) ? '/etc/hosts' : directory() }
    : mount;
}

/** Without what depends on its disks, and on how far its hard limits go. */
function onThisMachine({ root, process, mounts = [], linux, ...config }: Config, id: string): Config {
  const { blockIO: _disks, ...resources } = linux?.resources ?? {};
  const { rlimits: _limits, ...rest } = process ?? {};
  return {
    ...config,
    root: { ...root, path: at.rootfs },
    process: { cwd: '/', ...rest, terminal: false, args: ['sh', '-c', 'echo runs'] },
    mounts: mounts.map(here),
    linux: { ...linux, resources, cgroupsPath: `${at.cgroup}/${id}`, namespaces: (linux?.namespaces ?? []).map(({ type }) => ({ type })) },
  };
}

it.each(ofEngines)('runs what is described as in %s', async (_, bytes) => {
  const id = newId();
  const output = new Output();
  onTestFinished(() => remove(id, { root: at.root, force: true }));
  const child = await create(bundleOf(at, onThisMachine(parseConfig(bytes), id)), id, { root: at.root, stdio: ['ignore', output.fd, output.fd] });
  await start(id, { root: at.root });
  expect({ ...(await child.exited), said: output.text }).toMatchObject({ code: 0, said: 'runs\n' });
});
