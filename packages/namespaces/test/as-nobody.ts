// A Node program run by an ordinary user: nobody, who has no rights and no subordinate ids.
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { nodeProgram } from '../../../test/support/node-program.js';

export const NOBODY = 65534;

/** How the machine is to the program, in a mount namespace of its own. */
export interface Surroundings {
  /** What stands in /etc/subuid and /etc/subgid. */
  readonly subIds?: string;
  /** A program of /usr/bin that is not there. */
  readonly hidden?: string;
}

/** Runs a module (TypeScript, with imports of this package and of @ctr/syscall) as nobody; what it wrote to stdout. Rejects if it fails. */
export async function asNobody(source: string, { subIds, hidden }: Surroundings = {}): Promise<string> {
  using program = await nodeProgram(source, import.meta.dirname);
  const { directory, path, env } = program;
  const command = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', process.execPath, path];
  const file = join(directory, 'subids');
  if (subIds !== undefined) writeFileSync(file, subIds);
  const mounts = [
    ...(subIds === undefined ? [] : [`mount --bind ${file} /etc/subuid`, `mount --bind ${file} /etc/subgid`]),
    ...(hidden === undefined ? [] : hide(directory, hidden)),
  ];
  return await run(mounts.length === 0 ? command : ['unshare', '--mount', 'sh', '-e', '-c', [...mounts, 'exec "$@"'].join('\n'), 'sh', ...command], env);
}

/** /usr/bin without one of its programs: an overlay in which that has been removed. */
function hide(directory: string, program: string): string[] {
  return [
    `mount -t tmpfs over ${directory}`,
    `mkdir ${directory}/upper ${directory}/work`,
    `mount -t overlay -o lowerdir=/usr/bin,upperdir=${directory}/upper,workdir=${directory}/work over /usr/bin`,
    `rm -f /usr/bin/${program}`,
    `umount -l ${directory}`,
  ];
}

function run([program = '', ...args]: string[], env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd: '/', env }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stderr}`));
      else resolve(stdout.trimEnd());
    });
  });
}
