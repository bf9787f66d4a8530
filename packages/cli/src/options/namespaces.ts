import type { NamespaceChoice } from '@ctr/runtime';

import type { Option } from '../args.js';
import type { Kind } from '../settings.js';
import { ValueError } from '../usage-error.js';

function namespace(kind: Kind, name: string, what: string, more: Partial<Option> = {}): Option {
  return {
    name,
    metavar: 'NS',
    group: 'Namespaces',
    help: what,
    set: (settings, value) => {
      settings.namespaces[kind] = parseChoice(value);
    },
    ...more,
  };
}

/** Each can be a new one, the host's, that of a process, or that of a file such as /run/netns/NAME. */
export const namespaceOptions: readonly Option[] = [
  {
    name: 'hostname',
    short: 'h',
    metavar: 'NAME',
    group: 'Namespaces',
    help: 'The host name (default: container)',
    set: (settings, value) => {
      settings.hostname = value;
    },
  },
  namespace('net', 'net', 'The network (default: new, which has a loopback and nothing else; none is the same)', {
    aliases: ['network'],
    set: (settings, value) => {
      settings.namespaces.net = value === 'none' ? 'new' : parseNetwork(value);
    },
  }),
  namespace('pid', 'pid', 'Process ids (default: new)'),
  namespace('ipc', 'ipc', 'System V IPC and POSIX message queues (default: new)'),
  namespace('uts', 'uts', 'Host name and domain name (default: new)'),
  namespace('cgroup', 'cgroupns', 'What of the cgroups is seen (default: new)'),
  namespace('user', 'userns', 'User ids (default: host for root, else new; auto is the same as new)', {
    set: (settings, value) => {
      settings.namespaces.user = value === 'auto' ? 'new' : parseChoice(value);
    },
  }),
  {
    name: 'ids',
    metavar: 'IDS',
    group: 'Namespaces',
    help: "The ids of a new user namespace: granted (default: all that /etc/subuid and /etc/subgid grant, or for root 65536) or own (the caller's alone)",
    set: (settings, value) => {
      if (value !== 'own' && value !== 'granted') throw new ValueError('own or granted');
      settings.ids = value;
    },
  },
  namespace('time', 'time', 'Clocks since boot (default: host)'),
  namespace('mount', 'mountns', 'Mounts (default: new; any other means no root file system and no mounts of its own)'),
];

/** A network by its name is docker's. */
function parseNetwork(text: string): NamespaceChoice {
  if (/^[a-z][\w.-]*$/i.test(text) && text !== 'new' && text !== 'host')
    throw new ValueError(
      'ctr makes no networks: none (a loopback alone), host, pid:N, or the path of one that something else has made, such as /run/netns/NAME',
    );
  return parseChoice(text);
}

/** `new`, `host`, `pid:N`, or a path (with a slash in it, so that a slip of the pen is not taken for one). */
function parseChoice(text: string): NamespaceChoice {
  if (text === 'new' || text === 'host') return text;
  // Docker's word for it.
  if (text === 'private') return 'new';
  if (/^(container|service):/.test(text)) throw new ValueError('pid:N joins that of a container, where N is one of its processes (ctr top shows them)');
  const pid = /^pid:(\d{1,10})$/.exec(text)?.[1];
  if (pid !== undefined && Number(pid) > 0) return { pid: Number(pid) };
  if (!text.includes('/')) throw new ValueError('new, host, pid:N, or the path of a namespace with a slash in it');
  return { path: text };
}
