import { errnos } from '@ctr/syscall';

import { always, byCapability, onMachines } from './default-calls.js';
import type { SeccompArg, SeccompProfile, SeccompRule } from './profile.js';

/**
 * What containers are given unless they ask for something else: the calls that Docker's default profile allows, by the same capabilities. Other calls fail with EPERM,
 * and newer ones with ENOSYS. Beyond Docker's, it keeps a program from
 * - putting input into the terminal of its caller (TIOCSTI and TIOCLINUX of ioctl(2)),
 * - taking leases and delegations of files, and asking to be told of changes in directories (F_SETLEASE, F_SETDELEG and F_NOTIFY of fcntl(2)), which Docker's allows: the owner of a file
 *   that is shown read-only could make each open(2) of it by the host wait up to 45 seconds (`/proc/sys/fs/lease-break-time`), again and again,
 * - stopping processes that end (PTRACE_O_TRACEEXIT of ptrace(2)), which Docker's allows: a process in such a stop takes no SIGKILL, so that a container whose first process is traced by
 *   another one of it does not end, and two that trace each other stay until the machine is started anew,
 * - giving children to its parent (CLONE_PARENT of clone(2)), which Docker's allows: they are children of the host, which has not made them, and whose zombies keep a pid namespace from ending,
 * - getting round what it says of socket families, AF_ALG and AF_VSOCK, by the upper half of the argument, or by socketcall(2).
 *
 * The last means that 32-bit x86 programs make sockets by socket(2) only. Those of glibc use socketcall(2): an image of them needs it allowed, and then can use
 * every family of sockets. A rule before the others does that, as in the example.
 *
 * @example For 32-bit programs of Debian
 * ```ts
 * import { defaultProfile, seccomp } from '@ctr/security';
 * const steps = seccomp({
 *   ...defaultProfile,
 *   syscalls: [{ names: ['socketcall'], action: 'SCMP_ACT_ALLOW', first: true }, ...(defaultProfile.syscalls ?? [])],
 * });
 * ```
 */
export const defaultProfile: SeccompProfile = frozen({
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: errnos.EPERM,
  archMap: [
    { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
    { architecture: 'SCMP_ARCH_AARCH64', subArchitectures: ['SCMP_ARCH_ARM'] },
  ],
  syscalls: rules(),
});

function rules(): SeccompRule[] {
  /** linux/personality.h: PER_LINUX, PER_LINUX32, each also with UNAME26, and what asks for the present one */
  const personalities = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];
  /** linux/sched.h: CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET */
  const namespaces = 0x7e020000;
  /** linux/sched.h: CLONE_PARENT makes a child of the caller's parent. That is the host, for what is not the first process of its pid namespace, and it knows nothing of the child. */
  const toParent = 0x8000;
  return [
    ...refused(),
    allow(always),
    // Before 4.8 a tracer could change a call behind the filter's back.
    { ...allow('process_vm_readv process_vm_writev ptrace'), includes: { minKernel: '4.8' } },
    ...personalities.map((value) => allow('personality', [{ index: 0, value, op: 'SCMP_CMP_EQ' }])),
    ...onMachines.map(([arches, names]): SeccompRule => ({ ...allow(names), includes: { arches } })),
    ...byCapability.map(([capability, names]): SeccompRule => ({ ...allow(names), includes: { caps: [capability] } })),
    { ...allow('clone', [{ index: 0, value: namespaces | toParent, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }]), excludes: { caps: ['CAP_SYS_ADMIN'] } },
    // Its flags are in memory, out of the filter's sight; C libraries go back to clone(2) at this errno.
    { names: ['clone3'], action: 'SCMP_ACT_ERRNO', errnoRet: errnos.ENOSYS, excludes: { caps: ['CAP_SYS_ADMIN'] } },
  ];
}

/** What is refused for some values of an argument. The kernel takes these arguments as 32 bits, so that the upper halves do not count. */
function refused(): SeccompRule[] {
  /** linux/socket.h: AF_ALG, the kernel's cryptography, and AF_VSOCK, which reaches the host of a virtual machine */
  const socketFamilies = [38, 40];
  /** asm-generic/ioctls.h: TIOCSTI types on a terminal; TIOCLINUX pastes on a console */
  const terminalInput = [0x5412, 0x541c];
  /** linux/fcntl.h: F_SETLEASE and F_SETDELEG, whose holder others wait for; F_NOTIFY, dnotify */
  const waitedFor = [1024, 1040, 1026];
  /** linux/ptrace.h and asm/ptrace-abi.h: PTRACE_OLDSETOPTIONS, PTRACE_SETOPTIONS and PTRACE_SEIZE, whose fourth argument is the options, and PTRACE_O_TRACEEXIT */
  const [optionSetters, traceExit] = [[21, 0x4200, 0x4206], 0x40];
  const is = (index: number, value: number): SeccompArg => ({ index, value: 0xffffffff, valueTwo: value, op: 'SCMP_CMP_MASKED_EQ' });
  const has = (index: number, bit: number): SeccompArg => ({ index, value: bit, valueTwo: bit, op: 'SCMP_CMP_MASKED_EQ' });
  const refuse = (names: string[], args: SeccompArg[], errnoRet: number = errnos.EPERM): SeccompRule => ({
    names,
    action: 'SCMP_ACT_ERRNO',
    errnoRet,
    args,
    first: true,
  });
  return [
    ...socketFamilies.map((family) => refuse(['socket'], [is(0, family)])),
    ...terminalInput.map((command) => refuse(['ioctl'], [is(1, command)])),
    ...waitedFor.map((command) => refuse(['fcntl', 'fcntl64'], [is(1, command)])),
    // EINVAL: what the kernel says of options that it does not know.
    ...optionSetters.map((request) => refuse(['ptrace'], [is(0, request), has(3, traceExit)], errnos.EINVAL)),
  ];
}

function allow(names: string, args?: SeccompArg[]): SeccompRule {
  return { names: names.split(/\s+/), action: 'SCMP_ACT_ALLOW', ...(args && { args }) };
}

/** With all that is in it: what a filter was compiled of is not to change behind its back. */
function frozen<T extends object>(value: T): Readonly<T> {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) frozen(inner as object);
  return Object.freeze(value);
}
