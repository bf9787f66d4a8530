import { bpfDeviceTypes } from '@ctr/syscall';

import { accessBits, effectiveRules, type DeviceRule } from '../device-rules.js';
import { Assembler, type Target } from './bpf-assembler.js';

/** linux/bpf.h, struct bpf_cgroup_dev_ctx: where its members are, in bytes */
const context = { accessType: 0, major: 4, minor: 8 } as const;
// r1 has the context, r0 is what is returned.
const [TYPE, MAJOR, MINOR, ACCESS] = [2, 3, 4, 5] as const;
const ALL = accessBits();

/**
 * The program that the kernel runs when a process of the group opens a device or makes a device file: 1 to allow it, 0 for EPERM.
 * It goes through the rules from the last one on; what a rule allows is no longer asked of those before it.
 *
 * @see security/device_cgroup.c, devcgroup_check_permission() of the kernel, and bpf(2)
 */
export function deviceProgram(rules: readonly DeviceRule[]): Uint8Array {
  const { allow, specific } = effectiveRules(rules);
  const program = new Assembler();
  if (specific.length > 0) {
    program.load(TYPE, 1, context.accessType);
    program.load(MAJOR, 1, context.major);
    program.load(MINOR, 1, context.minor);
    program.copy(ACCESS, TYPE);
    program.change('shiftRight', ACCESS, 16);
    program.change('and', TYPE, 0xffff);
  }
  for (const rule of specific.toReversed()) assembleRule(program, rule);
  program.return(allow ? 1 : 0);
  return program.bytes();
}

function assembleRule(program: Assembler, { allow, type, major, minor, access }: DeviceRule): void {
  const next: Target = [];
  program.jumpIfNot(TYPE, type === 'char' ? bpfDeviceTypes.BPF_DEVCG_DEV_CHAR : bpfDeviceTypes.BPF_DEVCG_DEV_BLOCK, next);
  if (major !== undefined) program.jumpIfNot(MAJOR, major, next);
  if (minor !== undefined) program.jumpIfNot(MINOR, minor, next);
  const bits = accessBits(access);
  if (bits !== ALL && allow) {
    program.change('and', ACCESS, ALL & ~bits);
    program.jumpIfNot(ACCESS, 0, next);
  } else if (bits !== ALL) program.jumpIfNone(ACCESS, bits, next);
  program.return(allow ? 1 : 0);
  program.place(next);
}
