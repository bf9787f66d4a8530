import { lstatSync, readlinkSync } from 'node:fs';

import { AT_FDCWD, label, openFlags, openTreeFlags, resultOf, type ResultOf, type Step } from '@ctr/syscall';
import { attach, attachBelow, bindMount, directory, newMount, overlayMount, symlink, writeFile } from '@ctr/fs';

import type { Root } from './rootfs.js';
import { onHost } from './spec.js';

/** Directories that hold a distribution's programs and libraries. */
const programs = ['usr', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];

/** What programs expect of /etc, and what tells nothing that is secret: files are copied, directories are bound read-only. */
const etcFiles = [
  'passwd', 'group', 'nsswitch.conf', 'host.conf', 'protocols', 'services', 'ld.so.cache', 'ld.so.conf', 'localtime', 'timezone', 'os-release', 'profile', 'bash.bashrc', 'inputrc',
]; // prettier-ignore
const etcDirectories = ['alternatives', 'ld.so.conf.d', 'terminfo', 'ssl/certs', 'pki/tls/certs', 'pki/ca-trust', 'crypto-policies'];

/** Empty directories, and who may write to them. */
const emptyDirectories: readonly (readonly [path: string, mode: number])[] = [
  ['dev', 0o755],
  ['etc', 0o755],
  ['home', 0o755],
  ['proc', 0o755],
  ['root', 0o700],
  ['run', 0o755],
  ['sys', 0o755],
  ['tmp', 0o1777],
  ['var', 0o755],
  ['var/tmp', 0o1777],
];

/** How the host's userland is taken over. */
export interface UserlandOptions {
  readonly hostname: string;
  /** Nothing of it can be written. */
  readonly readonly: boolean;
  /** It is mounted in a user namespace, where overlayfs keeps its notes in other attributes. */
  readonly inUserNamespace: boolean;
  /** The network is the host's, and so is its resolver. */
  readonly hostNetwork: boolean;
}

/**
 * The host's own programs as a root file system that is the container's to write: each directory is the lower layer of an overlay whose upper one is in memory
 * (a read-only bind where overlayfs is refused), /etc is made of an allow list, and everything else starts empty.
 *
 * @see The kernel's Documentation/filesystems/overlayfs.rst
 */
export function userland(options: UserlandOptions): Root {
  const scratch = newMount('tmpfs', { options: { mode: '755' }, purpose: 'memory for the root and the upper layers' });
  const place: Step = {
    call: 'openat',
    args: [AT_FDCWD, '/proc', openFlags.O_PATH | openFlags.O_CLOEXEC, 0],
    purpose: 'a place for it that goes with the old root',
    as: 'place',
  };
  const tree: Step = {
    call: 'open_tree',
    args: [scratch.mount, 'root', openTreeFlags.OPEN_TREE_CLONE | openTreeFlags.OPEN_TREE_CLOEXEC],
    purpose: 'the root is a mount of its own',
    as: 'root',
  };
  const over: Step = {
    call: 'openat',
    args: [scratch.mount, 'root', openFlags.O_PATH | openFlags.O_CLOEXEC, 0],
    purpose: 'the directory below it',
    as: 'over',
  };
  const root = resultOf(tree);
  return {
    steps: [
      ...scratch.steps,
      place,
      ...attach(scratch.mount, resultOf(place)),
      directory(scratch.mount, 'root', 0o755),
      tree,
      over,
      ...attach(root, resultOf(over)),
      { call: 'fchdir', args: [scratch.mount], purpose: 'the upper layers are named from here' },
      ...programs.flatMap((name) => programDirectory(root, scratch.mount, name, options)),
      ...emptyDirectories.map(([path, mode]) => directory(root, path, mode)),
      ...etc(root, options),
    ],
    mount: root,
    fresh: true,
  };
}

function programDirectory(root: ResultOf, scratch: ResultOf, name: string, { readonly, inUserNamespace }: UserlandOptions): Step[] {
  const stat = lstatSync(`/${name}`, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink()) return [symlink(readlinkSync(`/${name}`), root, name)];
  if (!stat?.isDirectory()) return [];
  const bound = bindMount(`/${name}`, { recursive: true, readonly: true });
  const bind = [...bound.steps, attachBelow(bound.mount, root, name)];
  if (readonly) return [directory(root, name), ...bind];
  const done = label(`/${name} is there`);
  const refused = label(`overlayfs is refused: /${name} read-only`);
  const layers = overlayMount({
    lower: [`/${name}`],
    upper: name,
    work: `${name}.work`,
    userXattr: inUserNamespace,
    onFailure: refused,
    purpose: `/${name}, copy on write`,
  });
  return [
    directory(root, name),
    directory(scratch, name),
    directory(scratch, `${name}.work`),
    ...layers.steps,
    { ...attachBelow(layers.mount, root, name), jump: { when: '==', to: done } },
    refused,
    ...bind,
    done,
  ];
}

function etc(root: ResultOf, { hostname, hostNetwork }: UserlandOptions): Step[] {
  const etcDirectory: Step = { call: 'openat', args: [root, 'etc', openFlags.O_PATH | openFlags.O_CLOEXEC, 0], purpose: 'the new /etc', as: 'etc' };
  const dir = resultOf(etcDirectory);
  const files = [...etcFiles, ...(hostNetwork ? ['resolv.conf'] : [])].filter((name) => onHost(`/etc/${name}`));
  const directories = etcDirectories.filter((path) => onHost(`/etc/${path}`));
  const parents = new Set(directories.flatMap((path) => path.split('/').map((_, i, parts) => parts.slice(0, i + 1).join('/'))));
  return [
    etcDirectory,
    ...copyFiles(files, dir),
    ...[...parents].map((path) => directory(dir, path)),
    ...directories.flatMap((path): Step[] => {
      const bound = bindMount(`/etc/${path}`, { recursive: true, readonly: true });
      return [...bound.steps, attachBelow(bound.mount, dir, path), { call: 'close', args: [bound.mount], purpose: 'it is attached' }];
    }),
    symlink('../proc/self/mounts', dir, 'mtab'),
    ...writeFile(`${hostname}\n`, dir, 'hostname'),
    ...writeFile(`127.0.0.1 localhost ${hostname}\n::1 localhost ip6-localhost ip6-loopback\n`, dir, 'hosts'),
  ];
}

const MAX_COPY_BYTES = 16 * 2 ** 20;

/**
 * Copies files of the host's /etc, which are of a modest size: sendfile(2) takes each in one go. One that has gone meanwhile is passed over.
 * A root with a file open for writing cannot be made read-only.
 */
function copyFiles(names: readonly string[], parent: ResultOf): Step[] {
  const done = label('the files are copied');
  let next = done;
  const steps: Step[] = [];
  for (const name of names.toReversed()) {
    const original: Step = {
      call: 'openat',
      args: [AT_FDCWD, `/etc/${name}`, openFlags.O_RDONLY | openFlags.O_NONBLOCK | openFlags.O_CLOEXEC, 0],
      purpose: `read /etc/${name}`,
      as: 'original',
      tolerates: ['ENOENT'],
      jump: { when: '<', to: next },
    };
    const copy: Step = {
      call: 'openat',
      args: [parent, name, openFlags.O_WRONLY | openFlags.O_CREAT | openFlags.O_CLOEXEC, 0o644],
      purpose: `make ${name}`,
      as: 'copy',
    };
    const send: Step = { call: 'sendfile', args: [resultOf(copy), resultOf(original), null, MAX_COPY_BYTES], purpose: `copy /etc/${name}` };
    steps.unshift(
      original,
      copy,
      send,
      { call: 'close', args: [resultOf(copy)], purpose: `${name} is done` },
      { call: 'close', args: [resultOf(original)], purpose: 'so is the original' },
    );
    next = original;
  }
  return [...steps, done];
}
