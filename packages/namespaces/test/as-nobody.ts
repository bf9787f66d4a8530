// A Node program run by an ordinary user: nobody, who has no rights and no subordinate ids.
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build, stop } from 'esbuild';

export const NOBODY = 65534;

const packageDirectory = fileURLToPath(new URL('..', import.meta.url));
const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url));

/**
 * Runs a module (TypeScript, with imports of this package and of @ctr/syscall) as nobody; what it wrote to stdout. Rejects if it fails.
 * With `subIds`, it has them as /etc/subuid and /etc/subgid, in a mount namespace of its own.
 */
export async function asNobody(source: string, subIds?: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'ctr-nobody-'));
  try {
    const program = join(directory, 'program.mjs');
    await build({
      stdin: { contents: source, resolveDir: packageDirectory, loader: 'ts' },
      outfile: program,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      conditions: ['@ctr/source'],
      logLevel: 'error',
    });
    await stop();
    chmodSync(directory, 0o755);
    const command = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', process.execPath, program];
    if (subIds === undefined) return await run(command);
    const file = join(directory, 'subids');
    writeFileSync(file, subIds);
    const mounts = `mount --bind ${file} /etc/subuid && mount --bind ${file} /etc/subgid && exec "$@"`;
    return await run(['unshare', '--mount', 'sh', '-c', mounts, 'sh', ...command]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function run([program = '', ...args]: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd: '/', env: { NODE_PATH: modules, PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stderr}`));
      else resolve(stdout.trimEnd());
    });
  });
}
