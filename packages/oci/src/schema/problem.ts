import { shown } from './shown.js';

/** Something that is wrong with a value, or that has no effect. */
export interface Problem {
  /** An `error` keeps the value from being used; a `warning` says what is passed over. */
  readonly severity: 'error' | 'warning';
  /** Where: `linux.resources.pids.limit`, `mounts[2].options[0]`, `annotations["com.example.key"]`; empty for the value itself. */
  readonly path: string;
  /** What was found there, shortly, and harmless to a terminal: `"abc"`, `-2`, `an object`, `missing`. */
  readonly given: string;
  /** What is allowed there, or what becomes of it. */
  readonly allowed: string;
}

/**
 * A problem on one line: where, what was given, what is allowed.
 *
 * @example
 * ```ts
 * import { problemText, validate } from '@ctr/oci';
 * for (const problem of validate({ ociVersion: '1.2.0', root: { path: 7 } })) console.log(problemText(problem));
 * // root.path: 7: a path
 * // process: missing: a container is created without it, but not started
 * ```
 */
export function problemText(problem: Problem): string {
  return `${problem.path === '' ? 'the whole' : problem.path}: ${problem.given}: ${problem.allowed}`;
}

/** Where a check tells what it finds: the path is below the place that it looks at, as `field` or `field[2]`. */
export interface Report {
  error(path: string, value: unknown, allowed: string): void;
  warning(path: string, value: unknown, allowed: string): void;
}

/** How many problems of each severity are kept: a config of many megabytes can have as many. */
const KEPT = 1000;

/** Collects problems, in the order in which they are found. */
export class Problems {
  readonly all: Problem[] = [];
  #errors = 0;
  #warnings = 0;

  get errors(): number {
    return this.#errors;
  }

  /** `allowed` is worked out only for what is kept. */
  error(path: string, value: unknown, allowed: () => string): void {
    if (++this.#errors <= KEPT) this.all.push({ severity: 'error', path, given: shown(value), allowed: allowed() });
  }

  warning(path: string, value: unknown, allowed: () => string): void {
    if (++this.#warnings <= KEPT) this.all.push({ severity: 'warning', path, given: shown(value), allowed: allowed() });
  }

  /** For the check of what lies at a path. */
  at(path: string): Report {
    return {
      error: (below, value, allowed) => this.error(joined(path, below), value, () => allowed),
      warning: (below, value, allowed) => this.warning(joined(path, below), value, () => allowed),
    };
  }

  /** Whether what lies at a path, or holds it, has an error. */
  isSpoilt(path: string): boolean {
    // Beyond what is kept nobody knows.
    if (this.#errors > KEPT) return true;
    return this.all.some((problem) => problem.severity === 'error' && (isWithin(problem.path, path) || isWithin(path, problem.path)));
  }
}

/** The path of a member. */
export function member(path: string, key: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return path === '' ? key : `${path}.${key}`;
  return `${path}[${/^[\w./-]{1,80}$/.test(key) ? `"${key}"` : shown(key)}]`;
}

function joined(path: string, below: string): string {
  return path === '' || below === '' || below.startsWith('[') ? path + below : `${path}.${below}`;
}

function isWithin(path: string, whole: string): boolean {
  return whole === '' || (path.startsWith(whole) && (path.length === whole.length || path[whole.length] === '.' || path[whole.length] === '['));
}
