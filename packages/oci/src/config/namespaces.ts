import { list, object, required, text, word, type Schema } from '../schema/schema.js';
import { absolutePath } from '../schema/texts.js';

/** A kind of namespaces. @see namespaces(7) */
export type LinuxNamespaceType = (typeof namespaceTypes)[number];

/** A namespace of the container. */
export interface LinuxNamespace {
  readonly type: LinuxNamespaceType;
  /** A file of the host that stands for the namespace to join: `/proc/4711/ns/net`. @default a new one */
  readonly path?: string;
}

export const namespaceTypes = ['mount', 'pid', 'network', 'uts', 'ipc', 'user', 'cgroup', 'time'] as const;

export const namespaces: Schema<readonly LinuxNamespace[]> = list(
  object<LinuxNamespace>({
    type: required(word(namespaceTypes)),
    // Go leaves out what is empty, others may not.
    path: text('an absolute path', (path) => (path === '' ? undefined : absolutePath(path))),
  }),
  (value, report) => {
    const seen = new Set<string>();
    for (const [index, { type }] of value.entries()) {
      if (seen.has(type)) report.error(`[${index}].type`, type, 'a kind that is not there yet: a container has one namespace of each');
      seen.add(type);
    }
  },
);
