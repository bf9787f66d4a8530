// A tmpfs that begins with what the image has: `tmpcopyup`.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { readLayout } from '@ctr/cgroups';
import { create, remove, start, state, stats, type Mount } from '@ctr/oci';
import { call, callInto, fileTypes, launch, Memory, openFd } from '@ctr/syscall';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { record, rounds } from '../../../tools/race-record.mjs';
import { exchanging } from '../../runtime/test/attack/exchange.js';
import { extendedAttributes } from '../src/life-cycle/file-content.js';
import { copyEntry, type Entry } from '../src/plan/copy-entry.js';
import { bundleOf, cgroupsBelow, configOf, created, fill, newId, place, ran } from './container.js';
import { command } from './ctr-oci.js';

const at = place();
const ROUNDS = rounds(100);
const ATTRIBUTE = 'trusted.ctr';
const tmpfs: Mount = { destination: '/data', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] };
const proc: Mount = { destination: '/proc', type: 'proc', source: 'proc' };
const mayMakeDevices = { capabilities: { bounding: ['CAP_MKNOD'] } };
const users = {
  namespaces: [{ type: 'mount' as const }, { type: 'pid' as const }, { type: 'user' as const }, { type: 'uts' as const }, { type: 'ipc' as const }],
  uidMappings: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
  gidMappings: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
  maskedPaths: [],
  readonlyPaths: [],
};

/** A root file system of its own, with an empty /data. */
function ownRoot(above = at.directory): string {
  const directory = mkdtempSync(join(above, 'image-'));
  chmodSync(directory, 0o755);
  const rootfs = join(directory, 'rootfs');
  fill(rootfs);
  mkdirSync(join(rootfs, 'data'));
  return rootfs;
}

/** All that can be told of each file below a directory, but the times of what has just been looked into. */
function described(directory: string): string[] {
  // A name may have any byte in it.
  const list = execFileSync('find', ['.', '-printf', String.raw`%P %y %m %U %G %l %n %T@ %i\0`], { cwd: directory, encoding: 'latin1' });
  const inodes = new Map<string, string[]>();
  const lines = list
    .split('\0')
    .filter(Boolean)
    .map((line) => {
      const [, rest = '', inode = ''] = /^(.*) (\d+)$/s.exec(line) ?? [];
      const [path = '', type = ''] = rest.split(' ');
      inodes.set(inode, [...(inodes.get(inode) ?? []), path]);
      if (type !== 'f') return rest;
      const content = readFileSync(Buffer.from(`${directory}/${path}`, 'latin1'));
      return `${rest} ${createHash('sha256').update(content).digest('hex')}`;
    });
  const same = [...inodes.values()].filter((paths) => paths.length > 1).map((paths) => paths.toSorted().join(' = '));
  return [...lines, ...same].toSorted();
}

/** Files of all types, with all that a file can have. */
function treeIn(data: string): void {
  mkdirSync(join(data, 'sub/deep'), { recursive: true });
  writeFileSync(join(data, 'sub/file'), 'content\n');
  chownSync(join(data, 'sub/file'), 1000, 5);
  linkSync(join(data, 'sub/file'), join(data, 'sub/deep/same'));
  writeFileSync(join(data, 'set-id'), 'program');
  chownSync(join(data, 'set-id'), 33, 44);
  chmodSync(join(data, 'set-id'), 0o6755);
  writeFileSync(join(data, 'large'), Buffer.alloc(3 * 2 ** 20, 'x'));
  writeFileSync(join(data, 'holes'), 'begin');
  truncateSync(join(data, 'holes'), 2 ** 36);
  writeFileSync(join(data, 'empty'), '');
  writeFileSync(Buffer.concat([Buffer.from(`${data}/`), Buffer.from([0x66, 0xff, 0x0a])]), 'a name that is no text');
  symlinkSync('/etc/shadow', join(data, 'link'));
  lutimesSync(join(data, 'link'), 1, 2);
  execFileSync('mkfifo', ['-m', '640', join(data, 'fifo')]);
  execFileSync('mknod', ['-m', '606', join(data, 'null'), 'c', '1', '3']);
  call({ call: 'setxattr', args: [join(data, 'sub/file'), ATTRIBUTE, 'kept', 4, 0], purpose: 'an attribute' });
  for (const name of ['set-id', 'sub/deep', 'sub']) utimesSync(join(data, name), -3.5, 1_000_000_000.25);
  chmodSync(join(data, 'sub/deep'), 0o1700);
}

describe('a copy', () => {
  it('is what cp -a makes, of all types of files', async () => {
    const rootfs = ownRoot();
    treeIn(join(rootfs, 'data'));
    const expected = join(at.directory, newId());
    mkdirSync(expected);
    execFileSync('cp', ['-a', `${join(rootfs, 'data')}/.`, expected]);
    const { id, root } = await created(at, ['sleep', '1000'], { root: { path: rootfs, readonly: true }, mounts: [proc, tmpfs], process: mayMakeDevices });
    await start(id, root);
    const copy = `/proc/${state(id, root).pid}/root/data`;
    const holes = 'holes';
    // Too large to be read.
    for (const directory of [copy, expected]) {
      expect(Number(execFileSync('stat', ['-c', '%b', join(directory, holes)], { encoding: 'utf8' }))).toBeLessThan(64);
      expect(execFileSync('head', ['-c', '8', join(directory, holes)], { encoding: 'latin1' })).toBe('begin\0\0\0');
      truncateSync(join(directory, holes), 8);
      utimesSync(join(directory, holes), 1, 1);
      utimesSync(directory, 1, 1);
    }
    expect(described(copy)).toEqual(described(expected));
    for (const directory of [copy, expected]) {
      expect(execFileSync('stat', ['-c', '%t:%T', join(directory, 'null')], { encoding: 'utf8' })).toBe('1:3\n');
      const value = new Memory(4, 'value');
      const { bytes } = callInto({ call: 'getxattr', args: [join(directory, 'sub/deep/same'), ATTRIBUTE, value, 4], purpose: 'the attribute' }, value);
      expect(bytes.toString()).toBe('kept');
    }
  });

  it('has the owners that the container knows, and gives no rights of others', async () => {
    const rootfs = ownRoot();
    execFileSync('chown', ['-R', '100000:100000', rootfs]);
    writeFileSync(join(rootfs, 'data/known'), '');
    chownSync(join(rootfs, 'data/known'), 101_000, 100_005);
    chmodSync(join(rootfs, 'data/known'), 0o4755);
    writeFileSync(join(rootfs, 'data/foreign'), '');
    chmodSync(join(rootfs, 'data/foreign'), 0o6755);
    const { output } = await ran(at, ['stat', '-c', '%n %u %g %a', '/data/known', '/data/foreign'], {
      root: { path: rootfs },
      mounts: [proc, tmpfs],
      linux: users,
    });
    expect(output).toBe('/data/known 1000 5 4755\n/data/foreign 65534 65534 755\n');
  });

  it.each([true, false])('has a device only if the container may make one: CAP_MKNOD %s', async (mayMake) => {
    const rootfs = ownRoot();
    execFileSync('mknod', [join(rootfs, 'data/null'), 'c', '1', '3']);
    writeFileSync(join(rootfs, 'data/plain'), '');
    const process = mayMake ? mayMakeDevices : { capabilities: {} };
    const { output } = await ran(at, ['ls', '/data'], { root: { path: rootfs }, mounts: [proc, tmpfs], process });
    expect(output).toBe(mayMake ? 'null\nplain\n' : 'plain\n');
  });

  it('ends with the runtime that is killed', async () => {
    const rootfs = ownRoot();
    for (let i = 0; i < 4; i++) writeFileSync(join(rootfs, `data/large${i}`), Buffer.alloc(64 * 2 ** 20, 'x'));
    const id = newId();
    onTestFinished(() => remove(id, { root: at.root, force: true }));
    const bundle = bundleOf(at, configOf(at, ['true'], { root: { path: rootfs }, mounts: [proc, tmpfs] }));
    const [node, bin] = command;
    const runtime = spawn(node, [bin, '--root', at.root, 'create', '--bundle', bundle, id], { stdio: 'ignore' });
    const ended = once(runtime, 'exit');
    // The process that copies is the one that the kernel is to kill first.
    const copier = (): string | undefined => processesBelow(at.cgroup).find((pid) => read(`/proc/${pid}/oom_score_adj`).trim() === '1000');
    await vi.waitUntil(copier, { timeout: 20_000, interval: 1 }).then((pid) => process.kill(Number(pid), 'SIGSTOP'));
    const pid = copier() ?? '';
    expect(read(`/proc/${pid}/stat`)).not.toBe('');
    runtime.kill('SIGKILL');
    await ended;
    try {
      await vi.waitUntil(() => /^$| Z /.test(read(`/proc/${pid}/stat`)), { timeout: 5000, interval: 10 });
    } finally {
      if (!/^$| Z /.test(read(`/proc/${pid}/stat`))) process.kill(Number(pid), 'SIGKILL');
    }
  });

  it('is read with the rights of the container', async () => {
    const rootfs = ownRoot();
    execFileSync('chown', ['-R', '100000:100000', rootfs]);
    writeFileSync(join(rootfs, 'data/secret'), 'of root of the host', { mode: 0o600 });
    const bundle = bundleOf(at, configOf(at, ['true'], { root: { path: rootfs }, mounts: [proc, tmpfs], linux: users }));
    await expect(create(bundle, newId(), { root: at.root })).rejects.toThrow(/EACCES.*read "secret"/s);
  });

  it('of more files than one process copies has them all', async () => {
    const rootfs = ownRoot();
    for (let i = 0; i < 300; i++) writeFileSync(join(rootfs, 'data', `${i}`), `${i}`);
    const { output } = await ran(at, ['sh', '-c', 'cat /data/* | wc -c'], { root: { path: rootfs }, mounts: [proc, tmpfs] });
    expect(output.trim()).toBe('790');
  });

  it('is made before anything is mounted in it: what is mounted there is not written to', async () => {
    const rootfs = ownRoot();
    writeFileSync(join(rootfs, 'data/resolv.conf'), 'of the image');
    const file = join(at.directory, newId());
    writeFileSync(file, 'of the host');
    const bind: Mount = { destination: '/data/resolv.conf', source: file, options: ['bind'] };
    const { output } = await ran(at, ['cat', '/data/resolv.conf'], { root: { path: rootfs }, mounts: [proc, tmpfs, bind] });
    expect([output, readFileSync(file, 'utf8')]).toEqual(['of the host', 'of the host']);
  });

  it('that the tmpfs has no room for is an error, which names the file', async () => {
    const rootfs = ownRoot();
    writeFileSync(join(rootfs, 'data/large'), Buffer.alloc(2 * 2 ** 20));
    const mounts = [proc, { ...tmpfs, options: ['tmpcopyup', 'size=1m'] }];
    const bundle = bundleOf(at, configOf(at, ['true'], { root: { path: rootfs }, mounts }));
    await expect(create(bundle, newId(), { root: at.root })).rejects.toThrow(/ENOSPC.*copy "large".*size and nr_inodes/s);
  });
});

describe('a file that is copied', () => {
  // The directory of the copy, exchanged for a link.
  it.each([
    ['a regular file', fileTypes.S_IFREG],
    ['a directory', fileTypes.S_IFDIR],
    ['a symbolic link', fileTypes.S_IFLNK],
    ['a fifo', fileTypes.S_IFIFO],
    ['a further name', undefined],
  ])('goes to no directory that a link leads to: %s', async (_what, type) => {
    const directory = mkdtempSync(join(at.directory, 'copied-'));
    for (const name of ['to', 'to/plain', 'outside', 'outside/deep']) mkdirSync(join(directory, name));
    for (const name of ['source', 'to/first']) writeFileSync(join(directory, name), 'content');
    symlinkSync('../outside', join(directory, 'to/link'));
    using to = openFd(join(directory, 'to'), { directory: true });
    using source = openFd(join(directory, type === fileTypes.S_IFDIR ? 'outside' : 'source'));
    const copied = async (path: string): Promise<void> => {
      const mode = (type ?? fileTypes.S_IFREG) | 0o644;
      const same = {
        path: Buffer.from(`${path}\0`),
        shown: path,
        mode,
        uid: 0,
        gid: 0,
        rdev: 0n,
        accessedNs: 0n,
        modifiedNs: 0n,
        file: source,
        attributes: [],
      };
      const entry: Entry = {
        ...same,
        ...(type === undefined && { linkedTo: Buffer.from('first\0') }),
        ...(type === fileTypes.S_IFLNK && { target: Buffer.from('x\0') }),
      };
      const child = await launch([...copyEntry(entry, to), { call: 'exit_group', args: [0], purpose: 'it is copied' }]);
      expect((await child.exited).code).toBe(0);
    };
    await expect(copied('link/deep/copy')).rejects.toThrow(/ELOOP|EXDEV/);
    expect(readdirSync(join(directory, 'outside/deep'))).toEqual([]);
    await copied('plain/copy');
    expect(readdirSync(join(directory, 'to/plain'))).toEqual(['copy']);
  });
});

/** Of files in /proc, which may be gone. */
function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

function processesBelow(cgroup: string): string[] {
  return cgroupsBelow(cgroup).flatMap((directory) => read(join(directory, 'cgroup.procs')).split('\n').filter(Boolean));
}

/** linux/posix_acl_xattr.h */
function acl(entries: readonly (readonly [tag: number, permissions: number, id?: number])[]): Uint8Array {
  const bytes = Buffer.alloc(4 + 8 * entries.length);
  bytes.writeUInt32LE(2);
  for (const [i, [tag, permissions, id = 0xffffffff]] of entries.entries()) {
    bytes.writeUInt16LE(tag, 4 + 8 * i);
    bytes.writeUInt16LE(permissions, 6 + 8 * i);
    bytes.writeUInt32LE(id, 8 + 8 * i);
  }
  return bytes;
}

describe('the extended attributes of a copy', () => {
  it('name users of the container, and no user of the host that the container has not', async (context) => {
    const rootfs = ownRoot();
    execFileSync('chown', ['-R', '100000:100000', rootfs]);
    const file = join(rootfs, 'data/file');
    writeFileSync(file, 'secret');
    chownSync(file, 100_000, 100_000);
    // The owning group may not read, the mask is rwx; user 1000 of the host and user 1000 of the container, group 5 of the host.
    const [access, size] = [
      acl([
        [1, 6],
        [2, 4, 1000],
        [2, 6, 101_000],
        [4, 0],
        [8, 0, 5],
        [0x10, 7],
        [0x20, 4],
      ]),
      60,
    ];
    const set = call({ call: 'setxattr', args: [file, 'system.posix_acl_access', access, size, 0], purpose: 'a list', tolerates: ['EOPNOTSUPP'] });
    if (set < 0) context.skip('the file system has no access control lists');
    const { id, root } = await created(at, ['sleep', '1000'], { root: { path: rootfs }, mounts: [proc, tmpfs], linux: users });
    await start(id, root);
    const copy = `/proc/${state(id, root).pid}/root/data/file`;
    const value = new Memory(256, 'value');
    const read = callInto(
      { call: 'getxattr', args: [copy, 'system.posix_acl_access', value, 256], purpose: 'the list', tolerates: ['ENODATA', 'EOPNOTSUPP'] },
      value,
    );
    const mode = execFileSync('stat', ['-c', '%a', copy], { encoding: 'utf8' });
    if (read.result < 0) expect(mode).toBe('600\n');
    else
      expect([mode, read.bytes.subarray(0, read.result)]).toEqual([
        '670\n',
        acl([
          [1, 6],
          [2, 6, 101_000],
          [4, 0],
          [0x10, 7],
          [0x20, 0],
        ]),
      ]);
  });

  it('take as much memory as they have bytes, have names of any bytes, and are bounded', (context) => {
    const directory = mkdtempSync('/dev/shm/ctr-oci-');
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const file = join(directory, 'file');
    writeFileSync(file, '');
    const odd = Buffer.from('trusted.\xff\0', 'latin1');
    const set = call({ call: 'setxattr', args: [file, odd, 'value', 5, 0], purpose: 'an attribute', tolerates: ['EOPNOTSUPP'] });
    if (set < 0) context.skip('/dev/shm has no extended attributes');
    using opened = openFd(file);
    const found = extendedAttributes(opened, 'file').filter(({ name }) => Buffer.from(name).equals(odd));
    expect(found.map(({ value }) => Buffer.from(value).toString())).toEqual(['value']);
    for (const { value } of found) expect(value.buffer.byteLength).toBeLessThan(65_536);
    for (let i = 0; i < 16; i++) call({ call: 'setxattr', args: [file, `trusted.${i}`, Buffer.alloc(65_536), 65_536, 0], purpose: 'a large attribute' });
    expect(() => extendedAttributes(opened, 'file')).toThrow(/file cannot be copied.*more than 1048576 bytes/);
  });
});

describe('the memory of a copy', () => {
  const BYTES = 64 * 2 ** 20;
  const hasMemory = readLayout().hierarchies.some(({ controllers }) => controllers.includes('memory'));

  it.skipIf(!hasMemory)('counts for the limit of the container: more than that is an error, and leaves nothing', async () => {
    const rootfs = ownRoot();
    writeFileSync(join(rootfs, 'data/large'), Buffer.alloc(BYTES, 'x'));
    const limit = 16 * 2 ** 20;
    const changes = { root: { path: rootfs }, mounts: [proc, tmpfs], linux: { resources: { memory: { limit, swap: limit } } } };
    const before = cgroupsBelow(at.cgroup);
    const id = newId();
    await expect(create(bundleOf(at, configOf(at, ['true'], changes)), id, { root: at.root })).rejects.toThrow(/memory limit/);
    expect(existsSync(join(at.root, id))).toBe(false);
    expect(cgroupsBelow(at.cgroup)).toEqual(before);
  });

  it('is bounded in the runtime, whatever an image holds: more directories are an error, and few take little', { timeout: 120_000 }, async () => {
    const above = mkdtempSync('/dev/shm/ctr-oci-');
    onTestFinished(() => void execFileSync('rm', ['-r', above]));
    chmodSync(above, 0o755);
    const rootfs = ownRoot(above);
    // A long path takes more memory than a directory of the tmpfs does.
    const deep = Array.from({ length: 14 }, () => 'x'.repeat(250)).join('/');
    const made = `import os, sys
os.chdir(sys.argv[1])
for name in sys.argv[2].split('/'): os.mkdir(name); os.chdir(name)
for i in range(int(sys.argv[3])): os.mkdir(f'{i:0200}')
`;
    const mounts = [proc, { ...tmpfs, options: ['tmpcopyup', 'size=0', 'nr_inodes=0'] }];
    const copied = (rootOf: string) => ran({ ...at, rootfs: rootOf }, ['true'], { mounts });
    execFileSync('python3', ['-c', made, join(rootfs, 'data'), deep, '40000']);
    const before = process.memoryUsage.rss();
    await expect(copied(rootfs)).rejects.toThrow(/directories, hard links and names take more than 134217728 bytes/);
    expect(process.memoryUsage.rss() - before).toBeLessThan(3 * 2 ** 27);
    const small = ownRoot(above);
    execFileSync('python3', ['-c', made, join(small, 'data'), deep, '100']);
    expect((await copied(small)).exit.code).toBe(0);
  });

  it.skipIf(!hasMemory)('is what the container is said to use', async () => {
    const rootfs = ownRoot();
    writeFileSync(join(rootfs, 'data/large'), Buffer.alloc(BYTES, 'x'));
    const id = newId();
    onTestFinished(() => remove(id, { root: at.root, force: true }));
    const config = configOf(at, ['sleep', '1000'], { root: { path: rootfs }, mounts: [proc, tmpfs], linux: { resources: { memory: { limit: 4 * BYTES } } } });
    await create(bundleOf(at, config), id, { root: at.root, stdio: ['ignore', 'ignore', 'ignore'] });
    const [, used] = /"memory":\{.*?"usage":\{[^}]*?"usage":(\d+)/.exec(JSON.stringify(stats(id, { root: at.root }))) ?? [];
    expect(Number(used)).toBeGreaterThan(BYTES);
  });
});

describe('a directory of an image that is now a directory and now a link to the host', () => {
  it.each([
    ['absolute', (outside: string) => outside],
    ['relative', (outside: string) => `../../../../../../../..${outside}`],
  ])('nothing of the host is copied: %s', { timeout: ROUNDS * 600 }, async (what, target) => {
    const rootfs = ownRoot();
    const outside = mkdtempSync(join(at.directory, 'outside-'));
    mkdirSync(join(rootfs, 'data/here'));
    for (const directory of [outside, join(rootfs, 'data/here')])
      for (let i = 0; i < 8; i++) writeFileSync(join(directory, `file${i}`), directory === outside ? 'OUTSIDE' : 'inside');
    symlinkSync(target(outside), join(rootfs, 'data/link'));
    const tally = { inside: 0, refused: 0, outside: 0 };
    {
      await using _exchange = await exchanging(join(rootfs, 'data'), 'here', 'link');
      for (let round = 0; round < ROUNDS; round++) {
        const seen = await ran(at, ['sh', '-c', 'cat /data/here/* /data/link/* 2>/dev/null; true'], { root: { path: rootfs }, mounts: [proc, tmpfs] }).then(
          ({ output }) => (output.includes('OUTSIDE') ? 'outside' : 'inside'),
          (error: unknown) => {
            if (/ELOOP|ENOTDIR|ENOENT/.test(String(error))) return 'refused' as const;
            throw error;
          },
        );
        tally[seen]++;
      }
    }
    expect(tally.outside).toBe(0);
    expect(tally.inside).toBeGreaterThan(0);
    expect(tally.refused).toBeGreaterThan(0);
    record({
      race: `a directory that is copied to a tmpfs, and now a link to the host: nothing of the host is copied: ${what}`,
      rounds: ROUNDS,
      met: tally.refused,
      gotThrough: 0,
    });
  });
});
