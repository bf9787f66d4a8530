// A mount namespace that is there already: the root file system of the container is set up in it.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { create, defaultConfig, type Config } from '@ctr/oci';
import { describe, expect, it, onTestFinished } from 'vitest';

import { bundleOf, configOf, fill, newId, place, ran, type Changes } from './container.js';
import { command, ctrOci, run } from './ctr-oci.js';

const at = place();
const runc = spawnSync('runc', ['--version']).status === 0;

/** A mount namespace with a process in it, made by a shell, which runs a second line when the namespace is ready. */
async function namespace(line = ':', after = ':'): Promise<string> {
  const child = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', `${line}; echo ready; ${after}; exec sleep 1000`], {
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

  // The other process exchanges directories of what it finds unfinished for a link to a directory of the host.
  it.each([
    ['begins with what the image has is seen by nobody before it is filled', ['tmpcopyup'], false],
    ['begins with nothing is seen by the other processes', [], true],
  ] as const)('has processes of others: a tmpfs that %s', { timeout: 60_000 }, async (_what, options, isSeen) => {
    const directory = join(at.directory, newId());
    const [rootfs, outside, seen] = [join(directory, 'root'), join(directory, 'outside'), join(directory, 'seen')];
    fill(rootfs);
    mkdirSync(outside);
    for (let i = 0; i < 200; i++) {
      mkdirSync(join(rootfs, `data/d${i}`), { recursive: true });
      writeFileSync(join(rootfs, `data/d${i}/file`), 'x');
    }
    const last = join(rootfs, `data/${readdirSync(join(rootfs, 'data')).at(-1) ?? ''}/file`);
    const exchange = `echo > ${seen}; for d in ${rootfs}/data/d*; do mv $d $d.old 2> /dev/null && ln -s ${outside} $d; done; break`;
    const watch = `i=0; while [ $i -lt 5000000 ] && [ -e ${rootfs}/bin ]; do i=$((i+1)); if [ ! -e ${last} ] && [ -e ${rootfs}/bin ]; then ${exchange}; fi; done`;
    const mounts: Config['mounts'] = [{ destination: '/data', type: 'tmpfs', source: 'tmpfs', options }];
    const linux = { ...joining(await namespace(':', watch)), maskedPaths: [], readonlyPaths: [] };
    // The window in which the new root is attached and the old one is still there.
    const wait = `i=0; while [ $i -lt 50 ] && [ ! -e ${seen} ]; do i=$((i+1)); sleep 0.02; done`;
    const hooks = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', wait], env: ['PATH=/bin:/usr/bin'] }] };
    const { output } = await ran(at, ['sh', '-c', 'cat /data/d*/file 2>&1 | wc -c'], { root: { path: rootfs }, mounts, linux, hooks });
    expect({ files: options.length > 0 ? output : '', written: readdirSync(outside), isSeen: existsSync(seen) }).toEqual({
      files: options.length > 0 ? '200\n' : '',
      written: [],
      isSeen,
    });
  });

  // What the caller sees at the path is a file; in the namespace, the device that is bound to it is on a writable mount.
  it('has a device on a read-only mount, and a file on one that can be written', async () => {
    const sources = [join(at.directory, newId()), join(at.directory, newId())] as const;
    for (const file of sources) writeFileSync(file, '');
    const device = join(at.directory, newId());
    const path = await namespace(`mknod ${device} c 1 5; mount --bind ${device} ${sources[0]}`);
    const mounts: Config['mounts'] = [
      { destination: '/given', source: sources[0], options: ['bind', 'rw'] },
      { destination: '/file', source: sources[1], options: ['bind', 'rw'] },
    ];
    const linux = { ...joining(path), maskedPaths: [], readonlyPaths: [] };
    const script = 'chmod 600 /given 2>&1; chmod 600 /file; stat -c %a /file';
    const { output } = await ran(at, ['sh', '-c', script], { mounts, linux });
    expect(output).toBe('chmod: /given: Read-only file system\n600\n');
  });

  // Its path would be looked up among the files of the namespace, and executed with the rights of the caller.
  it('takes no hook of createContainer, and those of createRuntime run among the files of the host', async () => {
    const source = join(at.directory, newId());
    mkdirSync(source);
    const wrote = join(at.directory, newId());
    const hook = join(source, 'hook');
    writeFileSync(hook, `#!/bin/sh\necho host > ${wrote}\n`, { mode: 0o755 });
    const path = await namespace(`mount -t tmpfs hostile ${source}; printf '#!/bin/sh\\necho hostile > ${wrote}\\n' > ${hook}; chmod 755 ${hook}`);
    const mounts: Config['mounts'] = [];
    const linux = { ...joining(path), maskedPaths: [], readonlyPaths: [] };
    const refused = bundleOf(at, configOf(at, ['true'], { mounts, linux, hooks: { createContainer: [{ path: hook }] } }));
    await expect(create(refused, newId(), { root: at.root })).rejects.toThrow(/hooks\.createContainer.*mount namespace/s);
    expect(existsSync(wrote)).toBe(false);
    await ran(at, ['true'], { mounts, linux, hooks: { createRuntime: [{ path: hook }] } });
    expect(readFileSync(wrote, 'utf8')).toBe('host\n');
  });

  it('is still needed: without one nothing is run', async () => {
    const namespaces = (defaultConfig().linux?.namespaces ?? []).filter(({ type }) => type !== 'mount');
    const config = configOf(at, ['true'], { mounts: [], linux: { namespaces, maskedPaths: [], readonlyPaths: [] } });
    await expect(create(bundleOf(at, config), newId(), { root: at.root })).rejects.toThrow(/none of the type mount/);
  });
});
