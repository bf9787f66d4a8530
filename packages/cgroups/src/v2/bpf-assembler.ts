// linux/bpf.h and linux/bpf_common.h: the instructions that a program about devices is made of.

/** sizeof(struct bpf_insn) */
export const INSTRUCTION_BYTES = 8;

const opcodes = {
  /** BPF_LDX | BPF_MEM | BPF_W */
  load: 0x61,
  /** BPF_ALU64 | BPF_MOV | BPF_X */
  copy: 0xbf,
  /** BPF_ALU64 | BPF_MOV | BPF_K */
  set: 0xb7,
  /** BPF_ALU64 | BPF_AND | BPF_K */
  and: 0x57,
  /** BPF_ALU64 | BPF_RSH | BPF_K */
  shiftRight: 0x77,
  /** BPF_JMP | BPF_JA */
  jump: 0x05,
  /** BPF_JMP | BPF_JNE | BPF_K */
  jumpIfNot: 0x55,
  /** BPF_JMP | BPF_JSET | BPF_K */
  jumpIfAny: 0x45,
  /** BPF_JMP | BPF_EXIT */
  exit: 0x95,
} as const;

interface Instruction {
  readonly op: keyof typeof opcodes;
  readonly destination?: number;
  readonly source?: number;
  /** In bytes of memory, or in instructions behind this one. */
  offset?: number;
  readonly value?: number;
}

/** Where jumps lead to that are not yet assembled. */
export type Target = Instruction[];

/** Assembles a program from its start. Jumps go forward, to a target that is placed later. */
export class Assembler {
  readonly #instructions: Instruction[] = [];
  readonly #from = new Map<Instruction, number>();

  get length(): number {
    return this.#instructions.length;
  }

  /** `rD = *(u32 *)(rS + offset)` */
  load(destination: number, source: number, offset: number): void {
    this.#push({ op: 'load', destination, source, offset });
  }

  /** `rD = rS` */
  copy(destination: number, source: number): void {
    this.#push({ op: 'copy', destination, source });
  }

  /** `rD &= value`, `rD >>= value` */
  change(op: 'and' | 'shiftRight', destination: number, value: number): void {
    this.#push({ op, destination, value });
  }

  /** `if rD != value goto target` */
  jumpIfNot(destination: number, value: number, target: Target): void {
    target.push(this.#push({ op: 'jumpIfNot', destination, value }));
  }

  /** `if (rD & value) == 0 goto target` */
  jumpIfNone(destination: number, value: number, target: Target): void {
    this.#push({ op: 'jumpIfAny', destination, value, offset: 1 });
    target.push(this.#push({ op: 'jump' }));
  }

  /** `return value` */
  return(value: number): void {
    this.#push({ op: 'set', destination: 0, value });
    this.#push({ op: 'exit' });
  }

  /** Jumps to this target lead to the next instruction. */
  place(target: Target): void {
    for (const jump of target) jump.offset = this.length - (this.#from.get(jump) ?? 0) - 1;
  }

  /** The program as an array of struct bpf_insn, in the byte order of x64 and arm64, which is little-endian. */
  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.length * INSTRUCTION_BYTES);
    const view = new DataView(bytes.buffer);
    for (const [i, { op, destination = 0, source = 0, offset = 0, value = 0 }] of this.#instructions.entries()) {
      const at = i * INSTRUCTION_BYTES;
      view.setUint8(at, opcodes[op]);
      view.setUint8(at + 1, destination | (source << 4));
      view.setInt16(at + 2, offset, true);
      view.setInt32(at + 4, value, true);
    }
    return bytes;
  }

  #push(instruction: Instruction): Instruction {
    this.#from.set(instruction, this.length);
    this.#instructions.push(instruction);
    return instruction;
  }
}
