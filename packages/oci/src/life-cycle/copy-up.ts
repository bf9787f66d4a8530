import { readdirSync } from 'node:fs';

import { join } from '@ctr/namespaces';
import { becomeUser } from '@ctr/security';
import { launch, openFd, openFlags, type Fd, type Step } from '@ctr/syscall';

import { memoryFile, textOf } from '../memory-file.js';

/** Where the copying process has the directory that is copied. */
const SOURCE = 10;
const MAX_OUTPUT_BYTES = 1024;
const copier = '/bin/cp';

/**
 * Copies all that is in a directory of an image to a tmpfs that covers it: owners, modes and links as they are. It is a process of the host that does so, which has
 * nothing but the two open directories, and is in no namespace of the container but that of its users.
 *
 * @param pid the container's first process
 */
export async function copyUp(from: Fd, to: Fd, pid: number, ownUsers: boolean): Promise<void> {
  if (readdirSync(`/proc/self/fd/${from.number}`).length === 0) return;
  using output = memoryFile('output');
  using users = ownUsers ? openFd(`/proc/${pid}/ns/user`, { flags: openFlags.O_RDONLY }) : undefined;
  const plan: Step[] = [
    { call: 'dup3', args: [from, SOURCE, 0], purpose: 'what the image has' },
    { call: 'fchdir', args: [to], purpose: 'where it goes' },
    ...(users ? [...join(users, 'user'), ...becomeUser({ uid: 0, gid: 0 })] : []),
    { call: 'execve', args: [copier, ['cp', '-a', `/proc/self/fd/${SOURCE}/.`, '.'], []], purpose: 'copy it' },
  ];
  const child = await launch(plan, { stdio: ['ignore', output, output] });
  const { code } = await child.exited;
  if (code !== 0) throw new Error(`what the image has cannot be copied to a tmpfs (tmpcopyup): ${textOf(output, MAX_OUTPUT_BYTES).trim()}`);
}
