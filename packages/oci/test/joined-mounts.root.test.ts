// A mount namespace that is there already: the root file system of the container is set up in it.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { create, defaultConfig, type Config } from '@ctr/oci';
import { describe, expect, it, onTestFinished } from 'vitest';

import { bundleOf, configOf, newId, place, ran, type Changes } from './container.js';
import { command, ctrOci, run } from './ctr-oci.js';

const at = place();
const runc = spawnSync('runc', ['--version']).status === 0;

/** A mount namespace with a process in it, made by a shell. */
async function namespace(line = ':'): Promise<string> {
  const child = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', `${line}; echo ready; exec sleep 1000`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return `/proc/${child.pid}/ns/mnt`;
}

function joining(path: string): NonNullable<Changes['linux']> {
  return { namespaces: (defaultConfig().linux?.namespaces ?? []).map(({ type }) => ({ type, ...(type === 'mount' && { path }) })) };
}

describe('a mount namespace that is joined', () => {
  it('has the root file system of the bundle, and nothing of the host is written', async () => {
    const trace = join('/tmp', `ctr-oci-joined-${process.pid}`);
    onTestFinished(() => rmSync(trace, { force: true }));
    const script = `touch ${trace} 2>&1; ls -d /home /usr 2>&1 | grep -c 'No such'; cat /proc/1/comm; head -c 1 /proc/timer_list | wc -c; echo x > /proc/sys/kernel/domainname`;
    const { exit, output } = await ran(at, ['sh', '-c', script], { linux: joining(await namespace()) });
    expect(exit.code).toBe(1);
    expect(output).toBe(`touch: ${trace}: Read-only file system\n2\nsh\n0\nsh: can't create /proc/sys/kernel/domainname: Read-only file system\n`);
    expect(existsSync(trace)).toBe(false);
  });

  it('is where sources of mounts and the root file system are looked up', async () => {
    const [source, rootfs] = [join(at.directory, 'source'), join(at.directory, 'other-root')];
    for (const directory of [source, rootfs]) mkdirSync(directory);
    writeFileSync(join(source, 'where'), 'of the caller\n');
    const path = await namespace(
      `mount --bind ${at.rootfs} ${rootfs}; mount -t tmpfs source ${source}; echo 'of the namespace' > ${source}/where; mkdir -p ${source}/below`,
    );
    const mounts: Config['mounts'] = [
      ...(defaultConfig().mounts ?? []),
      { destination: '/mnt', source, options: ['rbind'] },
      { destination: '/mnt/below', source: `${source}/below`, options: ['bind'] },
    ];
    const { output } = await ran(at, ['cat', '/mnt/where'], { root: { path: rootfs }, mounts, linux: joining(path) });
    expect(output).toBe('of the namespace\n');
    expect(readFileSync(join(source, 'where'), 'utf8')).toBe('of the caller\n');
  });

  it('gives the same as with runc', async (context) => {
    if (!runc) context.skip('runc is not installed');
    const script = 'ls /; cut -d" " -f4-6 /proc/self/mountinfo | grep -vE "/sys/fs|/proc/(keys|timer_list|scsi|acpi)|/sys/firmware" | sort; touch /x 2>&1';
    const said: string[] = [];
    for (const by of ['runc', 'ctr-oci']) {
      const config = configOf(at, ['sh', '-c', script], { linux: joining(await namespace()) });
      const bundle = bundleOf(at, { ...config, ociVersion: '1.0.2', linux: { ...config.linux, resources: {} } });
      const args = ['--root', join(at.directory, `by-${by}`), 'run', '--bundle', bundle, newId()];
      const { stdout } = by === 'runc' ? await run(['runc', ...args]) : await ctrOci(args);
      said.push(stdout.replaceAll(at.rootfs, 'ROOT'));
    }
    expect(said[0]).toContain('touch: /x: Read-only file system');
    expect(said[1]).toBe(said[0]);
  });

  // The first process is one of the test's own, in namespaces of its own: nothing of the host would be changed if this failed.
  it.each([
    ['of the first process', '/proc/1/ns/mnt'],
    ['of the caller', '/proc/self/ns/mnt'],
  ])('is refused if it is that %s', async (whose, path) => {
    const bundle = bundleOf(at, configOf(at, ['true'], { linux: joining(path) }));
    const inner = whose === 'of the caller' ? 'unshare --mount ' : '';
    const line = `${inner}"$@"; ls -d ${at.rootfs} /usr`;
    const program = [...command, '--root', join(at.directory, 'refused'), 'run', '--bundle', bundle, newId()];
    const { stdout, stderr } = await run(['unshare', '--pid', '--mount', '--fork', '--mount-proc', 'sh', '-c', line, 'sh', ...program]);
    expect(stderr).toContain(`is that ${whose}: to change the root there would change it for all of its processes`);
    expect(stdout).toBe(`${at.rootfs}\n/usr\n`);
  });

  it('is still needed: without one nothing is run', async () => {
    const namespaces = (defaultConfig().linux?.namespaces ?? []).filter(({ type }) => type !== 'mount');
    const config = configOf(at, ['true'], { mounts: [], linux: { namespaces, maskedPaths: [], readonlyPaths: [] } });
    await expect(create(bundleOf(at, config), newId(), { root: at.root })).rejects.toThrow(/none of the type mount/);
  });
});
