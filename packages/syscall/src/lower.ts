import { errnos, type ErrnoName } from './abi/errno.js';
import { hostArch, syscallNumber, type Arch } from './abi/numbers.js';
import { signatures } from './abi/signatures.js';
import { ADD, conditions, operand, OPERANDS, RECORD_WORDS, recordWord, TOLERATED, TOLERATES_ANY } from './compile/records.js';
import { Fd } from './fd.js';
import { failure as failureNote, type Load, type Memory, type Pointer, type Struct } from './memory.js';
import type { Arg, Plan, ResultOf, Step } from './step.js';
import { quote } from './printable.js';
import { bytesOf } from './raw-text.js';

/**
 * A plan brought down to numbers, before addresses are known: what both walkers (machine code and `perform`) run.
 * Offsets count from the start of the data; zeroed memory follows the data that has content.
 */
export interface Program {
  readonly count: number;
  /** The records, as records.ts describes them, with offsets where addresses will be. */
  readonly words: Int32Array;
  /** Which of the words are such offsets. */
  readonly offsets: readonly number[];
  /** The content of the data. */
  readonly data: Buffer;
  /** Size of the data with the zeroed memory behind it. */
  readonly size: number;
  /** Addresses that stand in the data: at which offset, of which offset, by turns. */
  readonly pointers: readonly number[];
  /** The offset of a memory of the plan, `undefined` for one that no step has to do with. */
  placeOf(memory: Memory | Struct): number | undefined;
}

/** How a plan is lowered. */
export interface Lowering {
  readonly arch?: Arch;
  /** The number under which a host's fd is known where the plan runs. */
  readonly fdNumber?: (fd: Fd) => number;
  /** The index of the record to go on with after a failure. @default the one behind the last */
  readonly failure?: number;
  /** Where the walker notes a failure, if it does. */
  readonly failureNoteAt?: number;
}

const MAX_RECORDS = 0xfff0;
/** Less than half of what an address of 31 bits reaches. */
const MAX_BYTES = 2 ** 28;
/** Offsets from here on are of zeroed memory, until the size of the data before it is known. */
const ZEROED = 2 ** 30;

/** Brings a plan down to numbers. Throws a `TypeError` or `RangeError` for a plan that cannot be. */
export function lower(plan: Plan, { arch = hostArch(), fdNumber = refuseFd, failure = plan.length, failureNoteAt }: Lowering = {}): Program {
  return new Lowerer(plan, arch, fdNumber, failureNoteAt).program(failure);
}

export function refuseFd(fd: Fd): never {
  throw new TypeError(`${String(fd)} is open in this process only: a plan that stands alone cannot use it`);
}

type Addressed = string | Uint8Array | Memory | Struct | Pointer | readonly (string | Memory | Struct)[];

/** Every container's plan goes through here, with hundreds of steps: it is written to be quick. */
class Lowerer {
  readonly #plan: Plan;
  readonly #arch: Arch;
  readonly #foreign: boolean;
  readonly #fdNumber: (fd: Fd) => number;
  readonly #index = new Map<Step, number>();
  readonly #results = new Map<Step, number>();
  readonly #placed = new Map<Memory | Struct, number>();
  readonly #strings = new Map<string, number>();
  /** The same arguments and environment are given to each candidate of an execve: the kernel only reads them. */
  readonly #vectors = new Map<readonly (string | Memory | Struct)[], number>();
  readonly #words: Int32Array;
  readonly #offsets: number[] = [];
  readonly #pointers: number[] = [];
  #data: Buffer;
  #end = 0;
  #zeroed = 0;

  constructor(plan: Plan, arch: Arch, fdNumber: (fd: Fd) => number, failureNoteAt: number | undefined) {
    const count = plan.length;
    if (count > MAX_RECORDS) throw new RangeError(`a plan has at most ${MAX_RECORDS} steps, not ${count}`);
    this.#plan = plan;
    this.#arch = arch;
    this.#foreign = arch !== hostArch();
    this.#fdNumber = fdNumber;
    for (let i = 0; i < count; i++) this.#index.set(plan[i] as Step, i);
    if (this.#index.size < count) {
      const twice = plan.findIndex((step, i) => plan.indexOf(step) < i);
      throw new TypeError(`${describe(plan[twice] as Step, twice)} stands in the plan twice: make it anew for each place`);
    }
    if (failureNoteAt !== undefined) this.#placed.set(failureNote, failureNoteAt);
    this.#words = new Int32Array(count * RECORD_WORDS);
    this.#data = Buffer.alloc(256 + count * 32);
  }

  program(failure: number): Program {
    const count = this.#plan.length;
    for (let i = 0; i < count; i++) this.#record(i, failure);
    const words = this.#words;
    const offsets = this.#offsets;
    for (const [step, offset] of this.#results) {
      const at = (this.#index.get(step) as number) * RECORD_WORDS + recordWord.store;
      words[at] = offset;
      offsets.push(at);
    }
    const dataSize = align(this.#end);
    if (dataSize + this.#zeroed > MAX_BYTES) throw new RangeError(`the memory of a plan is at most ${MAX_BYTES} bytes, not ${dataSize + this.#zeroed}`);
    for (let i = 0; i < offsets.length; i++) {
      const at = offsets[i] as number;
      const offset = words[at] as number;
      if (offset >= ZEROED) words[at] = offset - ZEROED + dataSize;
    }
    const pointers = this.#pointers;
    for (let i = 1; i < pointers.length; i += 2) {
      const offset = pointers[i] as number;
      if (offset >= ZEROED) pointers[i] = offset - ZEROED + dataSize;
    }
    this.#room(dataSize - this.#end, 1);
    const placeOf = (memory: Memory | Struct): number | undefined => {
      const offset = this.#placed.get(memory);
      return offset === undefined || offset < ZEROED ? offset : offset - ZEROED + dataSize;
    };
    return { count, words, offsets, data: this.#data.subarray(0, dataSize), size: dataSize + this.#zeroed, pointers, placeOf };
  }

  #record(i: number, failure: number): void {
    const step = this.#plan[i] as Step;
    const { call, jump, into, tolerates, onFailure } = step;
    const words = this.#words;
    const record = i * RECORD_WORDS;
    const args = this.#foreign ? this.#translated(step) : call === 'clone' && this.#arch === 'arm64' ? tlsLast(step.args) : step.args;
    const count = args.length;
    if (count >= OPERANDS) throw new TypeError(`${describe(step, i)} has ${count} arguments: a system call takes at most six`);
    let kinds = 0;
    for (let k = 0; k < count; k++) {
      const arg = args[k] as Arg;
      const at = record + recordWord.operands + k;
      if (typeof arg === 'number' && arg === (arg | 0)) words[at] = arg;
      else kinds |= this.#operand(arg, i, at) << (k * 2);
    }
    let condition: number = conditions.never;
    let target = 0;
    if (jump) {
      condition = conditions[jump.when];
      target = this.#indexOf(jump.to, i);
      if (jump.than !== undefined) kinds |= this.#operand(jump.than, i, record + recordWord.operands + OPERANDS - 1) << ((OPERANDS - 1) * 2);
    }
    if (into) this.#offset(record + recordWord.store, this.#storeAt(into, i));
    words[record + recordWord.call] = (call === 'add' ? ADD : syscallNumber(call, this.#arch)) | (kinds << 16);
    words[record + recordWord.next] = target | ((onFailure ? this.#indexOf(onFailure, i) : failure) << 16);
    words[record + recordWord.condition] = condition << 24;
    if (tolerates) this.#tolerate(record, tolerates, i);
  }

  #tolerate(record: number, tolerates: readonly ErrnoName[] | 'any', i: number): void {
    if (tolerates !== 'any' && tolerates.length > TOLERATED)
      throw new RangeError(`${describe(this.#plan[i] as Step, i)} tolerates ${tolerates.length} errors by name: at most ${TOLERATED}, or 'any'`);
    const count = tolerates === 'any' ? 1 : tolerates.length;
    for (let k = 0; k < count; k++) {
      const errno = tolerates === 'any' ? TOLERATES_ANY : errnos[tolerates[k] as ErrnoName];
      const at = record + recordWord.tolerated + (k >> 2);
      this.#words[at] = (this.#words[at] as number) | (errno << ((k & 3) * 8));
    }
  }

  /** The arguments as another architecture takes them. */
  #translated(step: Step): readonly Arg[] {
    const signature = step.call === 'add' ? undefined : signatures[step.call];
    const args = step.args.map((arg, k) => (signature?.[k] === 'openFlags' || signature?.[k] === 'fileFlags' ? openFlagsFor(this.#arch, arg) : arg));
    return step.call === 'clone' && this.#arch === 'arm64' ? tlsLast(args) : args;
  }

  #indexOf(step: Step, from: number): number {
    const index = this.#index.get(step);
    if (index === undefined)
      throw new TypeError(`${describe(this.#plan[from] as Step, from)} refers to a step that is not in the plan: ${step.call}: ${step.purpose}`);
    return index;
  }

  /** Settles what stands in the word of an operand; its kind. */
  #operand(arg: Arg, step: number, at: number): number {
    if (typeof arg === 'number' || typeof arg === 'bigint') return this.#number(arg, step, at);
    if (arg === null) return operand.value;
    if (typeof arg === 'object') {
      // A property that is not there reads faster than `in` asks for it.
      const { kind } = arg as { readonly kind?: (ResultOf | Load | Memory)['kind'] };
      if (kind === 'result') return this.#load(operand.load64, at, this.#resultOf((arg as ResultOf).step, step));
      if (kind === 'load') {
        const { of, offset, size } = arg as Load;
        return this.#load(size === 8 ? operand.load64 : size === 4 ? operand.load32 : operand.load8, at, this.#at(of, offset, size));
      }
      if (arg instanceof Fd) {
        this.#words[at] = this.#fdNumber(arg);
        return operand.value;
      }
    }
    this.#offset(at, this.#address(arg as Addressed));
    return operand.value;
  }

  #number(arg: number | bigint, step: number, at: number): number {
    if (typeof arg === 'number') {
      if (!Number.isSafeInteger(arg)) throw new RangeError(`${describe(this.#plan[step] as Step, step)}: ${arg} is not an integer that a system call can take`);
      if (arg === (arg | 0)) {
        this.#words[at] = arg;
        return operand.value;
      }
    }
    const offset = this.#room(8);
    this.#data.writeBigInt64LE(BigInt.asIntN(64, BigInt(arg)), offset);
    return this.#load(operand.load64, at, offset);
  }

  #load(kind: number, at: number, offset: number): number {
    this.#offset(at, offset);
    return kind;
  }

  #offset(at: number, offset: number): void {
    this.#words[at] = offset;
    this.#offsets.push(at);
  }

  #resultOf(step: Step, by: number): number {
    let offset = this.#results.get(step);
    if (offset !== undefined) return offset;
    this.#indexOf(step, by);
    if (step.into) return this.#storeAt(step.into, this.#indexOf(step, by));
    offset = this.#zeros(8);
    this.#results.set(step, offset);
    return offset;
  }

  #address(arg: Addressed): number {
    if (typeof arg === 'string') return this.#string(arg);
    if (arg instanceof Uint8Array) {
      const offset = this.#room(arg.byteLength);
      this.#data.set(arg, offset);
      return offset;
    }
    if ('kind' in arg) return arg.kind === 'pointer' ? this.#at(arg.of, arg.offset, 0) : this.#place(arg);
    const known = this.#vectors.get(arg);
    if (known !== undefined) return known;
    const vector = this.#room((arg.length + 1) * 8);
    this.#vectors.set(arg, vector);
    for (let i = 0; i < arg.length; i++) this.#pointers.push(vector + i * 8, this.#address(arg[i] as string | Memory | Struct));
    return vector;
  }

  #string(text: string): number {
    let offset = this.#strings.get(text);
    if (offset === undefined) {
      if (text.includes('\0')) throw new TypeError(`${quote(text)} has a NUL byte in it: the kernel would see only what stands before it`);
      offset = this.#text(text);
      this.#strings.set(text, offset);
    }
    return offset;
  }

  /** Most strings are short and plain, and quicker to copy than to hand to a converter. */
  #text(text: string): number {
    const { length } = text;
    const offset = this.#room(length + 1, 1);
    const data = this.#data;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) {
        this.#end = offset;
        const bytes = bytesOf(text);
        this.#room(bytes.length + 1, 1);
        bytes.copy(this.#data, offset);
        return offset;
      }
      data[offset + i] = code;
    }
    return offset;
  }

  /** The offset of so many bytes of a memory, which has to have them. */
  #at(memory: Memory | Struct, offset: number, byteLength: number): number {
    if (offset >>> 0 !== offset || offset + byteLength > memory.byteLength) {
      const name = memory.kind === 'memory' ? memory.name : `struct ${memory.type.structName}`;
      throw new RangeError(`${name} has ${memory.byteLength} bytes: there are no ${byteLength} at ${offset}`);
    }
    return this.#place(memory) + offset;
  }

  /** Where a result goes, which has 64 bits: a smaller field would give its neighbours up for it. */
  #storeAt({ of, offset }: Pointer, step: number): number {
    if (of.kind === 'struct' && !of.type.fields.some((field) => field.offset <= offset && offset + 8 <= field.offset + field.size)) {
      throw new RangeError(
        `${describe(this.#plan[step] as Step, step)}: its result of 64 bits does not fit a field of struct ${of.type.structName} at ${offset}`,
      );
    }
    return this.#at(of, offset, 8);
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
        this.#field(at, field.size, this.#foreign && field.show === 'openFlags' ? openFlagsFor(this.#arch, Number(number)) : number);
      } else if (number instanceof Uint8Array && field.type !== 'pointer') {
        if (number.byteLength > field.size)
          throw new RangeError(`struct ${memory.type.structName}: ${number.byteLength} bytes do not fit ${field.name}, which has ${field.size}`);
        this.#data.set(number, at);
      } else this.#pointers.push(at, this.#address(number));
    }
    return offset;
  }

  #field(at: number, size: number, value: number | bigint): void {
    if (typeof value === 'number' && value >= 0 && value === (value | 0) && (size >= 4 || value < 2 ** (size * 8))) {
      let rest = value;
      for (let i = 0; rest !== 0; i++, rest >>>= 8) this.#data[at + i] = rest & 0xff;
      return;
    }
    const bits = size * 8;
    const whole = BigInt(value);
    if (BigInt.asUintN(bits, whole) !== whole && BigInt.asIntN(bits, whole) !== whole) throw new RangeError(`${value} does not fit ${bits} bits`);
    let rest = BigInt.asUintN(bits, whole);
    for (let i = 0; i < size; i++, rest >>= 8n) this.#data[at + i] = Number(rest & 0xffn);
  }

  /** Room for bytes with content, zeroed; its offset. */
  #room(byteLength: number, alignment = 8): number {
    const offset = (this.#end + alignment - 1) & -alignment;
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
    if (byteLength > MAX_BYTES) throw new RangeError(`the memory of a plan is at most ${MAX_BYTES} bytes, not ${byteLength}`);
    const offset = ZEROED + this.#zeroed;
    this.#zeroed += align(byteLength);
    return offset;
  }
}

function align(size: number): number {
  return (size + 15) & -16;
}

function describe(step: Step, index: number): string {
  return `step ${index + 1} (${step.call}: ${step.purpose})`;
}

/** arm64's clone(2) takes tls and child_tid the other way round. */
function tlsLast([flags = 0, stack = 0, parentTid = 0, childTid = 0, tls = 0, ...rest]: readonly Arg[]): readonly Arg[] {
  return [flags, stack, parentTid, tls, childTid, ...rest];
}

/** O_DIRECTORY and O_NOFOLLOW (and O_DIRECT, O_LARGEFILE) trade places between x64 and arm64: uapi/asm/fcntl.h. */
function openFlagsFor(arch: Arch, flags: number): number;
function openFlagsFor(arch: Arch, flags: Arg): Arg;
function openFlagsFor(arch: Arch, flags: Arg): Arg {
  if (typeof flags !== 'number') return flags;
  const x64 = [0o40000, 0o100000, 0o200000, 0o400000];
  const arm64 = [0o200000, 0o400000, 0o40000, 0o100000];
  const [from, to] = arch === 'arm64' ? [x64, arm64] : [arm64, x64];
  let result = flags & ~0o740000;
  for (let i = 0; i < from.length; i++) if (flags & (from[i] as number)) result |= to[i] as number;
  return result;
}
