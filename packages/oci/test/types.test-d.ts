import type { Config, LinuxSeccomp } from '@ctr/oci';
import type { SeccompProfile } from '@ctr/security';

/** Only for the compiler: the one can be given where the other is asked for. */
const profileOf = (seccomp: LinuxSeccomp): SeccompProfile => seccomp;

const smallest: Config = { ociVersion: '1.2.0', root: { path: 'rootfs' } };
// @ts-expect-error a mount has a destination
const noDestination: Config = { ...smallest, mounts: [{ type: 'proc' }] };
// @ts-expect-error there is no such kind of namespaces
const noNamespace: Config = { ...smallest, linux: { namespaces: [{ type: 'net' }] } };
// @ts-expect-error what is not there is left out
const notThere: Config = { ...smallest, hostname: undefined };
const large: Config = { ...smallest, linux: { resources: { memory: { limit: 2n ** 62n }, pids: { limit: 100 } } } };

export const checked = [profileOf, noDestination, noNamespace, notThere, large];
