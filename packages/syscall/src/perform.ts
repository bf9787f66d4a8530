import { errnoName } from './abi/errno.js';
import { syscallNumber } from './abi/numbers.js';
import { SyscallError } from './error.js';
import { explain, explainCall } from './explain.js';
import { allocate, syscall } from './ffi.js';
import { hintFor } from './hints.js';
import { ADD, conditions, lower, operand, OPERANDS, TOLERATED, TOLERATES_ANY, type Program } from './lower.js';
import type { Plan, Step } from './step.js';

/** These return twice, or into a memory that JavaScript does not survive in. */
const forks = new Set([syscallNumber('clone'), syscallNumber('clone3')]);

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
  return run(plan);
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
  return run([step]);
}

/** The walker in JavaScript: the same loop as the machine code's. Returns the last result. */
function run(plan: Plan): number {
  const program = lower(plan, { fdNumber: (fd) => fd.number });
  for (let i = 0; i < program.count; i++)
    if (forks.has(program.numbers[i] as number))
      throw new TypeError(`step ${i + 1} (${plan[i]?.purpose}) makes a process, in which JavaScript cannot go on: use launch`);
  const memory = allocate(Math.max(program.size, 16));
  try {
    program.data.copy(memory.bytes);
    for (const [at, to] of program.pointers) memory.bytes.writeBigUInt64LE(BigInt(memory.address + to), at);
    return walk(plan, program, memory.bytes, memory.address);
  } finally {
    memory.free();
  }
}

function walk(plan: Plan, program: Program, bytes: Buffer, address: number): number {
  const value = (slot: number): number | bigint => {
    const at = program.values[slot] as number;
    switch (program.kinds[slot]) {
      case operand.load64:
        return bytes.readBigInt64LE(at);
      case operand.load32:
        return bytes.readInt32LE(at);
      case operand.load8:
        return bytes.readUInt8(at);
      case operand.address:
        return address + at;
      default:
        return at;
    }
  };
  let result = 0;
  for (let i = 0; i < program.count;) {
    const slot = i * OPERANDS;
    const number = program.numbers[i] as number;
    result =
      number === ADD
        ? Number(value(slot)) + Number(value(slot + 1))
        : syscall(number, value(slot), value(slot + 1), value(slot + 2), value(slot + 3), value(slot + 4), value(slot + 5));
    if (result < 0 && result >= -4095 && !tolerates(program, i, -result)) {
      const onFailure = program.failures[i] as number;
      if (onFailure >= program.count) throw stepError(plan, i, -result);
      i = onFailure;
      continue;
    }
    const store = program.stores[i] as number;
    if (store >= 0) bytes.writeBigInt64LE(BigInt(result), store);
    const condition = program.conditions[i];
    const than = Number(value(slot + 6));
    const jumps =
      (condition === conditions['=='] && result === than) ||
      (condition === conditions['!='] && result !== than) ||
      (condition === conditions['<'] && result < than);
    i = jumps ? (program.targets[i] as number) : i + 1;
  }
  return result;
}

function tolerates(program: Program, index: number, errno: number): boolean {
  const from = index * TOLERATED;
  for (let i = from; i < from + TOLERATED; i++) if (program.tolerated[i] === errno || program.tolerated[i] === TOLERATES_ANY) return true;
  return false;
}

/** The error of a step of a plan, with everything that is known about it. */
export function stepError(plan: Plan, index: number, errno: number): SyscallError {
  const step = plan[index] as Step;
  const indices = new Map(plan.map((other, i) => [other, i]));
  const code = errnoName(errno);
  const hint = step.hints?.[code] ?? hintFor(step.call, code);
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
