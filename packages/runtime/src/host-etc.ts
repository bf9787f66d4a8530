import { readFileSync, realpathSync, statSync, type Stats } from 'node:fs';

import { AT_FDCWD, atFlags, fileTypes, label, Memory, openFlags, openTreeFlags, resultOf, type ResultOf, type Step } from '@ctr/syscall';
import { attachBelow, bindMount, directory, overlayMount, setAttributes, symlink, writeFile } from '@ctr/fs';

import { layer, type Layers } from './host-layer.js';
import { isMountedBelow, mountsBelow } from './host-mounts.js';

/** Files that programs expect of /etc, and that tell nothing that is secret: copies of them. */
const files = [
  'passwd', 'group', 'nsswitch.conf', 'host.conf', 'protocols', 'services', 'ld.so.cache', 'ld.so.conf', 'localtime', 'timezone', 'os-release', 'profile', 'bash.bashrc', 'inputrc',
]; // prettier-ignore
/** Directories of the same kind. */
const directories = ['alternatives', 'ld.so.conf.d', 'terminfo', 'ssl/certs', 'pki/tls/certs', 'pki/ca-trust', 'crypto-policies'];

const MAX_COPY_BYTES = 16 * 2 ** 20;

/** An /etc of its own: of the host's, what an allow list names, root owns and everybody may read; and the container's names. */
export function etc(root: ResultOf, layers: Layers, { hostname, hostNetwork }: { readonly hostname: string; readonly hostNetwork: boolean }): Step[] {
  const etcDirectory: Step = { call: 'openat', args: [root, 'etc', openFlags.O_PATH | openFlags.O_CLOEXEC, 0], purpose: 'the new /etc', as: 'etc' };
  const dir = resultOf(etcDirectory);
  const names = hostNetwork && isForAll(statOf('/etc/hosts'), 'file') ? hostNames(dir, hostname) : undefined;
  return [
    etcDirectory,
    ...copyFiles([...files, ...(hostNetwork ? ['resolv.conf'] : [])], dir),
    ...etcDirectories(dir, layers),
    symlink('../proc/self/mounts', dir, 'mtab'),
    ...writeFile(`${hostname}\n`, dir, 'hostname'),
    ...(names ?? writeFile(`127.0.0.1 localhost ${hostname}\n::1 localhost ip6-localhost ip6-loopback\n`, dir, 'hosts')),
  ];
}

/** The names of the host, whose network it is, and that of the container. */
function hostNames(dir: ResultOf, hostname: string): Step[] {
  const own: Step = {
    call: 'openat',
    args: [dir, 'hosts', openFlags.O_WRONLY | openFlags.O_CREAT | openFlags.O_APPEND | openFlags.O_CLOEXEC, 0o644],
    purpose: 'hosts has one name more',
    as: 'hosts',
  };
  // The last line of the host's need not have an end.
  const hasLocalhost = /^[^#\n]*\slocalhost\b/m.test(readFileSync('/etc/hosts', 'latin1'));
  const line = Buffer.from(`\n127.0.0.1 ${hasLocalhost ? '' : 'localhost '}${hostname}\n`);
  return [
    ...copyFiles(['hosts'], dir),
    own,
    { call: 'write', args: [resultOf(own), line, line.length], purpose: "the container's own name" },
    { call: 'close', args: [resultOf(own)], purpose: 'hosts is done' },
  ];
}

/** A directory of the list, and where its links lead. */
interface EtcDirectory {
  readonly path: string;
  readonly real: string;
}

/**
 * The directories of the list, read-only, all through one overlay of /etc, of which nothing but these is attached in the container.
 * One that is mounted itself, that has a mount below it or that a link leads out of /etc to has an overlay of its own.
 */
function etcDirectories(dir: ResultOf, layers: Layers): Step[] {
  const there = directories.flatMap((path): EtcDirectory[] => {
    const parents = path.split('/').map((_, i, parts) => `/etc/${parts.slice(0, i + 1).join('/')}`);
    return parents.every((parent) => isForAll(statOf(parent), 'directory')) ? [{ path, real: realpathSync(`/etc/${path}`) }] : [];
  });
  const parents = new Set(there.flatMap(({ path }) => path.split('/').map((_, i, parts) => parts.slice(0, i + 1).join('/'))));
  const isPlain = ({ real }: EtcDirectory): boolean => real.startsWith('/etc/') && !isMountedBelow('/etc', real) && mountsBelow(real).length === 0;
  const others = there.filter((each) => !isPlain(each));
  return [
    ...[...parents].map((path) => directory(dir, path)),
    ...fromOneMount(there.filter(isPlain), dir, layers),
    ...others.flatMap(({ path, real }) => layer(real, dir, path, { ...layers, readonly: true })),
  ];
}

/**
 * /etc is attached in the scratch tmpfs, which goes with the old root, since a mount that is attached to nothing cannot be cloned before Linux 6.15.
 * Where overlayfs is refused, it is a read-only bind there.
 */
function fromOneMount(wanted: readonly EtcDirectory[], dir: ResultOf, { scratch, devices }: Layers): Step[] {
  if (wanted.length === 0) return [];
  const attributes = { readonly: true, ...(!devices && { noDev: true }) };
  const refused = label('overlayfs is refused: /etc as a read-only bind');
  const done = label('/etc is where its directories are taken from');
  const overlay = overlayMount({ lower: ['/etc', 'nothing'], ...attributes, onFailure: refused, purpose: '/etc, for the directories of it that are taken' });
  const bound = bindMount('/etc', { recursive: true, ...attributes });
  return [
    directory(scratch, 'etc', 0o700),
    ...overlay.steps,
    attachBelow(overlay.mount, scratch, 'etc'),
    { call: 'close', args: [overlay.mount], purpose: 'it is attached', jump: { when: '==', to: done } },
    refused,
    ...bound.steps,
    attachBelow(bound.mount, scratch, 'etc'),
    { call: 'close', args: [bound.mount], purpose: 'it is attached' },
    done,
    ...wanted.flatMap(({ path, real }): Step[] => {
      // Not by a link: it would lead to what is no part of this mount, and not read-only. A directory on the way may have become one since it was looked at.
      const flags = openTreeFlags.OPEN_TREE_CLONE | openTreeFlags.OPEN_TREE_CLOEXEC | atFlags.AT_SYMLINK_NOFOLLOW;
      const clone: Step = { call: 'open_tree', args: [scratch, real.slice(1), flags], purpose: `a mount of ${real}`, as: path };
      const mount = resultOf(clone);
      const again = real.split('/').length > 3 ? setAttributes(mount, { readonly: true }) : [];
      return [clone, ...again, attachBelow(mount, dir, path), { call: 'close', args: [mount], purpose: 'it is attached' }];
    }),
  ];
}

/** statx(2), linux/stat.h: STATX_TYPE and STATX_MODE; the two bytes of stx_mode, and what follows them, which is zero. */
const STATX_TYPE_AND_MODE = 3;
const STATX_BYTES = 256;
const MODE = 0x1c;

/**
 * Copies those files of the host's /etc that root owns and everybody may read, with their modes: sendfile(2) takes each in one go, since they are of a modest size.
 * One that has gone, or got another mode, since it was looked at is passed over. A root with a file open for writing cannot be made read-only.
 */
function copyFiles(names: readonly string[], parent: ResultOf): Step[] {
  const done = label('the files are copied');
  // Of a compiled container it takes less to name them from one open directory, and to have all results in the same places.
  const hostEtc: Step = { call: 'openat', args: [AT_FDCWD, '/etc', openFlags.O_PATH | openFlags.O_CLOEXEC, 0], purpose: "the host's /etc", as: 'host-etc' };
  const stat = new Memory(STATX_BYTES, 'stat');
  const [originals, copies] = [new Memory(8, 'originals'), new Memory(8, 'copies')];
  let next = done;
  const steps: Step[] = [];
  for (const name of names.toReversed()) {
    const stats = statOf(`/etc/${name}`);
    if (!isForAll(stats, 'file') || stats.size > MAX_COPY_BYTES) continue;
    const mode = stats.mode & 0o777;
    const original: Step = {
      call: 'openat',
      args: [resultOf(hostEtc), name, openFlags.O_RDONLY | openFlags.O_NONBLOCK | openFlags.O_CLOEXEC, 0],
      purpose: `read /etc/${name}`,
      as: 'original',
      into: originals.at(0),
      tolerates: ['ENOENT', 'EACCES'],
      jump: { when: '<', to: next },
    };
    const close: Step = { call: 'close', args: [resultOf(original)], purpose: 'the original is done' };
    const look: Step = { call: 'statx', args: [resultOf(original), '', atFlags.AT_EMPTY_PATH, STATX_TYPE_AND_MODE, stat], purpose: 'may everybody read it?' };
    const compare: Step = {
      call: 'add',
      args: [stat.i32(MODE), 0],
      purpose: `is it a file of the mode ${mode.toString(8).padStart(4, '0')} still?`,
      jump: { when: '!=', than: fileTypes.S_IFREG | (stats.mode & 0o7777), to: close },
    };
    const copy: Step = {
      call: 'openat',
      args: [parent, name, openFlags.O_WRONLY | openFlags.O_CREAT | openFlags.O_CLOEXEC, mode],
      purpose: `make ${name}`,
      as: 'copy',
      into: copies.at(0),
    };
    steps.unshift(
      original,
      look,
      compare,
      copy,
      { call: 'sendfile', args: [resultOf(copy), resultOf(original), null, MAX_COPY_BYTES], purpose: `copy /etc/${name}` },
      { call: 'close', args: [resultOf(copy)], purpose: `${name} is done` },
      close,
    );
    next = original;
  }
  if (steps.length === 0) return [];
  return [hostEtc, ...steps, done, { call: 'close', args: [resultOf(hostEtc)], purpose: 'no more files of it are read' }];
}

/** Where its links lead; nothing where the caller cannot look. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/**
 * Whether root owns it and everybody may read it: whatever a container's user may read of it, any user of the host may.
 * In a user namespace, the root that owns the host's files may be an id that is not mapped, as the owner of /usr is.
 */
function isForAll(stats: Stats | undefined, kind: 'file' | 'directory'): stats is Stats {
  if (!stats || (stats.uid !== 0 && stats.uid !== statOf('/usr')?.uid)) return false;
  return kind === 'file' ? stats.isFile() && (stats.mode & 0o004) !== 0 : stats.isDirectory() && (stats.mode & 0o005) === 0o005;
}
