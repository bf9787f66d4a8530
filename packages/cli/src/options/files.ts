import type { Mount } from '@ctr/runtime';

import type { Option } from '../args.js';
import { ValueError } from '../usage-error.js';
import { parseSize } from './size.js';

/** What the container sees as its files. */
export const fileOptions: readonly Option[] = [
  {
    name: 'rootfs',
    metavar: 'DIR',
    group: 'Files',
    help: "The directory that becomes / (default: the host's own programs, copy on write); the host's own / takes --read-only",
    set: (settings, value) => {
      if (value === '') throw new ValueError('a directory with a root file system in it');
      settings.rootfs = value;
    },
  },
  {
    name: 'volume',
    short: 'v',
    metavar: 'SRC:DST[:MODE]',
    group: 'Files',
    repeatable: true,
    help: "Shows SRC of the host at DST, the host's own files with ro, too (locks, watches, sockets); MODE: ro, idmap (owners by the ids of a new user namespace), or ro,idmap",
    set: ({ mounts }, value) => {
      mounts.push(parseVolume(value));
    },
  },
  {
    name: 'tmpfs',
    metavar: 'DST[:size=64m]',
    group: 'Files',
    repeatable: true,
    help: 'Mounts an empty file system in memory at DST (default: 1g)',
    set: ({ mounts }, value) => {
      mounts.push(parseTmpfs(value));
    },
  },
  {
    name: 'storage-opt',
    metavar: 'size=SIZE',
    group: 'Files',
    help: 'The memory that / may take without --rootfs: what is changed, /tmp, /var and all that starts empty (default: 1g)',
    set: (settings, value) => {
      const size = /^size=(.*)$/.exec(value)?.[1];
      if (size === undefined) throw new ValueError('size=SIZE, such as size=512m');
      settings.rootSizeBytes = parseSize(size);
    },
  },
  {
    name: 'read-only',
    group: 'Files',
    help: 'The root file system cannot be written',
    set: (settings) => {
      settings.readonly = true;
    },
  },
];

function parseVolume(text: string): Mount {
  const [bind = '', to = '', mode = 'rw', ...rest] = text.split(':');
  const words = mode.split(',');
  const known = words.every((word) => ['ro', 'rw', 'idmap'].includes(word)) && !(words.includes('ro') && words.includes('rw'));
  if (bind === '' || !to.startsWith('/') || !known || rest.length > 0)
    throw new ValueError(
      'SRC:DST or SRC:DST:MODE, where MODE is ro, rw, idmap, or two of them with a comma, DST is an absolute path of the container, and neither has a colon in it',
    );
  return { bind, to, ...(words.includes('ro') && { readonly: true }), ...(words.includes('idmap') && { idMap: true }) };
}

/** What every tmpfs of a container is anyway: taken, since docker's users write it. */
const always = new Set(['rw', 'nosuid', 'nodev', 'mode=1777']);

function parseTmpfs(text: string): Mount {
  const [tmpfs = '', options, ...rest] = text.split(':');
  if (!tmpfs.startsWith('/') || rest.length > 0) throw new ValueError('DST or DST:size=SIZE, where DST is an absolute path of the container');
  let sizeBytes: number | undefined;
  for (const option of options === undefined ? [] : options.split(',')) {
    const size = /^size=(.*)$/.exec(option)?.[1];
    if (size !== undefined) sizeBytes = parseSize(size);
    else if (!always.has(option))
      throw new ValueError('size=SIZE is the only option of a tmpfs: it is nosuid and nodev, and everyone may write to it (mode 1777)');
  }
  return { tmpfs, ...(sizeBytes !== undefined && { sizeBytes }) };
}
