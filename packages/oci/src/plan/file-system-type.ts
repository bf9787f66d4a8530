import type { Handle } from '@ctr/fs';
import { Memory, type Load, type Step } from '@ctr/syscall';

/** struct statfs of asm-generic/statfs.h, of which the type stands first. */
const STATFS_BYTES = 120;

/** Steps that find out on which type of file system an open file is, and where the type stands then. @see fstatfs(2) */
export function fileSystemType(file: Handle): { readonly steps: readonly Step[]; readonly type: Load } {
  const statfs = new Memory(STATFS_BYTES, 'statfs');
  return { steps: [{ call: 'fstatfs', args: [file, statfs], purpose: 'on which type of file system is it?' }], type: statfs.u64() };
}
