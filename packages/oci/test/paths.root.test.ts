// No path below the root file system of a bundle is handed to the kernel as a string, by no process of ctr-oci: what an image has there could lead anywhere.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { parseConfig, toSpec, type Config, type Mount } from '@ctr/oci';
import { openFlags, resolveFlags } from '@ctr/syscall';
import { expect, it } from 'vitest';

import { isPlain, resolveOf, violations, type Rule } from '../../../test/support/path-rules.js';
import { bundleOf, configOf, fill, newId, place, type Changes } from './container.js';
import { corpus } from './corpus.js';
import { command, shell } from './ctr-oci.js';

const at = place();
const noStrace = spawnSync('strace', ['-V']).status === 0 ? undefined : 'strace is not installed';

/** An image with something in all the places that are looked at. */
function image(): string {
  const directory = mkdtempSync(join(at.directory, 'image-'));
  chmodSync(directory, 0o755);
  const rootfs = join(directory, 'rootfs');
  fill(rootfs);
  for (const name of ['data/sub/deep', 'covered', 'work']) mkdirSync(join(rootfs, name), { recursive: true });
  for (const name of ['data/file', 'data/sub/deep/file']) writeFileSync(join(rootfs, name), 'content');
  symlinkSync('/etc/passwd', join(rootfs, 'data/sub/link'));
  // It leads to nothing: what is mounted there is made where it leads.
  symlinkSync('/run/missing/resolv.conf', join(rootfs, 'etc/resolv.conf'));
  return rootfs;
}

function changesFor(rootfs: string): Changes {
  const mounts: Mount[] = [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/sys', type: 'sysfs', source: 'sysfs' },
    { destination: '/data', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] },
    { destination: '/covered', type: 'tmpfs', source: 'tmpfs' },
    { destination: '/etc/resolv.conf', source: '/etc/hosts', options: ['bind', 'ro'] },
    { destination: '/new/place', source: '/usr/share', options: ['rbind', 'ro'] },
    { destination: '/covered', type: 'tmpfs', source: 'tmpfs', options: ['remount', 'nosuid'] },
  ];
  const hook = [{ path: '/bin/true' }];
  return {
    root: { path: rootfs, readonly: false },
    mounts,
    process: { cwd: '/work/made', user: { uid: 1000, gid: 1000, additionalGids: [5] }, env: ['PATH=/bin'] },
    hooks: { prestart: hook, createRuntime: hook, createContainer: hook, startContainer: hook, poststart: hook, poststop: hook },
    linux: {
      devices: [{ path: '/dev/extra', type: 'c', major: 1, minor: 3 }],
      maskedPaths: ['/proc/kcore', '/etc/group', '/sys/firmware'],
      readonlyPaths: ['/proc/sys', '/etc'],
      sysctl: { 'kernel.domainname': 'ctr' },
    },
  };
}

/** The strings in a line of strace that are paths below a directory, as they are, or by a link of /proc to an open file. */
function pathsBelow(directory: string, line: string): string[] {
  const strings = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text);
  // A name that is only read, and not followed, is that of the open directory.
  const single = / readlink(at)?\(/.test(line) ? /^\/proc\/self\/fd\/\d+\/.*\/./ : /^\/proc\/self\/fd\/\d+\/./;
  return strings.filter((text) => text.startsWith(`${directory}/`) || (single.test(text) && !ofGroup.test(text)));
}

/** The kernel's files of a control group, in which there are no links. */
const ofGroup = /^\/proc\/self\/fd\/\d+\/(cgroup\.procs|tasks|freezer\.state)$/;

it('in the whole life of a container, with all that an image has a part in', { timeout: 60_000 }, async (context) => {
  if (noStrace !== undefined) context.skip(noStrace);
  const rootfs = image();
  const bundle = bundleOf(at, configOf(at, ['sleep', '1000'], changesFor(rootfs)));
  const log = join(at.directory, newId());
  const id = newId();
  const traced = (name: string): string => `strace -f -q -s 4096 -e trace=%file -o ${log}.${name} ${command.join(' ')} --root ${at.root}`;
  // What traces the first one goes on with the container.
  const line = [
    `{ ${traced('create')} create --bundle ${bundle} ${id} </dev/null >/dev/null 2>${log}.told & }`,
    `for n in $(seq 100); do $CTR_OCI --root ${at.root} state ${id} 2>/dev/null | grep -q '"created"' && break; done`,
    `cat ${log}.told >&2`,
    `${traced('start')} start ${id}`,
    `${traced('exec')} exec --user 1000:1000 ${id} sh -c 'cat /data/sub/deep/file'`,
    `${traced('delete')} delete --force ${id}`,
    'wait',
  ].join('; ');
  const { code, stdout, stderr } = await shell(line, { cwd: at.directory });
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'content', stderr: '' });
  const lines = ['create', 'start', 'exec', 'delete'].flatMap((name) => readFileSync(`${log}.${name}`, 'latin1').split('\n'));
  // Somebody does open the root itself, and copies what is below it.
  expect(lines.some((each) => each.includes(`"${rootfs}"`))).toBe(true);
  expect(lines.some((each) => / mkdirat\(.*"deep"/.test(each))).toBe(true);
  expect(lines.filter((each) => pathsBelow(rootfs, each).length > 0)).toEqual([]);
});

it('and the rule would tell', () => {
  const rootfs = '/srv/rootfs';
  const bad = [
    '12 openat(AT_FDCWD, "/srv/rootfs/etc/passwd", O_RDONLY) = 3',
    '12 mount("proc", "/srv/rootfs/proc", "proc", 0, NULL) = 0',
    '12 openat(AT_FDCWD, "/proc/self/fd/7/etc", O_RDONLY) = 3',
    '12 readlink("/proc/self/fd/7/etc/link", 0x7ffd, 4096) = 3',
  ];
  const good = [
    '12 openat(AT_FDCWD, "/srv/rootfs", O_RDONLY|O_PATH) = 3',
    '12 openat2(3, "etc/passwd", {flags=O_PATH, resolve=RESOLVE_IN_ROOT}, 24) = 4',
    '12 openat(AT_FDCWD, "/proc/self/fd/7", O_RDONLY) = 3',
    '12 readlink("/proc/self/fd/7/link", 0x7ffd, 4096) = 3',
  ];
  expect(bad.filter((line) => pathsBelow(rootfs, line).length === 0)).toEqual([]);
  expect(good.filter((line) => pathsBelow(rootfs, line).length > 0)).toEqual([]);
});

/** What the plans of bundles do beyond those of the runtime, and why nothing of an image leads anywhere by it. */
const ofBundles: readonly Rule[] = [
  [
    'a single name that is removed, or opened as what it is: neither is followed if it is a link',
    (step, path) =>
      isPlain(path) && !path.includes('/') && (step.call === 'unlinkat' || (step.call === 'openat' && (Number(step.args[2]) & openFlags.O_NOFOLLOW) !== 0)),
  ],
  ['the old root, before it is left', (_, path, _at, { inside }) => !inside && path === '/'],
  [
    'the master of a terminal, in a file system that has been found to be a devpts: nobody makes links there',
    (step, path) => path === 'ptmx' && step.as === 'master',
  ],
  ['what is in a mount, looked up beneath it', (step) => step.call === 'openat2' && (resolveOf(step) & resolveFlags.RESOLVE_BENEATH) !== 0],
];
const used = new Set<string>();

it.each(corpus.filter(([name]) => name !== 'every-field'))('in no step of a plan: %s', (_, bytes) => {
  const config = parseConfig(bytes);
  // What was mounted where the configuration comes from is not here: a directory for a directory, a file for a file.
  const mounts = (config.mounts ?? []).map((mount) => {
    if (!mount.options?.some((option) => /^r?bind$/.test(option)) || mount.options.includes('remount')) return mount;
    return { ...mount, source: /\.\w+$|\/(hosts|hostname|passwd|group|null)$/.test(mount.destination) ? '/etc/passwd' : '/usr/share' };
  });
  const { namespaces = [], ...linux } = config.linux ?? {};
  const cgroupsPath = `${at.cgroup}/paths`;
  const changed: Config = {
    ...config,
    root: { ...config.root, path: at.rootfs },
    mounts,
    linux: { ...linux, namespaces: namespaces.map(({ type }) => ({ type })), cgroupsPath },
  };
  const { plan } = toSpec(changed, { bundle: at.directory, cgroupManager: 'cgroupfs' });
  // Paths of the configuration are the caller's own, and those of control groups the host's.
  const given = new Set(
    mounts.flatMap(({ source = '', options = [] }) => [source, ...options.flatMap((option) => [option.replace(/^\w+=/, ''), ...option.split(/[:=]/)])]),
  );
  const isSource = (path: string): boolean => given.has(path) || (path.startsWith('/sys/fs/cgroup/') && path.includes(cgroupsPath));
  expect(violations(plan, used, { isSource, also: ofBundles })).toEqual([]);
});

it('and each of the reasons that bundles add is needed', () => {
  expect(ofBundles.map(([why]) => why).filter((why) => !used.has(why))).toEqual([]);
});
