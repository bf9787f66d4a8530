import { list, object, required, text, word, type Schema } from '../schema/schema.js';
import { LAST_NODE, plainNumberList } from '../schema/texts.js';

/** On which nodes memory is taken. @see set_mempolicy(2) */
export interface LinuxMemoryPolicy {
  readonly mode: (typeof memoryPolicyModes)[number];
  /** `0-3,7` */
  readonly nodes?: string;
  readonly flags?: readonly (typeof memoryPolicyFlags)[number][];
}

export const memoryPolicyModes = [
  'MPOL_DEFAULT',
  'MPOL_BIND',
  'MPOL_INTERLEAVE',
  'MPOL_WEIGHTED_INTERLEAVE',
  'MPOL_PREFERRED',
  'MPOL_PREFERRED_MANY',
  'MPOL_LOCAL',
] as const;
export const memoryPolicyFlags = ['MPOL_F_NUMA_BALANCING', 'MPOL_F_RELATIVE_NODES', 'MPOL_F_STATIC_NODES'] as const;

export const memoryPolicy: Schema<LinuxMemoryPolicy> = object<LinuxMemoryPolicy>(
  { mode: required(word(memoryPolicyModes)), nodes: text('a list of nodes, such as 0-3,7', plainNumberList(LAST_NODE)), flags: list(word(memoryPolicyFlags)) },
  ({ mode, nodes = '', flags = [] }, report) => {
    const none = nodes.trim() === '';
    if (mode === 'MPOL_DEFAULT' || mode === 'MPOL_LOCAL') {
      if (!none) report.error('nodes', nodes, `none with ${mode}`);
    } else if (none && mode !== 'MPOL_PREFERRED') report.error('nodes', nodes, `at least one node with ${mode}`);
    if (flags.includes('MPOL_F_RELATIVE_NODES') && flags.includes('MPOL_F_STATIC_NODES'))
      report.error('flags', flags, 'either MPOL_F_RELATIVE_NODES or MPOL_F_STATIC_NODES');
  },
);
