import { config, type Config } from './config/config.js';
import { process, type Process } from './config/process.js';
import type { LinuxResources } from '@ctr/cgroups';
import { resources } from './config/resources.js';
import { annotationRules } from './rules/annotation-rules.js';
import { linuxRules } from './rules/linux-rules.js';
import { mountRules } from './rules/mount-rules.js';
import { namespaceRules } from './rules/namespace-rules.js';
import { sysctlRules } from './rules/sysctl-rules.js';
import { check } from './schema/check.js';
import { Problems, type Problem } from './schema/problem.js';
import type { Schema } from './schema/schema.js';

const rules = [...linuxRules, ...namespaceRules, ...mountRules, ...sysctlRules, ...annotationRules];

/**
 * Says all that is wrong with the content of a `config.json`, each with its JSON path: nothing if the runtime can take it. Nothing of the host is looked at, but for what its kernel's interfaces allow.
 *
 * A `warning` is about what has no effect, and keeps nobody from using it: fields that are not known, capabilities that are not known, `null`, what is deprecated. Of each severity the first 1000 are told.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config.md
 * @example
 * ```ts
 * import { problemText, validate } from '@ctr/oci';
 * const linux = { namespaces: [{ type: 'pdi' }, { type: 'mount' }], resources: { pids: { limit: '100' } } };
 * const config = { ociVersion: '1.2.0', root: { path: 'rootfs' }, process: { cwd: '/', args: ['true'] }, linux };
 * console.log(validate(config).map(problemText).join('\n'));
 * // linux.namespaces[0].type: "pdi": one of mount, pid, network, uts, ipc, user, cgroup, time; did you mean pid?
 * // linux.resources.pids.limit: "100": an integer from -1 to 9223372036854775807
 * ```
 */
export function validate(value: unknown): Problem[] {
  return checkConfig(value).problems;
}

/**
 * The same for the `process` of a config alone, as `exec` takes it.
 *
 * @example
 * ```ts
 * import { validateProcess } from '@ctr/oci';
 * console.log(validateProcess({ cwd: '/', args: [] })[0]?.path); // args
 * ```
 */
export function validateProcess(value: unknown): Problem[] {
  return checkProcess(value).problems;
}

/**
 * The same for the `linux.resources` of a config alone, as `update` takes them.
 *
 * @example
 * ```ts
 * import { validateResources } from '@ctr/oci';
 * console.log(validateResources({ memory: { limit: 1048576, swap: 4096 } })[0]?.path); // memory.swap
 * ```
 */
export function validateResources(value: unknown): Problem[] {
  return checkResources(value).problems;
}

/** What was found, and the value without what has no effect: only of use if no problem is an error. */
export interface Checked<T> {
  readonly value: T;
  readonly problems: Problem[];
}

export function checkConfig(value: unknown): Checked<Config> {
  const problems = new Problems();
  const clean = check(config, value, '', problems) as Config | undefined;
  // A rule reads only what it is about, and that is as the types say.
  if (clean !== undefined) for (const rule of rules) if (!rule.about.some((path) => problems.isSpoilt(path))) rule.check(clean, problems.at(''));
  return { value: clean as Config, problems: problems.all };
}

export function checkProcess(value: unknown): Checked<Process> {
  return checkAlone(process, value);
}

export function checkResources(value: unknown): Checked<LinuxResources> {
  return checkAlone(resources, value);
}

function checkAlone<T>(schema: Schema<T>, value: unknown): Checked<T> {
  const problems = new Problems();
  const clean = check(schema, value, '', problems);
  return { value: clean as T, problems: problems.all };
}
