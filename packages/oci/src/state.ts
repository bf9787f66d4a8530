/**
 * What a container is doing, in the words of the runtime-spec, and `paused`, which runc and all engines know.
 *
 * - `creating`: it is being made
 * - `created`: all is made, and its program waits for `start`
 * - `running`: its program runs
 * - `paused`: its processes are frozen
 * - `stopped`: its program has ended
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/runtime.md#state
 */
export type ContainerStatus = (typeof containerStatuses)[number];

/** All of them, in the order of a container's life. */
export const containerStatuses = ['creating', 'created', 'running', 'paused', 'stopped'] as const;

/** What is known of a container: what `state` prints, and hooks find on their standard input. */
export interface State {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: ContainerStatus;
  /** Of its program, as its reader sees it: there when it is created, running or paused. */
  readonly pid?: number;
  /** An absolute path. */
  readonly bundle: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The annotations of a state; there is no such field without any. */
export function annotationsIn(annotations: Readonly<Record<string, string>>): Pick<State, 'annotations'> {
  return Object.keys(annotations).length > 0 ? { annotations } : {};
}

/** What goes with the listener of a seccomp filter to the socket of `linux.seccomp.listenerPath`. */
export interface ContainerProcessState {
  readonly ociVersion: string;
  /** The names of the open files that go with it, in their order: `seccompFd`. */
  readonly fds: readonly string[];
  /** Of the process with the filter, as the runtime sees it. */
  readonly pid: number;
  /** `linux.seccomp.listenerMetadata`. */
  readonly metadata?: string;
  readonly state: State;
}
