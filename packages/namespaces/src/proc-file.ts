import { AT_FDCWD, openFlags, resultOf, type Step } from '@ctr/syscall';

/** Steps that write a text to a file of the process's own in /proc, in one write, as such files want it. */
export function writeProcFile(path: string, text: string, purpose: string, hints?: Step['hints']): Step[] {
  const open: Step = {
    call: 'openat',
    args: [AT_FDCWD, path, openFlags.O_WRONLY | openFlags.O_CLOEXEC],
    purpose: `to ${purpose}`,
    as: path.slice(path.lastIndexOf('/') + 1),
    ...(hints && { hints }),
  };
  return [
    open,
    { call: 'write', args: [resultOf(open), text, Buffer.byteLength(text)], purpose, ...(hints && { hints }) },
    { call: 'close', args: [resultOf(open)], purpose: 'it is written' },
  ];
}
