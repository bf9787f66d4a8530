// Whose client it is: root, or an ordinary user that is there for a sandbox alone.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'vitest';

import type { Sandbox } from './sandbox.js';

/** 0 is root. */
export interface Owner {
  readonly uid: number;
  /** As in /etc/subuid. */
  readonly granted?: string;
}

const userName = 'ctr-client';
/** In the sandbox: podman takes no path of more than 50 bytes. */
export const runtimeDirectory = '/run/own';

/** What stands before a command, so that it is the owner's. */
export function as({ uid }: Owner): string[] {
  return uid === 0 ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
}

/** What an ordinary user has in the environment besides. */
export function environmentOf({ uid }: Owner): Record<string, string> {
  return uid === 0 ? {} : { XDG_RUNTIME_DIR: runtimeDirectory, USER: userName };
}

/** Has a sandbox know a user, with the ids that are granted to it. */
export async function enrol(sandbox: Sandbox, { uid, granted }: Owner): Promise<void> {
  expect(await sandbox.run(['install', '-d', `--owner=${uid}`, '--mode=700', runtimeDirectory])).toMatchObject({ code: 0 });
  if (uid === 0) return;
  const file = (name: string, text: string): string => {
    writeFileSync(join(sandbox.directory, name), text);
    return join(sandbox.directory, name);
  };
  const passwd = file('passwd', `${readFileSync('/etc/passwd', 'utf8')}${userName}:x:${uid}:${uid}::/:/bin/sh\n`);
  const group = file('group', `${readFileSync('/etc/group', 'utf8')}${userName}:x:${uid}:\n`);
  const ids = file('ids', granted === undefined ? '' : `${userName}:${granted}\n`);
  for (const [from, to] of [
    [passwd, '/etc/passwd'],
    [group, '/etc/group'],
    [ids, '/etc/subuid'],
    [ids, '/etc/subgid'],
  ] as const)
    expect(await sandbox.run(['mount', '--bind', from, to])).toMatchObject({ code: 0 });
}
