import { atMost, deprecated, integer, list, object, required, since, text, type Schema } from '../schema/schema.js';
import { absolutePath } from '../schema/texts.js';
import { argumentList } from './argument-list.js';

/** Programs that are run at points of a container's life, each in the order given, with the container's state on their standard input. */
export interface Hooks {
  /** @deprecated in favour of the three that follow */
  readonly prestart?: readonly Hook[];
  /** On the host, at the end of `create`, before the root is changed. 1.0.2 */
  readonly createRuntime?: readonly Hook[];
  /** The host's program, in the container's namespaces, at the same time. 1.0.2 */
  readonly createContainer?: readonly Hook[];
  /** The container's program, in the container and with the rights of its own, before that. 1.0.2 */
  readonly startContainer?: readonly Hook[];
  /** On the host, when the program runs, before `start` is done. */
  readonly poststart?: readonly Hook[];
  /** On the host, when all is removed, before `delete` is done. */
  readonly poststop?: readonly Hook[];
}

/** A program that is run at a point of a container's life. */
export interface Hook {
  /** An absolute path. */
  readonly path: string;
  /** With the program's own name as the first. @default the path */
  readonly args?: readonly string[];
  /** `NAME=value`, each; nothing else is passed on. @default that of the runtime; for `startContainer`, that of the program */
  readonly env?: readonly string[];
  /** In seconds; at its end the hook is killed. @default none */
  readonly timeout?: number;
}

/** The names of the hooks, in the order in which they are run. */
export const hookNames: readonly (keyof Hooks)[] = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'];

const hook = atMost(
  1024,
  list(
    object<Hook>({
      path: required(text('an absolute path', absolutePath)),
      args: argumentList,
      env: argumentList,
      timeout: integer(1, Number.MAX_SAFE_INTEGER),
    }),
  ),
);

export const hooks: Schema<Hooks> = object<Hooks>({
  prestart: deprecated('createRuntime, createContainer and startContainer say when', hook),
  createRuntime: since('1.0.2', hook),
  createContainer: since('1.0.2', hook),
  startContainer: since('1.0.2', hook),
  poststart: hook,
  poststop: hook,
});
