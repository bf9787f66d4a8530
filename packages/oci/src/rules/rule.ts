import type { Config } from '../config/config.js';
import type { LinuxNamespace, LinuxNamespaceType } from '../config/namespaces.js';
import type { Report } from '../schema/problem.js';

/** What parts of a config that lie apart have to do with each other. */
export interface Rule {
  /** The parts that are looked at: with an error in one of them the rule says nothing. */
  readonly about: readonly string[];
  readonly check: (config: Config, report: Report) => void;
}

export function namespaceOf(config: Config, type: LinuxNamespaceType): LinuxNamespace | undefined {
  return config.linux?.namespaces?.find((namespace) => namespace.type === type);
}

/** Whether the namespace is joined, and not a new one. */
export function isJoined(namespace: LinuxNamespace | undefined): boolean {
  return (namespace?.path ?? '') !== '';
}
