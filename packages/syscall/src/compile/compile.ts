import { hostArch, type Arch } from '../abi/numbers.js';
import type { Fd } from '../fd.js';
import { lower, refuseFd, type Program } from '../lower.js';
import { failure } from '../memory.js';
import { checkOptions } from '../options.js';
import type { Plan } from '../step.js';
import { elfHead, setDataSize } from './elf.js';
import { DATA_OFFSET, FAILURE, PAGE_BYTES, RECORD_BYTES, RECORDS, TEXT } from './layout.js';
import { assemble } from './listing.js';
import { packExecutable } from './pack-executable.js';
import { RECORD_WORDS, recordWord } from './records.js';
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
  /**
   * Whether the plan stands packed in the file, which then has about a third of the size: for one that is kept or sent.
   * It costs some 20 microseconds at each start.
   * @default false
   */
  readonly packed?: boolean;
}

/**
 * Turns a plan into the bytes of a static executable of a few kilobytes that makes its calls: a fixed walker of some 70 instructions, and the plan as its data.
 * Written to a file, it runs without Node. With `packed`, an unpacker of some 40 instructions starts it: it puts the plan into place, and the walker goes on.
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
  checkOptions('compile', options, ['arch', 'packed']);
  const { arch = hostArch(), packed = false } = options;
  const file = compileParts([plan], arch);
  return packed ? packExecutable(file, arch) : file;
}

/**
 * `compile` for a plan in parts, each of which refers to its own steps only; for a process that is given the host's fds under other numbers;
 * into memory of the caller's, which may be larger.
 */
export function compileParts(
  parts: readonly Plan[],
  arch: Arch,
  fdNumber?: (fd: Fd) => number,
  memory = (byteLength: number): Buffer => Buffer.alloc(byteLength),
): Buffer {
  const head = headOf(arch);
  const steps = parts.reduce((sum, part) => sum + part.length, 0);
  const recordsEnd = head.length + (steps + epilogue.length) * RECORD_BYTES;
  const base = TEXT + PAGE_BYTES + recordsEnd;
  const programs = parts.slice(0, -1).map((part) => lowerPart(part, arch, fdNumber));
  const lastBase = programs.reduce((sum, { size }) => sum + size, 0);
  const last = lower([...(parts.at(-1) ?? []), ...epilogue], {
    arch,
    failure: UNSETTLED,
    failureNoteAt: FAILURE - base - lastBase,
    ...(fdNumber && { fdNumber }),
  });
  programs.push(last);
  const file = memory(recordsEnd + lastBase + last.data.length);
  file.set(head);
  const records = new Int32Array(file.buffer, file.byteOffset + head.length, (recordsEnd - head.length) / 4);
  let firstRecord = 0;
  let dataBase = 0;
  for (const program of programs) {
    place(program, records, firstRecord, steps + REPORT_OF_FAILURE, base + dataBase);
    const at = recordsEnd + dataBase;
    file.set(program.data, at);
    if (program !== last) file.fill(0, at + program.data.length, at + program.size);
    const { pointers } = program;
    for (let i = 0; i < pointers.length; i += 2) file.writeUInt32LE(base + dataBase + (pointers[i + 1] as number), at + (pointers[i] as number));
    firstRecord += program.count;
    dataBase += program.size;
  }
  setDataSize(file, recordsEnd - DATA_OFFSET + lastBase + last.data.length, last.size - last.data.length);
  return file;
}

/** In the place of the index of the record to go on with after a failure: the one that reports it. */
const UNSETTLED = 0xffff;
const lowered = new WeakMap<Plan, Program>();

/** A part that is frozen stays as it is, so it is lowered once; unless it has files of the host in it, whose numbers change. */
function lowerPart(part: Plan, arch: Arch, fdNumber?: (fd: Fd) => number): Program {
  const known = arch === hostArch() ? lowered.get(part) : undefined;
  if (known) return known;
  let hasFiles = false;
  const numbered = (fd: Fd): number => {
    hasFiles = true;
    return fdNumber ? fdNumber(fd) : refuseFd(fd);
  };
  const program = lower(part, { arch, failure: UNSETTLED, fdNumber: numbered });
  if (Object.isFrozen(part) && arch === hostArch() && !hasFiles) lowered.set(part, program);
  return program;
}

/** Puts the records of a program where they belong, and makes addresses and indices of what counted from its own start. */
function place({ words, offsets, count }: Program, records: Int32Array, first: number, report: number, base: number): void {
  const from = first * RECORD_WORDS;
  records.set(words, from);
  for (let i = 0; i < offsets.length; i++) {
    const at = from + (offsets[i] as number);
    records[at] = (records[at] as number) + base;
  }
  for (let i = 0, at = from + recordWord.next; i < count; i++, at += RECORD_WORDS) {
    const word = records[at] as number;
    const failure = word >>> 16;
    records[at] = (((word & 0xffff) + first) & 0xffff) | ((failure === UNSETTLED ? report : failure + first) << 16);
  }
}

/** The index of the step that a report's first number stands for, or `undefined` if it stands for none. */
export function failedStep(reported: number): number | undefined {
  const index = (reported - RECORDS) / RECORD_BYTES;
  return Number.isInteger(index) && index >= 0 ? index : undefined;
}
