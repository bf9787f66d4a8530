// What `npm start` and `npm test` need before anything else: the dependencies of the lock file. Only Node's own modules here.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Installs the dependencies with `npm ci` where they are missing, or others than the lock file's. */
export function setup() {
  if (isInstalled()) return;
  console.error('installing the dependencies (npm ci) …');
  quietly('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}

/**
 * Runs a program and shows what it printed only when it fails; then this process ends with its exit code.
 *
 * @param {string} program
 * @param {string[]} args
 */
export function quietly(program, args) {
  const { status, error, stdout, stderr } = spawnSync(program, args, { cwd: root, encoding: 'utf8', maxBuffer: Infinity });
  if (status === 0) return;
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}\n${program} ${args.join(' ')}: ${error ? error.message : `exit code ${status}`}\n`);
  process.exit(status || 1);
}

/** The path of a program that a dependency brings. @param {string} name */
export const bin = (name) => join(root, 'node_modules/.bin', name);

/** npm keeps in node_modules a copy of the lock file that it has installed. */
function isInstalled() {
  const installed = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) return false;
  const actual = packages(installed);
  return Object.entries(packages(join(root, 'package-lock.json'))).every(
    ([path, { version, optional }]) => !path.startsWith('node_modules/') || optional || actual[path]?.version === version,
  );
}

/**
 * @param {string} lockFile
 * @returns {Record<string, { version?: string, optional?: boolean } | undefined> & Record<string, { version?: string, optional?: boolean }>}
 */
function packages(lockFile) {
  return JSON.parse(readFileSync(lockFile, 'utf8')).packages;
}
