import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/**
 * A directory with the program of a package, as it is published: of this run of the tests alone, which every user can read, inside of the repository, so that koffi is found.
 * It is gone with this process.
 *
 * @param name of the package
 */
export async function makeProgram(name: 'cli' | 'oci'): Promise<string> {
  const cache = join(root, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const directory = mkdtempSync(join(cache, `ctr-${name}-`));
  chmodSync(directory, 0o755);
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  if (process.env['CTR_VM'] === undefined) {
    const { bundle } = await import('../../tools/bundle.mjs');
    await bundle(directory, name);
    return directory;
  }
  // A machine that is booted for tests loads what has been built: on its processor a bundle takes half a minute.
  const built = join(root, 'packages', name, 'dist');
  for (const file of readdirSync(built)) if (file.endsWith('.cjs')) copyFileSync(join(built, file), join(directory, file));
  return directory;
}
