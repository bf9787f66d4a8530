import type { SyscallAbi } from '@ctr/syscall';

import { verdictOf, type SeccompVerdict } from './action.js';
import { auditArchOf, X32_SYSCALL_BIT } from './architecture.js';
import { dataOffsets, INSTRUCTION_BYTES, opcodes } from './assembler.js';
import type { SeccompFilter } from './compile-filter.js';

/** A call as a filter sees it: struct seccomp_data. */
export interface SeccompCall {
  /** The kind of the program that makes it, or the AUDIT_ARCH_… that the kernel would tell. */
  readonly arch: SyscallAbi | number;
  /** The number of the call. That of an x32 program has its bit set in any case. */
  readonly nr: number;
  /** The arguments, without sign; those that are not given are 0. */
  readonly args?: readonly (number | bigint)[];
  readonly instructionPointer?: number | bigint;
}

/**
 * Asks a filter about a call, without the kernel: the filter is run as the kernel would run it.
 * Throws a `RangeError` for a program that the kernel would not have taken.
 *
 * @example
 * ```ts
 * import { compileFilter, defaultProfile, simulate } from '@ctr/security';
 * import { syscallNumber } from '@ctr/syscall';
 * const filter = compileFilter(defaultProfile, { arch: 'x64' });
 * simulate(filter, { arch: 'x64', nr: syscallNumber('socket', 'x64'), args: [38, 5, 0] }); // { action: 'SCMP_ACT_ERRNO', data: 1 }
 * ```
 */
export function simulate(filter: Pick<SeccompFilter, 'instructions'>, { arch, nr, args = [], instructionPointer = 0 }: SeccompCall): SeccompVerdict {
  const words = new Uint32Array(dataOffsets.byteLength / 4);
  const auditArch = typeof arch === 'number' ? arch : auditArchOf[arch];
  words[dataOffsets.nr / 4] = arch === 'x32' ? nr | X32_SYSCALL_BIT : nr;
  words[dataOffsets.arch / 4] = auditArch;
  for (const [i, value] of [instructionPointer, ...args].entries()) {
    const whole = BigInt(value);
    words[dataOffsets.instructionPointer / 4 + i * 2] = Number(whole & 0xffffffffn);
    words[dataOffsets.instructionPointer / 4 + i * 2 + 1] = Number((whole >> 32n) & 0xffffffffn);
  }
  return verdictOf(run(decode(filter.instructions), words));
}

/** The instructions as they can be read quickly: opcode with jump distances, and operand, by turns. */
export type Program = Uint32Array;

export function decode(instructions: Uint8Array): Program {
  const view = new DataView(instructions.buffer, instructions.byteOffset, instructions.byteLength);
  const program = new Uint32Array((instructions.byteLength / INSTRUCTION_BYTES) * 2);
  for (let i = 0; i < program.length; i++) program[i] = view.getUint32(i * 4, true);
  return program;
}

/** Runs a program on struct seccomp_data, as 32-bit words; what it returns. */
export function run(program: Program, data: Uint32Array): number {
  const [value] = outcomes(program, (word) => data[word]);
  return value as number;
}

/**
 * All that a program can return for a call of which some words may not be known.
 * Each comparison of such a word can end in either way, also where another one has settled it: what comes out may be too much, but never too little.
 */
export function outcomes(program: Program, wordAt: (word: number) => number | undefined): Set<number> {
  const found = new Set<number>();
  const open: State[] = [{ at: 0, accumulator: 0 }];
  const seen = new Set<number>();
  for (let state = open.pop(); state; state = open.pop()) {
    for (let next: State | undefined = state; next;) {
      const { at, accumulator }: State = next;
      const code = program[at * 2];
      const k = program[at * 2 + 1];
      if (code === undefined || k === undefined) throw new RangeError(`the filter runs past its end, to instruction ${at}`);
      const op = code & 0xffff;
      next = undefined;
      if (op === opcodes.ret) found.add(k);
      else if (op === opcodes.ld) next = { at: at + 1, accumulator: wordAt(k / 4) };
      else if (op === opcodes.and) next = { at: at + 1, accumulator: accumulator === undefined ? undefined : (accumulator & k) >>> 0 };
      else if (op === opcodes.ja) next = { at: at + 1 + k, accumulator };
      else {
        const [yes, no] = [at + 1 + ((code >>> 16) & 0xff), at + 1 + (code >>> 24)];
        if (accumulator !== undefined) next = { at: holds(op, accumulator, k, at) ? yes : no, accumulator };
        else {
          // Paths that meet are followed once.
          for (const way of [yes, no]) {
            if (!seen.has(way)) open.push({ at: way, accumulator });
            seen.add(way);
          }
        }
      }
    }
  }
  return found;
}

interface State {
  readonly at: number;
  /** `undefined` if it is not known. */
  readonly accumulator: number | undefined;
}

function holds(op: number, a: number, k: number, at: number): boolean {
  switch (op) {
    case opcodes.jeq:
      return a === k;
    case opcodes.jgt:
      return a > k;
    case opcodes.jge:
      return a >= k;
    case opcodes.jset:
      return (a & k) !== 0;
    default:
      throw new RangeError(`instruction ${at} has the opcode 0x${op.toString(16)}, which filters are not made of`);
  }
}
