import { hostArch, type Arch } from '../abi/numbers.js';
import type { Fd } from '../fd.js';
import { lower } from '../lower.js';
import { failure } from '../memory.js';
import type { Plan } from '../step.js';
import { elfHead, setDataSize } from './elf.js';
import { DATA_OFFSET, FAILURE, PAGE_BYTES, RECORD_BYTES, RECORDS, TEXT } from './layout.js';
import { assemble } from './listing.js';
import { walker as arm64 } from './walker-arm64.js';
import { walker as x64 } from './walker-x64.js';

/** The fd on which a compiled plan reports: 8 bytes at a time, two 32-bit numbers. See {@link failedStep}. */
export const REPORT_FD = 3;
/** Exit status of a compiled plan after a failure that it has reported. */
export const FAILED_STATUS = 125;

const listings = { x64, arm64 };
const heads: Partial<Record<Arch, Buffer>> = {};

/** What every executable for an architecture begins with: the ELF header and the walker, up to the records. */
function headOf(arch: Arch): Buffer {
  if (!Object.hasOwn(listings, arch)) throw new RangeError(`plans are compiled for ${Object.keys(listings).join(' and ')}, not for ${arch}`);
  return (heads[arch] ??= elfHead(arch, assemble(listings[arch])));
}

/** Follows every plan. */
const epilogue: Plan = [
  { call: 'exit_group', args: [0], purpose: 'the end of the plan' },
  { call: 'write', args: [REPORT_FD, failure, 8], purpose: 'report the failure', tolerates: 'any' },
  { call: 'exit_group', args: [FAILED_STATUS], purpose: 'end after a failure' },
];
const REPORT_OF_FAILURE = 1;

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

/** `compile` for a process that is given the host's fds under other numbers, into memory of the caller's, which may be larger. */
export function compileWith(plan: Plan, arch: Arch, fdNumber?: (fd: Fd) => number, memory = (byteLength: number): Buffer => Buffer.alloc(byteLength)): Buffer {
  const count = plan.length + epilogue.length;
  const head = headOf(arch);
  const dataAt = head.length + count * RECORD_BYTES;
  const base = TEXT + PAGE_BYTES + dataAt;
  const { words, offsets, data, size, pointers } = lower([...plan, ...epilogue], {
    arch,
    failure: plan.length + REPORT_OF_FAILURE,
    failureNoteAt: FAILURE - base,
    ...(fdNumber && { fdNumber }),
  });
  for (let i = 0; i < offsets.length; i++) {
    const at = offsets[i] as number;
    words[at] = base + (words[at] as number);
  }
  const file = memory(dataAt + data.length);
  file.set(head);
  file.set(new Uint8Array(words.buffer), head.length);
  file.set(data, dataAt);
  for (let i = 0; i < pointers.length; i += 2) file.writeUInt32LE(base + (pointers[i + 1] as number), dataAt + (pointers[i] as number));
  setDataSize(file, dataAt - DATA_OFFSET + data.length, size - data.length);
  return file;
}

/** The index of the step that a report's first number stands for, or `undefined` if it stands for none. */
export function failedStep(reported: number): number | undefined {
  const index = (reported - RECORDS) / RECORD_BYTES;
  return Number.isInteger(index) && index >= 0 ? index : undefined;
}
