import { AT_FDCWD, errnos, fail, fsMagic, label, Memory, openFlags, openHow, resolveFlags, resultOf, type Fd, type ResultOf, type Step } from '@ctr/syscall';

/**
 * A proc that is certain to be one, as an open file: `procMount` of @ctr/fs makes it, attached to nothing. The path /proc is not certain where a container
 * or an image had a say: something else may be mounted there. It shows the pid namespace that the process is in.
 */
export type Proc = Fd | ResultOf;

const { RESOLVE_BENEATH, RESOLVE_NO_XDEV, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS } = resolveFlags;
const STATFS_BYTES = 120;

/** Steps that write a text to a file of the process's own in a proc. The link `thread-self` is followed, within that proc, and no other. */
export function writeOwnFile(proc: Proc, file: string, text: string, purpose: string, hints: NonNullable<Step['hints']>): Step[] {
  const inProc = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS;
  const how = openHow({ flags: openFlags.O_PATH | openFlags.O_DIRECTORY | openFlags.O_CLOEXEC, resolve: inProc });
  const self: Step = {
    call: 'openat2',
    args: [proc, 'thread-self', how, how.byteLength],
    purpose: 'what proc has of this process',
    as: 'thread-self',
    hints: { ENOENT: 'it is not a proc, or not one of the pid namespace that the process is in' },
  };
  const writing = openHow({ flags: openFlags.O_WRONLY | openFlags.O_CLOEXEC, resolve: inProc | RESOLVE_NO_SYMLINKS });
  const open: Step = {
    call: 'openat2',
    args: [resultOf(self), file, writing, writing.byteLength],
    purpose: `to ${purpose}`,
    as: file.slice(file.lastIndexOf('/') + 1),
    hints: { EACCES: 'a process that has become another user does not own its files in proc: take this step before', ...hints },
  };
  return [
    self,
    open,
    { call: 'write', args: [resultOf(open), text, Buffer.byteLength(text)], purpose, hints },
    { call: 'close', args: [resultOf(open)], purpose: 'it is written' },
    { call: 'close', args: [resultOf(self)], purpose: 'it is not needed any more' },
  ];
}

/** Steps that open /proc, for a process that is still where its caller is, and see that it is one. */
export function openHostProc(): { readonly steps: Step[]; readonly proc: ResultOf } {
  const open: Step = {
    call: 'openat',
    args: [AT_FDCWD, '/proc', openFlags.O_PATH | openFlags.O_DIRECTORY | openFlags.O_CLOEXEC],
    purpose: 'the proc that is mounted',
    as: 'proc',
  };
  const statfs = new Memory(STATFS_BYTES, 'statfs');
  const isProc = label('it is a proc');
  return {
    steps: [
      open,
      { call: 'fstatfs', args: [resultOf(open), statfs], purpose: 'is it one?' },
      { call: 'add', args: [statfs.u64(), 0], purpose: 'its type', jump: { when: '==', than: fsMagic.PROC_SUPER_MAGIC, to: isProc } },
      fail(errnos.ENODEV, 'there is no proc at /proc', { ENODEV: 'mount one there, or hand over an open one' }),
      isProc,
    ],
    proc: resultOf(open),
  };
}
