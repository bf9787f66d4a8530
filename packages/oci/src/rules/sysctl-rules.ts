import type { Config } from '../config/config.js';
import type { LinuxNamespaceType } from '../config/namespaces.js';
import { namespaceOf, type Rule } from './rule.js';

/** ipc/ipc_sysctl.c: what each ipc namespace has of its own, besides fs.mqueue */
const ofIpc = new Set(
  'msgmax msgmnb msgmni sem shmall shmmax shmmni shm_rmid_forced auto_msgmni msg_next_id sem_next_id shm_next_id'.split(' ').map((name) => `kernel.${name}`),
);

export const sysctlRules: readonly Rule[] = [
  {
    about: ['linux.sysctl', 'linux.namespaces'],
    check(config, report) {
      for (const [key, value] of Object.entries(config.linux?.sysctl ?? {})) {
        const wrong = problemOf(withDots(key), config);
        if (wrong !== undefined) report.error(`linux.sysctl[${JSON.stringify(key)}]`, value, wrong);
      }
    },
  },
];

/** Why a setting is none of the container's own, which others would be changed with. */
function problemOf(key: string, config: Config): string | undefined {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.\-/:@]*$/.test(key) || key.split(/[./]/).includes('')) return 'a setting such as net.ipv4.ip_forward';
  if (key === 'kernel.hostname') return 'another setting: this one is the field hostname';
  const type = namespaceThatHas(key);
  if (type === undefined) return 'a setting that a namespace has: this one is the whole host’s';
  return namespaceOf(config, type) ? undefined : `nothing without a namespace of the type ${type}: it would be the setting of the host`;
}

function namespaceThatHas(key: string): LinuxNamespaceType | undefined {
  if (key.startsWith('net.')) return 'network';
  if (key.startsWith('fs.mqueue.') || ofIpc.has(key)) return 'ipc';
  if (key === 'kernel.domainname') return 'uts';
  return key.startsWith('user.') ? 'user' : undefined;
}

/** The other way to write a setting has slashes where this one has dots, and the other way round. @see sysctl.d(5) */
function withDots(key: string): string {
  const [first] = /[./]/.exec(key) ?? [];
  return first === '/' ? key.replaceAll(/[./]/g, (char) => (char === '/' ? '.' : '/')) : key;
}
