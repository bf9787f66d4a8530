import type { Config } from './config/config.js';

/**
 * Who is to make the control group of a container, by the form of its `linux.cgroupsPath`: `systemd` for `slice:prefix:name`, which engines write that have systemd make it, and `cgroupfs`,
 * which is the runtime itself, for any other and for none.
 *
 * @example
 * ```ts
 * import { cgroupManagerOf } from '@ctr/oci';
 * const config = { ociVersion: '1.2.0', root: { path: 'rootfs' }, linux: { cgroupsPath: 'machine.slice:libpod:4711' } };
 * console.log(cgroupManagerOf(config)); // systemd
 * ```
 */
export function cgroupManagerOf({ linux }: Config): 'cgroupfs' | 'systemd' {
  return /^[^/:]*:[^/:]*:[^/:]+$/.test(linux?.cgroupsPath ?? '') ? 'systemd' : 'cgroupfs';
}
