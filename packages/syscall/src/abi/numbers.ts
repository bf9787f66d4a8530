import { numbers as arm64 } from './numbers-arm64.js';
import { numbers as x64 } from './numbers-x64.js';
import { quote } from '../printable.js';

/** A system call that exists on every architecture ctr runs on. */
export type SyscallName = keyof typeof x64 & keyof typeof arm64;

/** The architectures that plans can be compiled for, by Node's names for them. */
export type Arch = 'x64' | 'arm64';

const tables: Record<Arch, Readonly<Record<string, number>>> = { x64, arm64 };

/**
 * The architecture of this process. Throws a `RangeError` where ctr has no listing for it.
 *
 * @example
 * ```ts
 * import { compile, hostArch } from '@ctr/syscall';
 * const bytes = compile([{ call: 'exit_group', args: [0], purpose: 'end' }], { arch: hostArch() });
 * ```
 */
export function hostArch(): Arch {
  if (process.arch === 'x64' || process.arch === 'arm64') return process.arch;
  throw new RangeError(`ctr runs on x64 and arm64, not on ${process.arch}`);
}

/**
 * The number of a system call on an architecture. Throws a `RangeError` for a name that is not there.
 *
 * @example
 * ```ts
 * import { syscallNumber } from '@ctr/syscall';
 * syscallNumber('pivot_root', 'x64'); // 155
 * ```
 */
export function syscallNumber(name: string, arch: Arch = hostArch()): number {
  const number: unknown = tables[arch][name];
  if (typeof number !== 'number') throw new RangeError(`no system call named ${quote(name)} on ${arch}`);
  return number;
}
