import { hostArch, type Arch } from '../abi/numbers.js';
import type { Fd } from '../fd.js';
import { lower } from '../lower.js';
import { failure } from '../memory.js';
import type { Plan, Step } from '../step.js';
import { elf } from './elf.js';
import { FAILURE, RECORD_BYTES, RECORDS } from './layout.js';
import { assemble } from './listing.js';
import { encodeRecords } from './records.js';
import { walker as arm64 } from './walker-arm64.js';
import { walker as x64 } from './walker-x64.js';

/** The fd on which a compiled plan reports: 8 bytes at a time, two 32-bit numbers. See {@link failedStep}. */
export const REPORT_FD = 3;
/** Exit status of a compiled plan after a failure that it has reported. */
export const FAILED_STATUS = 125;

const walkers: Record<Arch, Buffer> = { x64: assemble(x64), arm64: assemble(arm64) };

/** How a plan is compiled. */
export interface CompileOptions {
  /** @default the architecture of this process */
  readonly arch?: Arch;
}

/**
 * Turns a plan into the bytes of a static executable of a few kilobytes that makes its calls: a fixed walker of some 70 instructions, and the plan as its data.
 * Written to a file, it runs without Node.
 *
 * A step that fails ends it: it writes `{ step, errno }` to fd 3, if there is one, and exits with 125. `onFailure` of a step says otherwise.
 *
 * Throws a `TypeError` or `RangeError` for a plan that cannot be compiled: a step of the host's open files, a jump out of the plan, a NUL in a string.
 *
 * @example
 * ```ts
 * import { compile } from '@ctr/syscall';
 * const bytes = compile([{ call: 'exit_group', args: [7], purpose: 'end at once' }]);
 * console.log(bytes.length < 2048); // true
 * ```
 */
export function compile(plan: Plan, options: CompileOptions = {}): Uint8Array {
  return compileWith(plan, options.arch ?? hostArch());
}

/** `compile` for a process that is given the host's fds under other numbers. */
export function compileWith(plan: Plan, arch: Arch, fdNumber?: (fd: Fd) => number): Buffer {
  const epilogue: Step[] = [
    { call: 'exit_group', args: [0], purpose: 'the end of the plan' },
    { call: 'write', args: [REPORT_FD, failure, 8], purpose: 'report the failure', tolerates: 'any' },
    { call: 'exit_group', args: [FAILED_STATUS], purpose: 'end after a failure' },
  ];
  const program = lower([...plan, ...epilogue], { arch, failure: plan.length + 1, failureNoteAt: FAILURE - RECORDS - (plan.length + epilogue.length) * RECORD_BYTES, ...(fdNumber && { fdNumber }) });
  const recordsEnd = RECORDS - FAILURE + program.count * RECORD_BYTES;
  const base = FAILURE + recordsEnd;
  const data = Buffer.alloc(recordsEnd + program.data.length);
  encodeRecords(program, data.subarray(RECORDS - FAILURE), base);
  program.data.copy(data, recordsEnd);
  for (const [at, to] of program.pointers) data.writeUInt32LE(base + to, recordsEnd + at);
  return elf(arch, walkers[arch], data, program.size - program.data.length);
}

/** The index of the step that a report's first number stands for, or `undefined` if it stands for none. */
export function failedStep(reported: number): number | undefined {
  const index = (reported - RECORDS) / RECORD_BYTES;
  return Number.isInteger(index) && index >= 0 ? index : undefined;
}
