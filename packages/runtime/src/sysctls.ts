import { openFlags, openHow, resolveFlags, resultOf, type ResultOf, type Step } from '@ctr/syscall';

import { shown } from './shown.js';

/** Settings that belong to a namespace, and to which one: all others are the host's. */
const owners: readonly (readonly [pattern: RegExp, kind: 'net' | 'ipc' | 'uts'])[] = [
  [/^net\./, 'net'],
  [/^kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced|msg_next_id|sem_next_id|shm_next_id)$/, 'ipc'],
  [/^fs\.mqueue\./, 'ipc'],
  [/^kernel\.domainname$/, 'uts'],
];

/**
 * Checks settings of the kernel, by their names with dots. Throws a `TypeError` for one that is not the container's own to set.
 *
 * @see namespaces(7), sysctl(8)
 */
export function checkSysctls(sysctls: Readonly<Record<string, string>>, isNew: (kind: 'net' | 'ipc' | 'uts') => boolean): Readonly<Record<string, string>> {
  if (typeof sysctls !== 'object' || (sysctls as unknown) === null) throw new TypeError(`sysctls is ${shown(sysctls)}: give an object of names and values`);
  for (const [name, value] of Object.entries(sysctls)) {
    const owner = owners.find(([pattern]) => pattern.test(name))?.[1];
    if (!/^[a-z0-9_-]+(\.[A-Za-z0-9_-]+)+$/.test(name) || name.includes('..'))
      throw new TypeError(`sysctl ${shown(name)}: give a name with dots, such as net.ipv4.ip_forward`);
    if (typeof (value as unknown) !== 'string' || /[\0\n]/.test(value)) throw new TypeError(`sysctl ${name}: its value is a text of one line`);
    if (name === 'kernel.hostname') throw new TypeError('sysctl kernel.hostname is the option hostname: give it there');
    if (!owner) throw new TypeError(`sysctl ${name} belongs to the whole host, not to a namespace: set it there`);
    if (!isNew(owner)) throw new TypeError(`sysctl ${name} needs a new ${owner} namespace: here it would change that of others`);
  }
  return sysctls;
}

/** Writes them to the proc that has just been mounted, and to nothing else: no link, no other mount on the way. */
export function sysctlSteps(proc: ResultOf, sysctls: Readonly<Record<string, string>>): Step[] {
  return Object.entries(sysctls).flatMap(([name, value]) => {
    const file: Step = {
      call: 'openat2',
      args: [
        proc,
        `sys/${name.replaceAll('.', '/')}`,
        openHow({
          flags: openFlags.O_WRONLY | openFlags.O_CLOEXEC,
          resolve: resolveFlags.RESOLVE_BENEATH | resolveFlags.RESOLVE_NO_XDEV | resolveFlags.RESOLVE_NO_SYMLINKS | resolveFlags.RESOLVE_NO_MAGICLINKS,
        }),
        openHow.byteLength,
      ],
      purpose: `the setting ${name}`,
      as: name.slice(name.lastIndexOf('.') + 1),
      hints: { ENOENT: `this kernel has no setting ${name} in the container's namespaces`, EACCES: `${name} cannot be set, or not in a user namespace` },
    };
    return [
      file,
      {
        call: 'write',
        args: [resultOf(file), value, Buffer.byteLength(value)],
        purpose: `${name} = ${value}`,
        hints: { EINVAL: `${name} does not take ${shown(value)}`, EPERM: `${name} cannot be set in a user namespace` },
      },
      { call: 'close', args: [resultOf(file)], purpose: `${name} is set` },
    ] satisfies Step[];
  });
}
