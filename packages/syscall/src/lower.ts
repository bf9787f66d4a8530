import { errnos, type ErrnoName } from './abi/errno.js';
import { hostArch, syscallNumber, type Arch } from './abi/numbers.js';
import { signatures } from './abi/signatures.js';
import { Fd } from './fd.js';
import { failure as failureNote, type Memory, type Pointer, type Struct } from './memory.js';
import type { Arg, Plan, Step } from './step.js';

/** How an operand gets its value: as it is, from memory, or as the address of a place in the program's data. */
export const operand = { value: 0, load64: 1, load32: 2, load8: 3, address: 4 } as const;
/** When an operation jumps, as the walkers know it. */
export const conditions = { never: 0, '==': 1, '!=': 2, '<': 3 } as const;
/** The pseudo call: the sum of the first two operands. */
export const ADD = 0xffff;
/** Six arguments and the value a jump compares with. */
export const OPERANDS = 7;
/** A step tolerates at most so many errors by name. */
export const TOLERATED = 7;
/** In the place of an errno: every error is tolerated. */
export const TOLERATES_ANY = 0xff;

/**
 * A plan brought down to numbers, before addresses are known: what both walkers (machine code and `perform`) run.
 * Offsets count from the start of the data; zeroed memory follows the data that has content.
 */
export interface Program {
  readonly count: number;
  readonly numbers: Uint16Array;
  /** `OPERANDS` for each operation: kind, and a value of 32 bits or an offset. */
  readonly kinds: Uint8Array;
  readonly values: Float64Array;
  /** Offset at which the result is stored, or -1. */
  readonly stores: Int32Array;
  readonly conditions: Uint8Array;
  readonly targets: Uint16Array;
  readonly failures: Uint16Array;
  /** `TOLERATED` for each operation. */
  readonly tolerated: Uint8Array;
  /** The content of the data. */
  readonly data: Buffer;
  /** Size of the data with the zeroed memory behind it. */
  readonly size: number;
  /** Addresses that stand in the data: at which offset, of which offset. */
  readonly pointers: readonly (readonly [at: number, to: number])[];
}

/** How a plan is lowered. */
export interface Lowering {
  readonly arch?: Arch;
  /** The number under which a host's fd is known where the plan runs. */
  readonly fdNumber?: (fd: Fd) => number;
  /** The index of the operation to go on with after a failure. @default the one behind the last */
  readonly failure?: number;
  /** Where the walker notes a failure, if it does. */
  readonly failureNoteAt?: number;
}

const MAX_OPERATIONS = 0xfff0;
/** Offsets from here on are of zeroed memory, until the size of the data before it is known. */
const ZEROED = 2 ** 30;

/** Brings a plan down to numbers. Throws a `TypeError` or `RangeError` for a plan that cannot be. */
export function lower(plan: Plan, { arch = hostArch(), fdNumber = refuseFd, failure = plan.length, failureNoteAt }: Lowering = {}): Program {
  return new Lowerer(plan, arch, fdNumber, failureNoteAt).program(failure);
}

function refuseFd(fd: Fd): never {
  throw new TypeError(`${String(fd)} is open in this process only: a plan that stands alone cannot use it`);
}

class Lowerer {
  readonly #plan: Plan;
  readonly #arch: Arch;
  readonly #fdNumber: (fd: Fd) => number;
  readonly #index = new Map<Step, number>();
  readonly #results = new Map<Step, number>();
  readonly #placed = new Map<Memory | Struct, number>();
  readonly #strings = new Map<string, number>();
  readonly #pointers: [at: number, to: number][] = [];
  readonly #kinds: Uint8Array;
  readonly #values: Float64Array;
  #data = Buffer.alloc(4096);
  #end = 0;
  #zeroed = 0;

  constructor(plan: Plan, arch: Arch, fdNumber: (fd: Fd) => number, failureNoteAt: number | undefined) {
    this.#plan = plan;
    this.#arch = arch;
    this.#fdNumber = fdNumber;
    if (plan.length > MAX_OPERATIONS) throw new RangeError(`a plan has at most ${MAX_OPERATIONS} steps, not ${plan.length}`);
    for (let i = 0; i < plan.length; i++) {
      const step = plan[i] as Step;
      if (this.#index.has(step)) throw new TypeError(`${describe(step, i)} stands in the plan twice: make it anew for each place`);
      this.#index.set(step, i);
    }
    if (failureNoteAt !== undefined) this.#placed.set(failureNote, failureNoteAt);
    this.#kinds = new Uint8Array(plan.length * OPERANDS);
    this.#values = new Float64Array(plan.length * OPERANDS);
  }

  program(failure: number): Program {
    const plan = this.#plan;
    const count = plan.length;
    const numbers = new Uint16Array(count);
    const stores = new Int32Array(count).fill(-1);
    const jumpConditions = new Uint8Array(count);
    const targets = new Uint16Array(count);
    const failures = new Uint16Array(count);
    const tolerated = new Uint8Array(count * TOLERATED);
    for (let i = 0; i < count; i++) {
      const step = plan[i] as Step;
      numbers[i] = step.call === 'add' ? ADD : syscallNumber(step.call, this.#arch);
      if (step.args.length > 6) throw new TypeError(`${describe(step, i)} has ${step.args.length} arguments: a system call takes at most six`);
      const signature = step.call === 'add' ? undefined : signatures[step.call];
      for (let k = 0; k < step.args.length; k++) {
        // arm64's clone(2) takes tls and child_tid the other way round.
        const arg = step.args[step.call === 'clone' && this.#arch === 'arm64' && k > 2 ? 7 - k : k] ?? 0;
        this.#operand(signature?.[k] === 'openFlags' ? openFlagsFor(this.#arch, arg) : arg, i, i * OPERANDS + k);
      }
      if (step.jump) {
        jumpConditions[i] = conditions[step.jump.when];
        targets[i] = this.#indexOf(step.jump.to, i);
        if (step.jump.than !== undefined) this.#operand(step.jump.than, i, i * OPERANDS + 6);
      }
      failures[i] = step.onFailure ? this.#indexOf(step.onFailure, i) : failure;
      if (step.into) stores[i] = this.#place(step.into.of) + step.into.offset;
      if (step.tolerates) tolerated.set(errnoBytes(step, i), i * TOLERATED);
    }
    for (const [step, offset] of this.#results) stores[this.#index.get(step) as number] = offset;
    const dataSize = align(this.#end);
    const settle = (offset: number): number => (offset >= ZEROED ? dataSize + offset - ZEROED : offset);
    for (let i = 0; i < count; i++) stores[i] = settle(stores[i] as number);
    for (let i = 0; i < this.#values.length; i++) if (this.#kinds[i] !== operand.value) this.#values[i] = settle(this.#values[i] as number);
    return {
      count,
      numbers,
      kinds: this.#kinds,
      values: this.#values,
      stores,
      conditions: jumpConditions,
      targets,
      failures,
      tolerated,
      data: this.#data.subarray(0, dataSize),
      size: dataSize + align(this.#zeroed),
      pointers: this.#pointers.map(([at, to]) => [at, settle(to)]),
    };
  }

  #indexOf(step: Step, from: number): number {
    const index = this.#index.get(step);
    if (index === undefined)
      throw new TypeError(`${describe(this.#plan[from] as Step, from)} refers to a step that is not in the plan: ${step.call}: ${step.purpose}`);
    return index;
  }

  #operand(arg: Arg, step: number, slot: number): void {
    if (typeof arg === 'number') {
      if (!Number.isSafeInteger(arg)) throw new RangeError(`${describe(this.#plan[step] as Step, step)}: ${arg} is not an integer that a system call can take`);
      if (arg === (arg | 0)) this.#set(slot, operand.value, arg);
      else this.#set(slot, operand.load64, this.#word(BigInt(arg)));
    } else if (typeof arg === 'bigint') this.#set(slot, operand.load64, this.#word(arg));
    else if (arg === null) this.#set(slot, operand.value, 0);
    else if (arg instanceof Fd) this.#set(slot, operand.value, this.#fdNumber(arg));
    else if (typeof arg === 'object' && 'kind' in arg && arg.kind === 'load') {
      this.#set(slot, arg.size === 8 ? operand.load64 : arg.size === 4 ? operand.load32 : operand.load8, this.#place(arg.of) + arg.offset);
    } else if (typeof arg === 'object' && 'kind' in arg && arg.kind === 'result') this.#set(slot, operand.load64, this.#resultOf(arg.step, step));
    else this.#set(slot, operand.address, this.#address(arg));
  }

  #set(slot: number, kind: number, value: number): void {
    this.#kinds[slot] = kind;
    this.#values[slot] = value;
  }

  #resultOf(step: Step, by: number): number {
    this.#indexOf(step, by);
    if (step.into) return this.#place(step.into.of) + step.into.offset;
    let offset = this.#results.get(step);
    if (offset === undefined) {
      offset = this.#zeros(8);
      this.#results.set(step, offset);
    }
    return offset;
  }

  #address(arg: string | Uint8Array | Memory | Struct | Pointer | readonly (string | Memory | Struct)[]): number {
    if (typeof arg === 'string') return this.#string(arg);
    if (arg instanceof Uint8Array) {
      const offset = this.#room(arg.byteLength);
      this.#data.set(arg, offset);
      return offset;
    }
    if ('kind' in arg) return arg.kind === 'pointer' ? this.#place(arg.of) + arg.offset : this.#place(arg);
    const vector = this.#room((arg.length + 1) * 8);
    for (let i = 0; i < arg.length; i++) this.#pointers.push([vector + i * 8, this.#address(arg[i] as string | Memory | Struct)]);
    return vector;
  }

  #string(text: string): number {
    let offset = this.#strings.get(text);
    if (offset === undefined) {
      if (text.includes('\0')) throw new TypeError(`${JSON.stringify(text)} has a NUL byte in it: the kernel would see only what stands before it`);
      const byteLength = Buffer.byteLength(text);
      offset = this.#room(byteLength + 1, 1);
      this.#data.write(text, offset, byteLength, 'utf8');
      this.#strings.set(text, offset);
    }
    return offset;
  }

  #word(value: bigint): number {
    const offset = this.#room(8);
    this.#data.writeBigInt64LE(BigInt.asIntN(64, value), offset);
    return offset;
  }

  #place(memory: Memory | Struct): number {
    const known = this.#placed.get(memory);
    if (known !== undefined) return known;
    if (memory === failureNote) throw new TypeError('only a compiled plan notes its failures: this one is performed');
    const zero = memory.kind === 'memory' && memory.initial === undefined;
    const offset = zero ? this.#zeros(memory.byteLength) : this.#room(memory.byteLength);
    this.#placed.set(memory, offset);
    if (memory.kind === 'memory') {
      if (memory.initial) this.#data.set(memory.initial, offset);
      return offset;
    }
    for (const field of memory.type.fields) {
      const value = memory.values[field.name];
      if (value === undefined || value === null) continue;
      const number = value instanceof Fd ? this.#fdNumber(value) : value;
      const at = offset + field.offset;
      if (typeof number === 'number' || typeof number === 'bigint') {
        const translated = field.show === 'openFlags' ? openFlagsFor(this.#arch, Number(number)) : number;
        this.#writeField(at, field.size, BigInt(translated as number | bigint));
      } else if (number instanceof Uint8Array && field.type !== 'pointer') {
        if (number.byteLength > field.size)
          throw new RangeError(`struct ${memory.type.structName}: ${number.byteLength} bytes do not fit ${field.name}, which has ${field.size}`);
        this.#data.set(number, at);
      } else this.#pointers.push([at, this.#address(number)]);
    }
    return offset;
  }

  #writeField(at: number, size: number, value: bigint): void {
    const bits = BigInt(size * 8);
    if (BigInt.asUintN(size * 8, value) !== value && BigInt.asIntN(size * 8, value) !== value) throw new RangeError(`${value} does not fit ${bits} bits`);
    let rest = BigInt.asUintN(size * 8, value);
    for (let i = 0; i < size; i++, rest >>= 8n) this.#data[at + i] = Number(rest & 0xffn);
  }

  /** Room for bytes with content; its offset. */
  #room(byteLength: number, alignment = 8): number {
    const offset = Math.ceil(this.#end / alignment) * alignment;
    this.#end = offset + byteLength;
    if (this.#end > this.#data.length) {
      const grown = Buffer.alloc(Math.max(this.#end, this.#data.length * 2));
      this.#data.copy(grown);
      this.#data = grown;
    }
    return offset;
  }

  /** Room for zeroed bytes, 16-aligned as a stack must be on arm64; its offset. */
  #zeros(byteLength: number): number {
    const offset = ZEROED + this.#zeroed;
    this.#zeroed += align(byteLength);
    return offset;
  }
}

function align(size: number): number {
  return Math.ceil(size / 16) * 16;
}

function describe(step: Step, index: number): string {
  return `step ${index + 1} (${step.call}: ${step.purpose})`;
}

function errnoBytes(step: Step, index: number): number[] {
  if (step.tolerates === 'any') return [TOLERATES_ANY];
  const names: readonly ErrnoName[] = step.tolerates ?? [];
  if (names.length > TOLERATED) throw new RangeError(`${describe(step, index)} tolerates ${names.length} errors by name: at most ${TOLERATED}, or 'any'`);
  return names.map((name) => errnos[name]);
}

/** O_DIRECTORY and O_NOFOLLOW (and O_DIRECT, O_LARGEFILE) trade places between x64 and arm64: uapi/asm/fcntl.h. */
function openFlagsFor(arch: Arch, flags: Arg): Arg {
  if (arch === hostArch() || typeof flags !== 'number') return flags;
  const x64 = [0o40000, 0o100000, 0o200000, 0o400000];
  const arm64 = [0o200000, 0o400000, 0o40000, 0o100000];
  const [from, to] = arch === 'arm64' ? [x64, arm64] : [arm64, x64];
  let result = flags & ~0o740000;
  for (let i = 0; i < from.length; i++) if (flags & (from[i] as number)) result |= to[i] as number;
  return result;
}
