import { bpfCommands, bpfProgLoadAttr, bpfProgramTypes, call, explainCall, perform, type Step } from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

/** BPF_ALU64 | BPF_MOV | BPF_K: r0 = 1; BPF_JMP | BPF_EXIT: return it */
const returnOne = [0xb7, 0, 0, 0, 1, 0, 0, 0];
const exit = [0x95, 0, 0, 0, 0, 0, 0, 0];

function load(...instructions: readonly number[][]): Step {
  const attr = bpfProgLoadAttr({
    prog_type: bpfProgramTypes.BPF_PROG_TYPE_CGROUP_DEVICE,
    insn_cnt: instructions.length,
    insns: Uint8Array.from(instructions.flat()),
    license: 'MIT',
  });
  return { call: 'bpf', args: [bpfCommands.BPF_PROG_LOAD, attr, attr.byteLength], purpose: 'a program' };
}

describe('a BPF program', () => {
  it('is loaded', () => {
    const program = load(returnOne, exit);
    expect(explainCall(program)).toBe(
      String.raw`bpf(BPF_PROG_LOAD, {prog_type=BPF_PROG_TYPE_CGROUP_DEVICE, insn_cnt=2, insns="\267\0\0\0\1\0\0\0\225\0\0\0\0\0\0\0", license="MIT"}, 72)`,
    );
    const fd = call(program);
    expect(fd).toBeGreaterThan(2);
    call({ call: 'close', args: [fd], purpose: 'it was' });
  });

  it('that is refused brings what the verifier of the kernel says about it', () => {
    expect(() => perform([load(exit)])).toThrow(/= EACCES .*\nhint: the verifier of the kernel says: .*R0 !read_ok/);
    expect(() => perform([load(returnOne)])).toThrow(/= EINVAL .*\nhint: the verifier of the kernel says: .*last insn is not an exit or jmp/);
  });

  it('that is refused for another cause does not', () => {
    const attr = bpfProgLoadAttr({ prog_type: 0xffff, insn_cnt: 2, insns: Uint8Array.from([...returnOne, ...exit]), license: 'MIT' });
    expect(() => perform([{ call: 'bpf', args: [bpfCommands.BPF_PROG_LOAD, attr, attr.byteLength], purpose: 'no program' }])).toThrow(
      /= EINVAL \(invalid argument\): no program$/,
    );
  });
});
