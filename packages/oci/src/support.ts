import { config } from './config/config.js';
import { allowed, schemaOf } from './schema/check.js';
import type { Schema } from './schema/schema.js';

/**
 * How far a field is supported.
 *
 * - `applied`: it does what the runtime-spec says
 * - `checked`: it is read and checked, and nothing acts on it yet
 * - `ignored`: it has no effect
 */
export type Support = 'applied' | 'checked' | 'ignored';

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
}

/** What is not `checked`, by the path of a field: it holds for all that lies below, too. */
const support: Readonly<Record<string, Support>> = {
  solaris: 'ignored',
  windows: 'ignored',
  vm: 'ignored',
  zos: 'ignored',
  freebsd: 'ignored',
  'process.commandLine': 'ignored',
  'process.user.username': 'ignored',
  'linux.intelRdt.enableCMT': 'ignored',
  'linux.intelRdt.enableMBM': 'ignored',
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
  return fieldsOf(config, '', 'checked');
}

/** Whether a field, or what is named like one, does what the runtime-spec says. */
export function isApplied(path: string): boolean {
  return support[path] === 'applied';
}

function fieldsOf(schema: Schema<unknown>, path: string, inherited: Support): SupportedField[] {
  if (schema.kind === 'list') return fieldsOf(schema.of, `${path}[]`, inherited);
  if (schema.kind === 'map') return fieldsOf(schema.of, `${path}[*]`, inherited);
  if (schema.kind !== 'object') return [];
  return Object.entries(schema.fields).flatMap(([key, field]) => {
    const at = path === '' ? key : `${path}.${key}`;
    const found = schemaOf(field);
    const own: SupportedField = {
      path: at,
      allowed: inWords(found),
      required: 'required' in field,
      ...(found.since !== undefined && { since: found.since }),
      ...(found.deprecated !== undefined && { deprecated: found.deprecated }),
      support: support[at] ?? inherited,
    };
    return [own, ...fieldsOf(found, at, own.support)];
  });
}

function inWords(schema: Schema<unknown>): string {
  if (schema.kind === 'list') return `an array, of which each is ${inWords(schema.of)}`;
  if (schema.kind === 'map') return `an object, of which each value is ${inWords(schema.of)}`;
  return allowed(schema);
}
