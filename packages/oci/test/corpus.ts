// Configs as others write them: podman 4.3, containerd 1.6, umoci 0.4, buildah 1.28, runc 1.1. Paths, ids and times in them were made the same.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const directory = join(import.meta.dirname, 'corpus');

/** The name and the bytes of each. */
export const corpus: readonly (readonly [name: string, bytes: Buffer])[] = readdirSync(directory)
  .toSorted()
  .map((name) => [name.replace('.json', ''), readFileSync(join(directory, name))]);

/** The one of our own that has every field. */
export function everyField(): Buffer {
  return readFileSync(join(directory, 'every-field.json'));
}
