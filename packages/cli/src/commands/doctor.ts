import { existsSync } from 'node:fs';

import { printableLines } from '@ctr/syscall';
import { capabilities } from '../checks/capabilities.js';
import { cgroups } from '../checks/cgroups.js';
import type { Section } from '../checks/check.js';
import { fileSystems } from '../checks/file-systems.js';
import { kernel } from '../checks/kernel.js';
import { namespaces } from '../checks/namespaces.js';
import { security } from '../checks/security.js';
import { userNamespaces } from '../checks/user-namespaces.js';
import { readCommandLine, refuseMore } from '../command-line.js';
import { print } from '../print.js';
import { table } from '../table.js';

/** `ctr doctor`: what this host offers. Exits with 1 if something is missing that `ctr run` needs. */
export async function doctor(args: readonly string[]): Promise<number> {
  const line = readCommandLine('doctor', args);
  if (!line) return 0;
  refuseMore('doctor', line.rest);
  // All that follows is looked up there.
  if (!existsSync('/proc/self/mountinfo')) throw new Error('/proc is not mounted here, and ctr needs it: mount -t proc proc /proc (as root)');
  const sections = [await kernel(), await namespaces(), await userNamespaces(), await fileSystems(), await cgroups(), capabilities(), security()];
  const missing = sections.flatMap(({ findings }) => findings.filter(({ ok, needed }) => !ok && needed));
  print(line.settings.json ? json(sections) : `${table(sections)}\n${verdict(missing.map(({ what }) => what))}\n`);
  return missing.length === 0 ? 0 : 1;
}

function json(sections: readonly Section[]): string {
  const text = JSON.stringify(
    sections.flatMap(({ title, findings }) => findings.map((finding) => ({ section: title, ...finding }))),
    undefined,
    2,
  );
  return `${printableLines(text)}\n`;
}

function verdict(missing: readonly string[]): string {
  const who = process.geteuid?.() === 0 ? 'root' : 'this user';
  return missing.length === 0 ? `ctr run works here as ${who}.` : `ctr run lacks for ${who}: ${missing.join(', ')}.`;
}
