import { checkOptions } from '@ctr/syscall';

import type { Config } from './config/config.js';
import type { Process } from './config/process.js';
import type { LinuxResources } from '@ctr/cgroups';
import { parseJson, type JsonBounds } from './json/parse-json.js';
import { problemText, type Problem } from './schema/problem.js';
import { checkConfig, checkProcess, checkResources, type Checked } from './validate.js';

/**
 * A config that cannot be used. The message has a line for each error.
 *
 * @example
 * ```ts
 * import { ConfigError, parseConfig } from '@ctr/oci';
 * try {
 *   parseConfig('{ "ociVersion": "1.2.0" }');
 * } catch (error) {
 *   if (error instanceof ConfigError) for (const { path, allowed } of error.problems) console.log(path, allowed);
 * }
 * ```
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** All that was found, warnings too. */
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(
      problems
        .filter(({ severity }) => severity === 'error')
        .map(problemText)
        .join('\n'),
    );
    this.problems = problems;
  }
}

/** How a config is read. */
export interface ParseOptions extends JsonBounds {
  /** Is told what has no effect. @default nobody is */
  readonly onWarning?: (warning: Problem) => void;
}

/**
 * Reads a `config.json`: as `parseJson` does, so that no number loses a digit, and then as `validate` does. What has no effect is left out of the result: fields that are not known, and `null`.
 *
 * Throws a {@link JsonError} with line and column for what is no JSON, and a {@link ConfigError} with all problems for what is no config.
 *
 * @example
 * ```ts
 * import { defaultConfig, parseConfig, problemText } from '@ctr/oci';
 * const config = parseConfig(JSON.stringify(defaultConfig()), { onWarning: (warning) => console.error(problemText(warning)) });
 * console.log(config.process?.args); // [ 'sh' ]
 * ```
 */
export function parseConfig(text: string | Uint8Array, options: ParseOptions = {}): Config {
  return parse('parseConfig', text, options, checkConfig);
}

/**
 * Reads the `process` of a config alone: the file that `exec` takes. Throws as {@link parseConfig} does.
 *
 * @example
 * ```ts
 * import { parseProcess } from '@ctr/oci';
 * console.log(parseProcess('{ "cwd": "/", "args": ["id"], "user": { "uid": 0, "gid": 0 } }').args); // [ 'id' ]
 * ```
 */
export function parseProcess(text: string | Uint8Array, options: ParseOptions = {}): Process {
  return parse('parseProcess', text, options, checkProcess);
}

/**
 * Reads the `linux.resources` of a config alone: the file that `update` takes. Throws as {@link parseConfig} does.
 *
 * @example
 * ```ts
 * import { parseResources } from '@ctr/oci';
 * console.log(parseResources('{ "pids": { "limit": 100 } }').pids?.limit); // 100
 * ```
 */
export function parseResources(text: string | Uint8Array, options: ParseOptions = {}): LinuxResources {
  return parse('parseResources', text, options, checkResources);
}

function parse<T>(where: string, text: string | Uint8Array, options: ParseOptions, check: (value: unknown) => Checked<T>): T {
  checkOptions(where, options, ['onWarning', 'maxBytes', 'maxDepth']);
  const { onWarning, ...bounds } = options;
  const { value, problems } = check(parseJson(text, bounds));
  if (problems.some(({ severity }) => severity === 'error')) throw new ConfigError(problems);
  for (const problem of problems) onWarning?.(problem);
  return value;
}
