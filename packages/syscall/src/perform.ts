import { bpfCommands } from './abi/constants.js';
import { errnoName } from './abi/errno.js';
import { bpfProgLoadAttr } from './abi/structs.js';
import { SyscallError } from './error.js';
import { explain, explainCall } from './explain.js';
import type { Fd } from './fd.js';
import { allocate, syscall } from './ffi.js';
import { hintFor } from './hints.js';
import { ADD, conditions, operand, OPERANDS, RECORD_WORDS, recordWord, TOLERATED, TOLERATED_BYTE, TOLERATES_ANY } from './compile/records.js';
import { lower, type Program } from './lower.js';
import { Memory, type Struct } from './memory.js';
import type { Plan, Step } from './step.js';

/** These return twice, or into a memory that JavaScript does not survive in. */
const forks = new Set<Step['call']>(['clone', 'clone3']);
const hostFds = { fdNumber: (fd: Fd): number => fd.number };

/**
 * Performs a plan here and now, in the calling thread. What it changes is this process: a namespace that is unshared is unshared for the host.
 * An `execve` replaces the process.
 *
 * Throws a {@link SyscallError} at the first step that fails, and a `TypeError` for a plan that clones: that is what `launch` is for.
 *
 * @returns the result of the last step
 * @example
 * ```ts
 * import { perform } from '@ctr/syscall';
 * perform([{ call: 'umask', args: [0o022], purpose: 'files are made readable' }]);
 * ```
 */
export function perform(plan: Plan): number {
  return run(plan).result;
}

/**
 * Makes one call here and now, and returns its result.
 * Throws a {@link SyscallError} when it fails with an error that the step does not tolerate; for one that it does, the result is `-errno`.
 *
 * @example
 * ```ts
 * import { call } from '@ctr/syscall';
 * const pid = call({ call: 'getpid', args: [], purpose: 'who am I' });
 * ```
 */
export function call(step: Step): number {
  return run([step]).result;
}

/** Frozen steps, which are made again and again: they are brought down to numbers once. */
const lowered = new WeakMap<Step, Program>();

function lowerHere(plan: Plan): Program {
  const [first] = plan;
  const single = plan.length === 1 && first && Object.isFrozen(first) ? first : undefined;
  const known = single && lowered.get(single);
  if (known) return known;
  const program = lower(plan, hostFds);
  if (single) lowered.set(single, program);
  return program;
}

/** What a call has returned, and what it has left in memory. */
export interface Filled {
  readonly result: number;
  /** A copy of the memory. */
  readonly bytes: Buffer;
}

/**
 * Makes one call here and now, as {@link call} does, and returns its result with what stands in a memory then: a struct or a buffer that the kernel fills.
 * Throws a {@link SyscallError} as `call` does, and a `TypeError` if the memory is none of the step's.
 *
 * @example
 * ```ts
 * import { callInto, Memory } from '@ctr/syscall';
 * const utsname = new Memory(390, 'utsname'); // sys/utsname.h: six strings of 65 bytes
 * const { bytes } = callInto({ call: 'uname', args: [utsname], purpose: 'the name of this host' }, utsname);
 * console.log(bytes.toString('latin1', 65, bytes.indexOf(0, 65)));
 * ```
 */
export function callInto(step: Step, memory: Memory | Struct): Filled {
  const { result, program, bytes } = run([step]);
  const offset = program.placeOf(memory);
  if (offset === undefined) throw new TypeError(`the memory is none of the step's: ${step.call}: ${step.purpose}`);
  return { result, bytes: Buffer.from(bytes.subarray(offset, offset + memory.byteLength)) };
}

/** The data of the plan at hand: performing is synchronous, so there is one at a time. */
let memory = allocate(4096);

/** The walker in JavaScript: the same loop as the machine code's. Returns the last result, and the data as the plan has left it. */
function run(plan: Plan): { readonly result: number; readonly program: Program; readonly bytes: Buffer } {
  for (let i = 0; i < plan.length; i++)
    if (forks.has((plan[i] as Step).call))
      throw new TypeError(`step ${i + 1} (${plan[i]?.purpose}) makes a process, in which JavaScript cannot go on: use launch`);
  const program = lowerHere(plan);
  if (program.size > memory.bytes.length) {
    memory = allocate(program.size * 2);
  }
  const { bytes, address } = memory;
  const { data, size, pointers } = program;
  bytes.set(data);
  bytes.fill(0, data.length, size);
  for (let i = 0; i < pointers.length; i += 2) writeWord(bytes, address + (pointers[i + 1] as number), pointers[i] as number);
  return { result: walk(plan, program, bytes, address), program, bytes };
}

function walk(plan: Plan, { count, words, offsets }: Program, bytes: Buffer, address: number): number {
  const isOffset = new Uint8Array(words.length);
  for (const at of offsets) isOffset[at] = 1;
  const tolerated = new Uint8Array(words.buffer);
  const value = (record: number, k: number): number | bigint => {
    const at = record + recordWord.operands + k;
    const word = words[at] as number;
    switch (((words[record + recordWord.call] as number) >>> (16 + k * 2)) & 3) {
      case operand.load64:
        return readWord(bytes, word);
      case operand.load32:
        return bytes.readInt32LE(word);
      case operand.load8:
        return bytes.readUInt8(word);
      default:
        return isOffset[at] ? address + word : word;
    }
  };
  let result: number | bigint = 0;
  for (let i = 0; i < count;) {
    const record = i * RECORD_WORDS;
    const number = (words[record + recordWord.call] as number) & 0xffff;
    const next = words[record + recordWord.next] as number;
    // Read before the call, as all its operands are: the call may change what stands there.
    const condition = (words[record + recordWord.condition] as number) >>> 24;
    const than = condition === conditions.never ? 0 : value(record, OPERANDS - 1);
    result =
      number === ADD
        ? sum(value(record, 0), value(record, 1))
        : syscall(number, value(record, 0), value(record, 1), value(record, 2), value(record, 3), value(record, 4), value(record, 5));
    if (result < 0 && result >= -4095 && !tolerates(tolerated, i, -Number(result))) {
      i = next >>> 16;
      if (i >= count) throw stepError(plan, record / RECORD_WORDS, -Number(result));
      continue;
    }
    if (isOffset[record + recordWord.store]) writeWord(bytes, result, words[record + recordWord.store] as number);
    const jumps =
      (condition === conditions['=='] && result === than) ||
      (condition === conditions['!='] && result !== than) ||
      (condition === conditions['<'] && result < than);
    i = jumps ? next & 0xffff : i + 1;
  }
  return Number(result);
}

/** 64 bits that wrap around, as those of the machine do. */
function sum(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === 'number' && typeof b === 'number') {
    const result = a + b;
    if (isShort(result)) return result;
  }
  const result = BigInt.asIntN(64, BigInt(a) + BigInt(b));
  return isShort(result) ? Number(result) : result;
}

/** What is a number here, and not a bigint: one form for each value makes them comparable. */
function isShort(value: number | bigint): boolean {
  return value >= -(2 ** 52) && value < 2 ** 52;
}

function tolerates(bytes: Uint8Array, index: number, errno: number): boolean {
  const from = index * RECORD_WORDS * 4 + TOLERATED_BYTE;
  for (let i = from; i < from + TOLERATED; i++) if (bytes[i] === errno || bytes[i] === TOLERATES_ANY) return true;
  return false;
}

/** 64 bits with sign, as {@link isShort} has them. */
function readWord(bytes: Buffer, at: number): number | bigint {
  const high = bytes.readInt32LE(at + 4);
  return high === (high << 11) >> 11 ? high * 2 ** 32 + bytes.readUInt32LE(at) : bytes.readBigInt64LE(at);
}

function writeWord(bytes: Buffer, value: number | bigint, at: number): void {
  if (typeof value === 'bigint') {
    bytes.writeBigInt64LE(value, at);
    return;
  }
  bytes.writeInt32LE(value | 0, at);
  bytes.writeInt32LE(Math.floor(value / 2 ** 32), at + 4);
}

/** The error of a step of a plan, with everything that is known about it. */
export function stepError(plan: Plan, index: number, errno: number): SyscallError {
  const step = plan[index] as Step;
  const indices = new Map(plan.map((other, i) => [other, i]));
  const code = errnoName(errno);
  const hint = step.hints?.[code] ?? verifierLog(step) ?? hintFor(step.call, code);
  return new SyscallError({
    call: step.call,
    line: explainCall(step, indices),
    errno,
    ...(plan.length > 1 && { step: index, of: plan.length }),
    purpose: step.purpose,
    ...(hint !== undefined && { hint }),
    plan: () => explain(plan, { mark: index }),
  });
}

const LOG_BYTES = 64 * 1024;
const LOG_LINES = 12;

/** What the verifier of the kernel has to say of a BPF program that it refuses: it is asked once more, with room for its log, which is empty for any other cause. */
function verifierLog({ call: name, args: [command, attributes] }: Step): string | undefined {
  if (name !== 'bpf' || command !== bpfCommands.BPF_PROG_LOAD) return undefined;
  const log = new Memory(LOG_BYTES, 'log');
  const attr = bpfProgLoadAttr({ ...(attributes as Struct).values, log_level: 1, log_size: LOG_BYTES, log_buf: log });
  const { result, bytes } = callInto({ call: 'bpf', args: [command, attr, attr.byteLength], purpose: 'what is wrong with the program', tolerates: 'any' }, log);
  if (result >= 0) call({ call: 'close', args: [result], purpose: 'it was only asked about' });
  const lines = bytes.toString('latin1', 0, bytes.indexOf(0)).trim().split('\n');
  return lines[0] === '' ? undefined : `the verifier of the kernel says: ${lines.slice(-LOG_LINES).join('; ')}`;
}
