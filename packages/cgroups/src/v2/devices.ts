import {
  bpfAttachFlags,
  bpfAttachTypes,
  bpfCommands,
  bpfGetIdAttr,
  bpfProgAttachAttr,
  bpfProgLoadAttr,
  bpfProgQueryAttr,
  bpfProgramTypes,
  call,
  callInto,
  Fd,
  isSyscallError,
  Memory,
  openFd,
  perUser,
  resultOf,
  type ResultOf,
  type Step,
} from '@ctr/syscall';

import { formatDeviceRule, oncePerList, type DeviceRule } from '../device-rules.js';
import { CgroupError } from '../error.js';
import type { Hints } from '../hints.js';
import { INSTRUCTION_BYTES } from './bpf-assembler.js';
import { deviceProgram } from './device-program.js';

/** Beside those of the groups above, all of which have to allow what is done. */
const attachment = { attach_type: bpfAttachTypes.BPF_CGROUP_DEVICE, attach_flags: bpfAttachFlags.BPF_F_ALLOW_MULTI } as const;
/** linux/bpf.h: the most that can be attached to one group, BPF_CGROUP_MAX_PROGS of kernel/bpf/cgroup.c */
const MAX_PROGRAMS = 64;
const attachHints: Hints = {
  EINVAL: 'this kernel was built without CONFIG_CGROUP_BPF',
  EPERM: 'a group above has a program about devices that allows none below it',
};

/** The steps that have the kernel ask a program about each device that the group opens. The group keeps the program; it goes with it. */
export function deviceProgramSteps(group: ResultOf, rules: readonly DeviceRule[]): Step[] {
  // By 4 bytes off: what stands 4 bytes before it is then the number in the upper half of 64 bits.
  const upper = new Memory(16, 'devices<<32');
  const load: Step = { ...loadStep(rules), as: 'devices', into: upper.at(4) };
  const attr = bpfProgAttachAttr(attachment);
  return [
    load,
    { call: 'add', args: [group, upper.u64(0)], purpose: 'the group, and the program to attach to it', into: attr.field('fds') },
    { call: 'bpf', args: [bpfCommands.BPF_PROG_ATTACH, attr, attr.byteLength], purpose: 'each device that is opened is asked about', hints: attachHints },
    { call: 'close', args: [resultOf(load)], purpose: 'the group has the program' },
  ];
}

/** Changes the rules of a group that is there: the new program is at work before the old one goes, and what both allow is allowed all the time. */
export function setDeviceProgram(directory: string, rules: readonly DeviceRule[]): void {
  const open = [openFd(directory, { directory: true })] as [Fd, ...Fd[]];
  const [group] = open;
  try {
    const before = attachedTo(group, open);
    const program = new Fd(call(loadStep(rules)), 'program');
    open.push(program);
    attachOrDetach('BPF_PROG_ATTACH', group, program, 'each device that is opened is asked about');
    for (const old of before) attachOrDetach('BPF_PROG_DETACH', group, old, 'and no longer by the rules before');
  } finally {
    for (const file of open) file.close();
  }
}

/**
 * Whether a program can be attached below a mount of cgroup2: throws a {@link CgroupError} if not. Found out once for each user that this process is.
 *
 * @see kernel/bpf/syscall.c: bpf_prog_query() takes CAP_NET_ADMIN, as BPF_PROG_LOAD does for this kind
 */
export function requireDevicePrograms(mount: string): void {
  const found = refusals();
  let refusal = found.get(mount);
  if (refusal === undefined) found.set(mount, (refusal = devicePrograms(mount)));
  if (refusal) throw refusal;
}

const refusals = perUser(() => new Map<string, CgroupError | null>());

function devicePrograms(mount: string): CgroupError | null {
  const group = openFd(mount, { directory: true });
  try {
    query(group);
    return null;
  } catch (error) {
    if (!isSyscallError(error) || error.call !== 'bpf') throw error;
    return error.code === 'EINVAL'
      ? new CgroupError(
          'no-such-limit',
          'this kernel was built without CONFIG_CGROUP_BPF, by which version 2 of control groups decides about devices: run without device rules',
        )
      : new CgroupError(
          'not-delegated',
          `no BPF program, by which version 2 of control groups decides about devices, can be used here (${error.code}): that takes CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN, in the first user namespace, so run as root and outside of containers, or without device rules`,
        );
  } finally {
    group.close();
  }
}

function loadStep(rules: readonly DeviceRule[]): Step {
  const { insns, purpose } = programOf(rules);
  const attr = bpfProgLoadAttr({
    prog_type: bpfProgramTypes.BPF_PROG_TYPE_CGROUP_DEVICE,
    insn_cnt: insns.byteLength / INSTRUCTION_BYTES,
    insns,
    license: 'MIT',
    prog_name: Buffer.from('ctr_devices'),
    expected_attach_type: bpfAttachTypes.BPF_CGROUP_DEVICE,
  });
  return { call: 'bpf', args: [bpfCommands.BPF_PROG_LOAD, attr, attr.byteLength], purpose };
}

const programOf = oncePerList((rules) => ({ insns: deviceProgram(rules), purpose: `device rules: ${describeRules(rules)}` }));

/** `deny a; allow c 1:3 rwm, c 1:5 rwm` */
function describeRules(rules: readonly DeviceRule[]): string {
  let text = '';
  for (const [i, rule] of rules.entries()) {
    const isSame = rules[i - 1]?.allow === rule.allow;
    text += `${isSame ? ', ' : `${i > 0 ? '; ' : ''}${rule.allow ? 'allow' : 'deny'} `}${formatDeviceRule(rule)}`;
  }
  return text === '' ? 'allow a' : text;
}

function attachOrDetach(command: 'BPF_PROG_ATTACH' | 'BPF_PROG_DETACH', group: Fd, program: Fd, purpose: string): void {
  const fds = BigInt(group.number) | (BigInt(program.number) << 32n);
  const attr = bpfProgAttachAttr({ fds, ...(command === 'BPF_PROG_ATTACH' ? attachment : { attach_type: attachment.attach_type }) });
  call({ call: 'bpf', args: [bpfCommands[command], attr, attr.byteLength], purpose, hints: attachHints });
}

/** The programs about devices of a group itself; they are opened, and added to what is open. */
function attachedTo(group: Fd, open: Fd[]): Fd[] {
  return query(group).map((id) => {
    const attr = bpfGetIdAttr({ prog_id: id });
    const step: Step = { call: 'bpf', args: [bpfCommands.BPF_PROG_GET_FD_BY_ID, attr, attr.byteLength], purpose: 'the program of before' };
    const program = new Fd(call(step), 'program');
    open.push(program);
    return program;
  });
}

/** The numbers of the programs about devices of a group itself. */
function query(group: Fd): number[] {
  const ids = new Memory(MAX_PROGRAMS * 4, 'ids');
  const attr = bpfProgQueryAttr({ target_fd: group, attach_type: attachment.attach_type, prog_ids: ids, prog_cnt: MAX_PROGRAMS });
  const { bytes } = callInto(
    { call: 'bpf', args: [bpfCommands.BPF_PROG_QUERY, attr, attr.byteLength], purpose: 'which programs about devices there are' },
    ids,
  );
  // What is not filled is 0, which is the number of no program.
  return Array.from({ length: MAX_PROGRAMS }, (_, i) => bytes.readUInt32LE(i * 4)).filter((id) => id !== 0);
}
