import { syscallNumber } from './abi/numbers.js';
import { allocate, syscall } from './ffi.js';

/** The oldest kernel that ctr runs on: it has mount_setattr(2), openat2(2), close_range(2) with CLOSE_RANGE_CLOEXEC, and overlayfs in user namespaces. */
export const KERNEL_FLOOR = '5.14';

/**
 * Throws an `Error` that names both versions if this kernel is older than {@link KERNEL_FLOOR}.
 *
 * @example
 * ```ts
 * import { requireKernel } from '@ctr/syscall';
 * requireKernel();
 * ```
 */
export function requireKernel(version: string = kernelRelease()): void {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  const [floorMajor = 0, floorMinor = 0] = KERNEL_FLOOR.split('.').map(Number);
  if (major < floorMajor || (major === floorMajor && minor < floorMinor)) throw new Error(`ctr needs Linux ${KERNEL_FLOOR} or newer; this is ${version}`);
}

/** struct new_utsname of linux/utsname.h: six texts of 65 bytes, of which the third is the release. */
const UTS_FIELD_BYTES = 65;

/** uname(2), as `release` of node:os says it; to load that takes longer. */
function kernelRelease(): string {
  const names = allocate(6 * UTS_FIELD_BYTES);
  syscall(syscallNumber('uname'), names.address);
  const text = names.bytes.toString('latin1', 2 * UTS_FIELD_BYTES, 3 * UTS_FIELD_BYTES);
  return text.slice(0, text.indexOf('\0'));
}
