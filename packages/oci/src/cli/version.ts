import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The version of this package. Its package.json is one directory above, of the bundle, or two, of the sources. */
export function ownVersion(): string {
  for (const above of ['../package.json', '../../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(import.meta.dirname, above), 'utf8')) as { name?: string; version?: string };
      if (name === '@ctr/oci' && version !== undefined) return version;
    } catch {
      // It is not there, then.
    }
  }
  return 'unknown';
}
