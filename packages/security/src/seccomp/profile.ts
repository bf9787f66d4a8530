import type { Capability } from '../capability.js';
import type { SeccompAction } from './action.js';
import type { SeccompArchitecture } from './architecture.js';

/** How an argument is compared, by the names of the OCI runtime-spec. All values are without sign. */
export type SeccompOperator = (typeof operators)[number];

export const operators = ['SCMP_CMP_NE', 'SCMP_CMP_LT', 'SCMP_CMP_LE', 'SCMP_CMP_EQ', 'SCMP_CMP_GE', 'SCMP_CMP_GT', 'SCMP_CMP_MASKED_EQ'] as const;

/** Flags that a profile can set for its filter, by the names of the OCI runtime-spec. @see seccomp(2) */
export type SeccompProfileFlag = (typeof profileFlags)[number];

export const profileFlags = [
  'SECCOMP_FILTER_FLAG_TSYNC',
  'SECCOMP_FILTER_FLAG_LOG',
  'SECCOMP_FILTER_FLAG_SPEC_ALLOW',
  'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV',
] as const;

/** A condition on an argument. */
export interface SeccompArg {
  /** Which argument, from 0 to 5. */
  readonly index: number;
  /** What it is compared with, up to 2^64 - 1: a `bigint` from 2^53 on. With `SCMP_CMP_MASKED_EQ` the bits that are looked at. */
  readonly value: number | bigint;
  /** With `SCMP_CMP_MASKED_EQ` what these bits have to be; of no meaning otherwise. @default 0 */
  readonly valueTwo?: number | bigint | null;
  readonly op: SeccompOperator;
}

/** When a rule counts, in Docker's form of a profile: all that is given has to hold. */
export interface SeccompCondition {
  /** `includes`: all of these are among the capabilities; `excludes`: one of them is. */
  readonly caps?: readonly Capability[] | null;
  /** The machine's own kind of programs is one of these, in Docker's words: `amd64`, `arm64`, … */
  readonly arches?: readonly string[] | null;
  /** The kernel is at least this one: `4.8`. */
  readonly minKernel?: string | null;
}

/** What is done with some calls. */
export interface SeccompRule {
  /** The calls, by the kernel's names. One that a kind of programs does not have is passed over there. */
  readonly names?: readonly string[] | null;
  /** One call: the old form. */
  readonly name?: string | null;
  readonly action: SeccompAction;
  /** The errno of `SCMP_ACT_ERRNO` (up to 4095), the message of `SCMP_ACT_TRACE` (up to 65535). @default 1, which is EPERM */
  readonly errnoRet?: number | null;
  /** The rule counts if all of these hold; if two are of the same argument, if one of all holds, as it is with runc and crun. */
  readonly args?: readonly SeccompArg[] | null;
  readonly comment?: string | null;
  readonly includes?: SeccompCondition | null;
  readonly excludes?: SeccompCondition | null;
  /**
   * The rule is looked at before those of the same calls that are not `first`, also before one without conditions; several are in the order of the profile.
   * This is ctr's own, for what the runtime-spec cannot say: all but some values of an argument. Other runtimes pass it over.
   * @default false
   */
  readonly first?: boolean;
}

/**
 * Which calls may be made: the `linux.seccomp` object of the OCI runtime-spec, or the form of Docker's profiles, which has conditions. Both are JSON.
 * Keys that are not known have no effect.
 *
 * @see https://github.com/opencontainers/runtime-spec/blob/main/config-linux.md#seccomp
 * @example Programs that cannot make directories
 * ```ts
 * import { seccomp, type SeccompProfile } from '@ctr/security';
 * const profile: SeccompProfile = {
 *   defaultAction: 'SCMP_ACT_ALLOW',
 *   architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32', 'SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
 *   syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }],
 * };
 * const steps = seccomp(profile);
 * ```
 */
export interface SeccompProfile {
  /** What is done with a call that no rule is about. */
  readonly defaultAction: SeccompAction;
  /** @default 1, which is EPERM */
  readonly defaultErrnoRet?: number | null;
  /** The kinds of programs that the rules are for, besides the machine's own. Any other program is killed at its first call. */
  readonly architectures?: readonly SeccompArchitecture[] | null;
  /** The same in Docker's form, for each machine. */
  readonly archMap?: readonly { readonly architecture: SeccompArchitecture; readonly subArchitectures?: readonly SeccompArchitecture[] | null }[] | null;
  readonly flags?: readonly SeccompProfileFlag[] | null;
  /** Not looked at here: where the listener goes is the runtime's matter. */
  readonly listenerPath?: string | null;
  readonly listenerMetadata?: string | null;
  readonly syscalls?: readonly SeccompRule[] | null;
}
