import { cloneFlags, continueInChild, mountFlags, umountFlags, type Plan } from '@ctr/syscall';

const { CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUTS } = cloneFlags;
const { MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_PRIVATE, MS_REC } = mountFlags;

/**
 * The set of "Containers From Scratch" and no more: new UTS, PID and mount namespaces, a hostname, private propagation, the rootfs bound and made the root,
 * a /proc and a /tmp of its own.
 */
export function seedSetUp(rootfs: string): Plan {
  return [
    ...continueInChild({ namespaces: CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWNS }),
    { call: 'sethostname', args: ['box', 3], purpose: 'a hostname' },
    { call: 'mount', args: [null, '/', null, MS_REC | MS_PRIVATE, null], purpose: 'no mount is seen outside' },
    { call: 'mount', args: [rootfs, rootfs, null, MS_BIND | MS_REC, null], purpose: 'the rootfs as a mount' },
    { call: 'chdir', args: [rootfs], purpose: 'go there' },
    { call: 'pivot_root', args: ['.', '.'], purpose: 'the rootfs is the root' },
    { call: 'umount2', args: ['.', umountFlags.MNT_DETACH], purpose: 'the old root is gone' },
    { call: 'chdir', args: ['/'], purpose: 'start at the root' },
    { call: 'mount', args: ['proc', '/proc', 'proc', MS_NOSUID | MS_NODEV | MS_NOEXEC, null], purpose: 'a fresh proc' },
    { call: 'mount', args: ['tmpfs', '/tmp', 'tmpfs', MS_NOSUID | MS_NODEV, null], purpose: 'a /tmp of its own' },
  ];
}

/** What runs in it. */
export function seedProgram(): Plan {
  return [{ call: 'execve', args: ['/bin/true', ['true'], ['PATH=/bin']], purpose: 'the program' }];
}

/** What bwrap is to be told for the same; without `--as-pid-1` it would start one more process. */
export function bwrapArgs(rootfs: string): string[] {
  return ['--unshare-uts', '--unshare-pid', '--as-pid-1', '--hostname', 'box', '--bind', rootfs, '/', '--proc', '/proc', '--tmpfs', '/tmp', '/bin/true'];
}

/** What bwrap is to be told for all that a container of ctr's has. */
export function bwrapAllArgs(rootfs: string): string[] {
  return [
    '--unshare-net',
    '--unshare-ipc',
    '--unshare-cgroup',
    ...bwrapArgs(rootfs).slice(0, -1),
    '--dev',
    '/dev',
    '--mqueue',
    '/dev/mqueue',
    '--ro-bind',
    '/sys',
    '/sys',
    '/bin/true',
  ];
}
