import { boolean, object, required, text, type Schema } from '../schema/schema.js';
import { path } from '../schema/texts.js';

/** The root file system of a container. */
export interface Root {
  /** A directory: an absolute path, or one relative to the bundle. */
  readonly path: string;
  /** @default false */
  readonly readonly?: boolean;
}

export const root: Schema<Root> = object<Root>({ path: required(text('a path', path)), readonly: boolean() });
