import type { Decision, Return, Test } from './decision.js';
import type { SearchTree } from './search-tree.js';

/** linux/bpf_common.h, linux/filter.h: the instructions that a filter is made of */
export const opcodes = {
  /** BPF_LD | BPF_W | BPF_ABS */
  ld: 0x20,
  /** BPF_ALU | BPF_AND | BPF_K */
  and: 0x54,
  /** BPF_JMP | BPF_JA */
  ja: 0x05,
  /** BPF_JMP | BPF_J… | BPF_K */
  jeq: 0x15,
  jgt: 0x25,
  jge: 0x35,
  jset: 0x45,
  /** BPF_RET | BPF_K */
  ret: 0x06,
} as const;

/** linux/seccomp.h, struct seccomp_data: where its members are, in bytes */
export const dataOffsets = { nr: 0, arch: 4, instructionPointer: 8, args: 16, byteLength: 64 } as const;

/** linux/bpf_common.h: how many instructions a filter may have */
export const BPF_MAXINSNS = 4096;
/** sizeof(struct sock_filter), linux/filter.h */
export const INSTRUCTION_BYTES = 8;

/** A conditional jump has 8 bits for each of its ways; one may get further away by an instruction that has to stand before the other's target. */
const NEAR = 250;

/**
 * Assembles a program from its end to its start: all jumps go forward, so that what they lead to is there already.
 * A place in the program is counted from its end, the last instruction being 0.
 */
export class Assembler {
  /** Opcode with both jump distances, and operand, by turns. */
  readonly #words: number[] = [];
  readonly #returns = new Map<number, number>();
  readonly #tests = new Map<number, number>();
  readonly #entries = new Map<number, number>();

  get length(): number {
    return this.#words.length / 2;
  }

  /** The search for the number of a call; the place where it begins. It shares nothing but what is returned with others: these may be far away. */
  block(tree: SearchTree): number {
    this.#tests.clear();
    this.#entries.clear();
    return this.#after(this.#tree(tree), () => this.load(dataOffsets.nr));
  }

  return({ value }: Pick<Return, 'value'>): number {
    const known = this.#returns.get(value);
    if (known !== undefined && this.length - known < NEAR) return known;
    const place = this.#push(opcodes.ret, value);
    this.#returns.set(value, place);
    return place;
  }

  load(offset: number): number {
    return this.#push(opcodes.ld, offset);
  }

  branch(op: 'jeq' | 'jgt' | 'jge' | 'jset', k: number, yes: number, no: number): number {
    const nearNo = this.#near(no);
    const nearYes = yes === no ? nearNo : this.#near(yes);
    const here = this.length;
    return this.#push(opcodes[op] | ((here - nearYes - 1) << 16) | ((here - nearNo - 1) << 24), k);
  }

  /** The program as an array of struct sock_filter, in the byte order of the machine, which is little-endian. */
  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.length * INSTRUCTION_BYTES);
    const view = new DataView(bytes.buffer);
    for (let i = 0, at = bytes.length; i < this.#words.length; i += 2) {
      at -= INSTRUCTION_BYTES;
      view.setUint32(at, this.#words[i] as number, true);
      view.setUint32(at + 4, this.#words[i + 1] as number, true);
    }
    return bytes;
  }

  /** The search for a number, which the accumulator has. */
  #tree(tree: SearchTree): number {
    if (tree.kind === 'leaf') return this.#decision(tree.decision);
    const yes = this.#tree(tree.yes);
    const no = this.#tree(tree.no);
    return this.branch(tree.op, tree.k, yes, no);
  }

  /** A decision, whatever the accumulator has; the place where it begins. */
  #decision(decision: Decision): number {
    if (decision.kind === 'return') return this.return(decision);
    let entry = this.#entries.get(decision.id);
    if (entry === undefined) {
      entry = this.#after(this.#test(decision), () => this.load(dataOffsets.args + decision.word * 4));
      this.#entries.set(decision.id, entry);
    }
    return entry;
  }

  /** The place of a test with its word in the accumulator. A profile can make a chain of any length of them, so this is no recursion. */
  #test(test: Test): number {
    const open = [test];
    for (let one = open.at(-1); one; one = open.at(-1)) {
      const before = open.length;
      for (const next of [one.yes, one.no]) if (next.kind === 'test' && !this.#tests.has(next.id)) open.push(next);
      if (open.length > before) continue;
      open.pop();
      if (!this.#tests.has(one.id)) this.#tests.set(one.id, this.#assembled(one));
    }
    return this.#tests.get(test.id) as number;
  }

  /** A test of which both ways to go on are assembled. */
  #assembled({ word, op, k, mask, yes, no }: Test): number {
    const after = (next: Decision): number =>
      next.kind === 'test' && next.word === word && mask === undefined ? (this.#tests.get(next.id) as number) : this.#decision(next);
    const ifNot = after(no);
    const test = this.branch(op, k, after(yes), ifNot);
    return mask === undefined ? test : this.#push(opcodes.and, mask);
  }

  /** An instruction after which it goes on at a place. */
  #after(place: number, push: () => number): number {
    if (place !== this.length - 1) this.#jump(place);
    return push();
  }

  #near(place: number): number {
    return this.length - place < NEAR ? place : this.#jump(place);
  }

  #jump(place: number): number {
    return this.#push(opcodes.ja, this.length - place - 1);
  }

  #push(code: number, k: number): number {
    this.#words.push(code >>> 0, k >>> 0);
    return this.length - 1;
  }
}
