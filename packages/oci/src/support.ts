import { config } from './config/config.js';
import { allowed, schemaOf } from './schema/check.js';
import type { Schema } from './schema/schema.js';

/**
 * How far a field is supported.
 *
 * - `applied`: it does what the runtime-spec says
 * - `refused`: a container that asks for it is not created, and the error names it
 * - `ignored`: it has no effect
 */
export type Support = 'applied' | 'refused' | 'ignored';

/** A field of the configuration. */
export interface SupportedField {
  /** `linux.resources.pids.limit`, `mounts[].options[]`, `annotations[*]` */
  readonly path: string;
  /** What may stand there, in words. */
  readonly allowed: string;
  readonly required: boolean;
  /** The version of the runtime-spec that it came with, if after 1.0. */
  readonly since?: string;
  /** Why it should not be used any more. */
  readonly deprecated?: string;
  readonly support: Support;
  /** What of the machine it needs. Where that is missing, a container that asks for it is not created, and the error says why. */
  readonly needs?: string;
}

/** What is not `applied`, by the path of a field: it holds for all that lies below, too. */
const support: Readonly<Record<string, Support>> = {
  solaris: 'ignored',
  windows: 'ignored',
  vm: 'ignored',
  zos: 'ignored',
  freebsd: 'ignored',
  'process.commandLine': 'ignored',
  'process.user.username': 'ignored',
  'linux.intelRdt': 'refused',
  'linux.personality.flags': 'refused',
  'linux.resources.memory.kernel': 'ignored',
  'linux.resources.blockIO.leafWeight': 'refused',
  'linux.resources.blockIO.weightDevice[].leafWeight': 'refused',
};

const version1 = 'version 1 of control groups';
const version2 = 'version 2 of control groups';
const netRights = 'CAP_NET_ADMIN over the network namespace of the runtime: for that of the host, root outside of user namespaces';
const weights = 'a disk whose scheduler weighs groups (bfq), or io.cost';

/** What is not on every machine, by the path of a field: it holds for all that lies below, too. */
const needs: Readonly<Record<string, string>> = {
  'process.apparmorProfile': 'AppArmor',
  'process.selinuxLabel': 'SELinux',
  'linux.mountLabel': 'SELinux; it has no effect without',
  'linux.netDevices': netRights,
  'linux.memoryPolicy': 'a kernel with memory nodes (CONFIG_NUMA)',
  'linux.resources.memory.kernelTCP': `${version1}; it has no effect without`,
  'linux.resources.memory.swappiness': version1,
  'linux.resources.memory.disableOOMKiller': version1,
  'linux.resources.memory.useHierarchy': version1,
  'linux.resources.cpu.realtimeRuntime': version1,
  'linux.resources.cpu.realtimePeriod': version1,
  'linux.resources.blockIO.weight': weights,
  'linux.resources.blockIO.weightDevice': weights,
  'linux.resources.hugepageLimits': 'the controller hugetlb',
  'linux.resources.network': `${version1}, with the controllers net_cls and net_prio`,
  'linux.resources.rdma': 'the controller rdma',
  'linux.resources.unified': version2,
};

/**
 * All fields of the configuration, in the order in which they are checked: the same table that `validate` works by.
 *
 * @example As a table of markdown
 * ```ts
 * import { supportedFields } from '@ctr/oci';
 * for (const { path, allowed, support } of supportedFields()) console.log(`| \`${path}\` | ${allowed} | ${support} |`);
 * ```
 */
export function supportedFields(): SupportedField[] {
  return fieldsOf(config, '', { support: 'applied' });
}

/** The paths of the fields that do what the runtime-spec says. */
export function appliedFields(): ReadonlySet<string> {
  return new Set(supportedFields().flatMap(({ path, support }) => (support === 'applied' ? [path] : [])));
}

function fieldsOf(schema: Schema<unknown>, path: string, inherited: Pick<SupportedField, 'support' | 'needs'>): SupportedField[] {
  if (schema.kind === 'list') return fieldsOf(schema.of, `${path}[]`, inherited);
  if (schema.kind === 'map') return fieldsOf(schema.of, `${path}[*]`, inherited);
  if (schema.kind !== 'object') return [];
  return Object.entries(schema.fields).flatMap(([key, field]) => {
    const at = path === '' ? key : `${path}.${key}`;
    const found = schemaOf(field);
    const needed = needs[at] ?? inherited.needs;
    const status = { support: support[at] ?? inherited.support, ...(needed !== undefined && { needs: needed }) };
    const own: SupportedField = {
      path: at,
      allowed: inWords(found),
      required: 'required' in field,
      ...(found.since !== undefined && { since: found.since }),
      ...(found.deprecated !== undefined && { deprecated: found.deprecated }),
      ...status,
    };
    return [own, ...fieldsOf(found, at, status)];
  });
}

function inWords(schema: Schema<unknown>): string {
  if (schema.kind === 'list') return `an array, of which each is ${inWords(schema.of)}`;
  if (schema.kind === 'map') return `an object, of which each value is ${inWords(schema.of)}`;
  return allowed(schema);
}
