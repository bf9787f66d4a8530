import { auditArches, type Arch, type SyscallAbi } from '@ctr/syscall';

/** A kind of programs, by the names of the OCI runtime-spec. */
export type SeccompArchitecture = keyof typeof architectures;

/**
 * What ctr calls each kind of programs. Of those without a name there are none on the machines that ctr runs on: a profile may name them, to no effect.
 */
export const architectures = {
  SCMP_ARCH_X86: 'i386',
  SCMP_ARCH_X86_64: 'x64',
  SCMP_ARCH_X32: 'x32',
  SCMP_ARCH_ARM: 'arm',
  SCMP_ARCH_AARCH64: 'arm64',
  SCMP_ARCH_MIPS: undefined,
  SCMP_ARCH_MIPS64: undefined,
  SCMP_ARCH_MIPS64N32: undefined,
  SCMP_ARCH_MIPSEL: undefined,
  SCMP_ARCH_MIPSEL64: undefined,
  SCMP_ARCH_MIPSEL64N32: undefined,
  SCMP_ARCH_PPC: undefined,
  SCMP_ARCH_PPC64: undefined,
  SCMP_ARCH_PPC64LE: undefined,
  SCMP_ARCH_S390: undefined,
  SCMP_ARCH_S390X: undefined,
  SCMP_ARCH_PARISC: undefined,
  SCMP_ARCH_PARISC64: undefined,
  SCMP_ARCH_RISCV64: undefined,
  SCMP_ARCH_LOONGARCH64: undefined,
  SCMP_ARCH_M68K: undefined,
  SCMP_ARCH_SH: undefined,
  SCMP_ARCH_SHEB: undefined,
} as const satisfies Record<`SCMP_ARCH_${string}`, SyscallAbi | undefined>;

/** The kinds of programs that the conditions of Docker's form of a profile can name, in its words. */
export const conditionArches: readonly string[] = (
  'amd64 x86 x32 arm arm64 mips mips64 mips64n32 mipsel mipsel64 mipsel64n32 mips3l64n32 mipsle ' +
  'ppc ppc64 ppc64le s390 s390x parisc parisc64 riscv64 loongarch64 loong64'
).split(' ');

/** What the programs of a machine itself are called, there and in the runtime-spec. */
export const natives = {
  x64: { architecture: 'SCMP_ARCH_X86_64', condition: 'amd64' },
  arm64: { architecture: 'SCMP_ARCH_AARCH64', condition: 'arm64' },
} as const satisfies Record<Arch, { architecture: SeccompArchitecture; condition: string }>;

/** What the kernel tells a filter of each kind; x32 is told from x64 by the number of the call. */
export const auditArchOf: Readonly<Record<SyscallAbi, number>> = {
  x64: auditArches.AUDIT_ARCH_X86_64,
  x32: auditArches.AUDIT_ARCH_X86_64,
  i386: auditArches.AUDIT_ARCH_I386,
  arm64: auditArches.AUDIT_ARCH_AARCH64,
  arm: auditArches.AUDIT_ARCH_ARM,
};

/** Where the numbers of x32 begin (asm/unistd.h, __X32_SYSCALL_BIT), and where the private numbers of arm do (asm/unistd.h, __ARM_NR_BASE). */
export const X32_SYSCALL_BIT = 0x40000000;
export const ARM_PRIVATE = 0xf0000;

/** Whether an argument has 64 bits. x32 passes 32, as it has pointers of that size. */
export function hasWideArguments(abi: SyscallAbi): boolean {
  return abi === 'x64' || abi === 'arm64';
}
