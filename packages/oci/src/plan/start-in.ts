import type { Handle } from '@ctr/fs';
import { AT_FDCWD, openFlags, openHow, resolveFlags, resultOf, type Step } from '@ctr/syscall';

/** The directory has been found below the root; elsewhere no link of proc is followed, by which it could be one of the host. @see openat2(2): RESOLVE_NO_MAGICLINKS */
export function startIn(cwd: string, found: Handle | undefined): Step[] {
  const purpose = `start in ${cwd}`;
  if (found) return [{ call: 'fchdir', args: [found], purpose }];
  if (cwd === '/') return [{ call: 'chdir', args: ['/'], purpose }];
  const how = openHow({ flags: openFlags.O_PATH | openFlags.O_DIRECTORY | openFlags.O_CLOEXEC, resolve: resolveFlags.RESOLVE_NO_MAGICLINKS });
  const open: Step = { call: 'openat2', args: [AT_FDCWD, cwd, how, how.byteLength], purpose: 'the directory to start in', as: 'cwd' };
  return [open, { call: 'fchdir', args: [resultOf(open)], purpose }];
}
