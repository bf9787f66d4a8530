// What may be wrong with where states are kept, with what is kept, and with what a container has been made of.
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { create, exec, kill, list, OciError, pause, ps, remove, start, state, stats, update } from '@ctr/oci';
import { describe, expect, it, onTestFinished } from 'vitest';

import { identityOf } from '../src/state/identity.js';
import { bundleOf, cgroupsBelow, configOf, created, fill, newId, place, type Changes } from './container.js';
import { shell } from './ctr-oci.js';

const at = place();
const sleeper = ['sleep', '1000'];
const quiet = { stdio: ['ignore', 'ignore', 'ignore'] } as const;

/** A container that runs, and the file of its state. */
async function running(changes: Changes = {}) {
  const container = await created(at, sleeper, changes);
  await start(container.id, container.root);
  const file = join(at.root, container.id, 'state.json');
  return { ...container, file, kept: readFileSync(file, 'utf8') };
}

/** All that changes a container. */
function changes(id: string, root: { readonly root: string }): (() => Promise<unknown>)[] {
  return [() => start(id, root), () => remove(id, root), () => pause(id, root), () => update(id, {}, root), () => exec(id, (own) => own, root)];
}

describe('where states are kept', () => {
  /** In a mount namespace of its own. */
  const within = (mount: string, line: string, cwd: string) =>
    shell(`mkdir -p ${at.directory}/small && ${mount} && ${line}`, { cwd, prefix: ['unshare', '--mount', '--propagation', 'private', '--'] });

  it.each(['nr_inodes=1', 'nr_inodes=2', 'nr_inodes=3', 'nr_inodes=4', 'nr_inodes=5', 'size=4k', 'size=8k', 'size=12k'])(
    'is full (%s): that is told, nothing is left, and deleting works',
    async (option) => {
      const bundle = bundleOf(at, configOf(at, sleeper));
      const id = newId();
      const { stdout, stderr } = await within(
        `mount -t tmpfs -o ${option} tmpfs ${at.directory}/small`,
        `$CTR_OCI --root ${at.directory}/small create ${id} </dev/null >/dev/null; echo $?; ls -A ${at.directory}/small; $CTR_OCI --root ${at.directory}/small delete --force ${id}; echo $?`,
        bundle,
      );
      expect({ stdout, stderr }).toEqual({ stdout: '1\n0\n', stderr: expect.stringMatching(/^ctr-oci: create failed: .*(ENOSPC|no space left)/) as string });
      expect(cgroupsBelow(at.cgroup)).toEqual([]);
    },
  );

  it('is read-only: that is told, and nothing is made', async () => {
    const bundle = bundleOf(at, configOf(at, sleeper));
    const { stdout, stderr } = await within(
      `mount -t tmpfs -o ro tmpfs ${at.directory}/small`,
      `$CTR_OCI --root ${at.directory}/small create a </dev/null; echo $?; $CTR_OCI --root ${at.directory}/small list -q`,
      bundle,
    );
    expect({ stdout, stderr }).toEqual({ stdout: '1\n', stderr: expect.stringContaining('EROFS') as string });
    expect(cgroupsBelow(at.cgroup)).toEqual([]);
  });

  it('is a file, or a link that leads nowhere', async () => {
    const bundle = bundleOf(at, configOf(at, sleeper));
    const file = join(bundle, 'file');
    writeFileSync(file, '');
    await expect(create(bundle, 'a', { root: file, ...quiet })).rejects.toThrow(/ENOTDIR|EEXIST/);
    symlinkSync('/nowhere/at/all', join(bundle, 'link'));
    await expect(create(bundle, 'a', { root: join(bundle, 'link'), ...quiet })).rejects.toThrow(/ENOENT/);
  });

  it('has something else of that name: it is no container, and nothing is done to it', async () => {
    const root = { root: join(mkdtempSync(join(at.directory, 'foreign-')), 'root') };
    mkdirSync(root.root);
    const elsewhere = mkdtempSync(join(at.directory, 'elsewhere-'));
    writeFileSync(join(elsewhere, 'state.json'), '{}');
    symlinkSync(elsewhere, join(root.root, 'link'));
    writeFileSync(join(root.root, 'file'), '');
    mkdirSync(join(root.root, 'of-another'));
    chownSync(join(root.root, 'of-another'), 1000, 1000);
    const bundle = bundleOf(at, configOf(at, sleeper));
    for (const id of ['link', 'file', 'of-another']) {
      const message = id === 'of-another' ? 'belongs to user 1000' : 'container does not exist';
      for (const act of [() => state(id, root), () => kill(id, 9, root), () => ps(id, root), () => stats(id, root)]) expect(act).toThrow(message);
      for (const act of changes(id, root)) await expect(act()).rejects.toThrow(message);
      await expect(create(bundle, id, { ...root, ...quiet })).rejects.toThrow('already exists');
    }
    await expect(remove('of-another', { ...root, force: true })).rejects.toThrow('belongs to user 1000');
    await remove('link', { ...root, force: true });
    expect(list(root).containers).toEqual([]);
    expect(readdirSync(root.root).toSorted()).toEqual(['file', 'link', 'of-another']);
    expect(readFileSync(join(elsewhere, 'state.json'), 'utf8')).toBe('{}');
  });
});

describe('what is kept', () => {
  it('and cut off at any byte is broken: nobody is killed, and deleting by force takes it away', async () => {
    const { id, child, root, file, kept } = await running();
    const whole = kept.trimEnd().length;
    // Those in the middle, where it tells of its last steps, are much the same.
    for (let length = 0; length < whole; length += length < 300 || length > whole - 300 ? 1 : 41) {
      writeFileSync(file, kept.slice(0, length));
      expect(() => kill(id, 'SIGKILL', root)).toThrow('its state is broken');
    }
    for (const act of [() => state(id, root), () => ps(id, root), () => stats(id, root)]) expect(act).toThrow(OciError);
    for (const act of changes(id, root)) await expect(act()).rejects.toThrow('its state is broken');
    expect(list(root).broken.map((each) => each.id)).toEqual([id]);
    await remove(id, { ...root, force: true });
    expect(existsSync(join(at.root, id))).toBe(false);
    expect(child.kill(0)).toBe(true);
    // What it was is known to its caller alone.
    child.kill('SIGKILL');
    await child.exited;
    mkdirSync(join(at.root, id));
    writeFileSync(file, kept);
    await remove(id, { ...root, force: true });
  });

  it('and has something else in any place is broken, or does no harm', async () => {
    const { id, child, root, file, kept } = await running();
    const bystander = spawn('sleep', ['1000']);
    onTestFinished(() => void bystander.kill('SIGKILL'));
    const whole = JSON.parse(kept) as Record<string, unknown>;
    const strange: unknown[] = [
      null,
      true,
      0,
      1,
      -1,
      1.5,
      '',
      'x',
      [],
      {},
      [null],
      [{}],
      [[]],
      { pid: bystander.pid, startTime: '1' },
      { pid: 1, startTime: '1' },
    ];
    for (const key of Object.keys(whole))
      for (const instead of [undefined, ...strange]) {
        writeFileSync(file, JSON.stringify({ ...whole, [key]: instead }));
        try {
          kill(id, 'SIGKILL', { ...root, all: key === 'process' });
        } catch (error) {
          if (!(error instanceof OciError)) throw new Error(`${key} is ${JSON.stringify(instead)}: ${String(error)}`, { cause: error });
        }
        if (child.kill(0)) continue;
        // It was whole in all that says which process it is.
        expect(key).not.toBe('process');
      }
    expect(bystander.kill(0)).toBe(true);
    writeFileSync(file, kept);
  });

  it('and names groups that are none of a container has no effect on them', async () => {
    const { id, child, root, file, kept } = await running();
    const whole = JSON.parse(kept) as { places: { directory: string }[] };
    const victim = mkdtempSync(join(at.directory, 'victim-'));
    mkdirSync(join(victim, 'below'));
    for (const directory of [victim, join(victim, 'below'), '/sys/fs/cgroup/pids', '/', '', 'relative', '/proc/self', '/sys/fs/cgroup/pids/../../../../tmp'])
      for (const places of [[{ ...whole.places[0], directory }], [...whole.places, { ...whole.places[0], directory }]]) {
        writeFileSync(file, JSON.stringify({ ...whole, places }));
        expect(() => kill(id, 'SIGKILL', { ...root, all: true }), directory).toThrow('its state is broken');
        await expect(remove(id, root)).rejects.toThrow('its state is broken');
      }
    expect(readdirSync(victim)).toEqual(['below']);
    expect(child.kill(0)).toBe(true);
    writeFileSync(file, kept);
  });

  it('and is of a process whose pid another has now: that is stopped, and the other lives', async () => {
    const { id, child, root, file, kept } = await running();
    const whole = JSON.parse(kept) as { process: { pid: number; startTime: string } };
    const { startTime } = whole.process;
    // The kernel counts in hundredths of a second, and this one has to be a later one.
    let bystander = spawn('sleep', ['1000']);
    onTestFinished(() => void bystander.kill('SIGKILL'));
    while (identityOf(bystander.pid ?? 0)?.startTime === startTime) {
      bystander.kill('SIGKILL');
      bystander = spawn('sleep', ['1000']);
    }
    writeFileSync(file, JSON.stringify({ ...whole, process: { ...whole.process, pid: bystander.pid } }));
    expect(state(id, root)).toMatchObject({ status: 'stopped', pid: 0 });
    expect(() => kill(id, 'SIGTERM', root)).toThrow('container not running');
    await expect(exec(id, (own) => own, root)).rejects.toThrow('cannot exec in a stopped container');
    // Its group is its own: what runs there goes with it.
    await remove(id, { ...root, force: true });
    expect((await child.exited).signal).toBe('SIGKILL');
    expect(bystander.kill(0)).toBe(true);
    expect(cgroupsBelow(at.cgroup)).toEqual([]);
  });
});

describe('what a container is made of', () => {
  it('is that of `create`, whatever becomes of the bundle, its configuration and its root', async () => {
    const rootfs = mkdtempSync(join(at.directory, 'root-'));
    chmodSync(rootfs, 0o755);
    fill(rootfs);
    const id = newId();
    const root = { root: at.root };
    onTestFinished(() => remove(id, { ...root, force: true }));
    const bundle = bundleOf(at, configOf(at, ['sh', '-c', 'exit 7'], { root: { path: rootfs } }));
    const child = await create(bundle, id, { ...root, ...quiet });
    writeFileSync(
      join(bundle, 'config.json'),
      '{"ociVersion": "1.0.0", "process": {"args": ["sh", "-c", "exit 8"]}, "hooks": {"poststart": [{"path": "/no"}]}}',
    );
    rmSync(bundle, { recursive: true });
    renameSync(rootfs, `${rootfs}-elsewhere`);
    mkdirSync(rootfs);
    await start(id, root);
    expect((await child.exited).code).toBe(7);
    await remove(id, root);
  });

  it('may vanish while it runs', async () => {
    const rootfs = mkdtempSync(join(at.directory, 'root-'));
    chmodSync(rootfs, 0o755);
    fill(rootfs);
    const { id, child, root } = await running({ root: { path: rootfs } });
    rmSync(rootfs, { recursive: true });
    await expect(exec(id, (own) => ({ ...own, args: ['true'] }), { ...root, ...quiet })).rejects.toThrow('executable file not found');
    expect(state(id, root).status).toBe('running');
    await remove(id, { ...root, force: true });
    expect((await child.exited).signal).toBe('SIGKILL');
  });

  it('is not there when it is created', async () => {
    const bundle = bundleOf(at, configOf(at, sleeper, { root: { path: 'missing' } }));
    await expect(create(bundle, 'a', { root: at.root, ...quiet })).rejects.toThrow(/the root file system .*missing is no directory, or not there/);
    writeFileSync(join(bundle, 'missing'), 'a file');
    await expect(create(bundle, 'a', { root: at.root, ...quiet })).rejects.toThrow('is no directory');
    rmSync(join(bundle, 'config.json'));
    await expect(create(bundle, 'a', { root: at.root, ...quiet })).rejects.toThrow(/ENOENT.*config\.json/);
    writeFileSync(join(bundle, 'config.json'), '');
    truncateSync(join(bundle, 'config.json'), 2 ** 30);
    await expect(create(bundle, 'a', { root: at.root, ...quiet })).rejects.toThrow('has 1073741824 bytes: at most 16777216 are read');
    rmSync(join(bundle, 'config.json'));
    mkdirSync(join(bundle, 'config.json'));
    await expect(create(bundle, 'a', { root: at.root, ...quiet })).rejects.toThrow(/EISDIR|config\.json/);
    rmSync(join(bundle, 'config.json'), { recursive: true });
    execFileSync('mkfifo', [join(bundle, 'config.json')]);
    await expect(create(bundle, 'a', { root: at.root, ...quiet })).rejects.toThrow('config.json is no file');
    expect(readdirSync(at.root)).toEqual([]);
  });
});

it('a configuration that is wrong is told of in all places, harmless to a terminal, and nothing is made', async () => {
  const whole = configOf(at, sleeper);
  const wrong = {
    ...whole,
    hostname: 7,
    process: { ...whole.process, cwd: 'a\u{1b}[31mb' },
    linux: { ...whole.linux, namespaces: [{ type: 'mnt' }] },
  };
  const bundle = bundleOf(at, wrong as unknown as typeof whole);
  const log = join(bundle, 'log');
  const { stdout } = await shell(`$CTR_OCI --root ${at.root} --log ${log} --log-format json create a 2>&1; echo $?`, { cwd: bundle });
  for (const path of ['hostname: 7', 'process.cwd: ', 'linux.namespaces[0].type: "mnt"']) expect(stdout).toContain(path);
  expect(stdout).toMatch(/^ctr-oci: create failed: /);
  expect(stdout.trim().split('\n').at(-1)).toBe('1');
  // oxlint-disable-next-line no-control-regex -- that is what must not be there
  expect(stdout).not.toMatch(/[\x00-\x08\x0b-\x1f]/);
  const { level, msg } = JSON.parse(readFileSync(log, 'utf8')) as { level: string; msg: string };
  expect([level, msg.includes('hostname: 7')]).toEqual(['error', true]);
  expect(readdirSync(at.root)).toEqual([]);
  expect(cgroupsBelow(at.cgroup)).toEqual([]);
});

describe('a console socket', () => {
  const terminal: Changes = { process: { terminal: true } };

  it.each([
    ['that is not there', () => join(at.directory, 'nosuch'), 'ENOENT'],
    ['that is a file', () => join(at.rootfs, 'etc/passwd'), 'ECONNREFUSED'],
    ['whose path is too long', () => `/${'x'.repeat(200)}`, '1 to 107 bytes'],
    ['at which nobody listens any more', deadSocket, 'ECONNREFUSED'],
  ])('%s: that is told, nothing is left', async (_, path, message) => {
    const bundle = bundleOf(at, configOf(at, sleeper, terminal));
    for (const detached of [true, false]) await expect(create(bundle, newId(), { root: at.root, consoleSocket: path(), detached })).rejects.toThrow(message);
    expect(readdirSync(at.root)).toEqual([]);
    expect(cgroupsBelow(at.cgroup)).toEqual([]);
  });

  function deadSocket(): string {
    const path = join(mkdtempSync(join(at.directory, 'socket-')), 's');
    execFileSync('python3', ['-c', 'import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1])', path]);
    return path;
  }

  it('of exec is looked for as well, and the process ends', async () => {
    const { id, root } = await running();
    await expect(exec(id, (own) => ({ ...own, args: sleeper, terminal: true }), { ...root, consoleSocket: '/no/such' })).rejects.toThrow('ENOENT');
    while (ps(id, root).length > 1) await new Promise((resolve) => setTimeout(resolve, 5));
  });
});

it('without stdin, stdout and stderr a container has /dev/null for them', async () => {
  const mounts = [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/tmp', type: 'bind', source: at.directory, options: ['bind'] },
  ];
  const bundle = bundleOf(at, configOf(at, ['sh', '-c', '(for n in 0 1 2; do stat -Lc %t:%T /proc/$$/fd/$n; done) > /tmp/seen; exit 5'], { mounts }));
  const { stdout } = await shell(`$CTR_OCI --root ${at.root} run ${newId()} <&- 2>&- >&-; echo $?`, { cwd: bundle });
  expect(stdout).toBe('5\n');
  expect(readFileSync(join(at.directory, 'seen'), 'utf8')).toBe('1:3\n1:3\n1:3\n');
});
