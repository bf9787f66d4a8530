// What the tests and the process that starts containers for them tell each other.
import type { ContainerOptions } from '@ctr/runtime';

/** The ways by which a program gets into a container. */
export const ways = ['run()', 'start()', 'ctr child', 'ctr compile', 'OCI create', 'OCI exec'] as const;
export type Way = (typeof ways)[number];

/** What is to be started. */
export interface Job {
  readonly way: Way;
  readonly commands: readonly { readonly command: readonly string[]; readonly cwd?: string }[];
  /** The program of a container in which the commands are executed. */
  readonly first: readonly string[];
  readonly options: ContainerOptions;
  /** The standard streams are ignored rather than inherited. */
  readonly ignored: boolean;
  /** `create` changes the root by pivot_root(2). */
  readonly pivot: boolean;
  /** A directory that the caller may write to. */
  readonly scratch: string;
  /** The uid of an ordinary user. */
  readonly owner?: number;
  /** For a bundle with a user namespace. */
  readonly idMappings?: readonly { readonly containerID: number; readonly hostID: number; readonly size: number }[];
}

/** How a command ended, or why it did not start. */
export interface Outcome {
  readonly exitCode?: number | undefined;
  readonly error?: string;
}
