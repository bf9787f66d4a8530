import * as constants from './abi/constants.js';
import { errnoName } from './abi/errno.js';
import { prctlArguments, signatures, type ArgKind } from './abi/signatures.js';
import { Fd } from './fd.js';
import type { FieldValue, Memory, Struct } from './memory.js';
import type { Arg, Plan, Step } from './step.js';
import { printable } from './printable.js';
import { bytesOf } from './raw-text.js';

/** As bits of one half of a set of capabilities. */
function capabilityBits(from: number): Record<string, number> {
  const half = Object.entries(constants.capabilityNumbers).filter(([, number]) => number >= from && number < from + 32);
  return Object.fromEntries(half.map(([name, number]) => [name, 2 ** (number - from)]));
}

const flagTables: Partial<Record<ArgKind, Readonly<Record<string, number>>>> = {
  openFlags: constants.openFlags,
  fileFlags: constants.openFlags,
  resolveFlags: constants.resolveFlags,
  atFlags: constants.atFlags,
  accessMode: constants.accessModes,
  cloneFlags: { ...constants.cloneFlags, CLONE_INTO_CGROUP: Number(constants.CLONE_INTO_CGROUP) },
  namespaceFlags: constants.cloneFlags,
  mountFlags: constants.mountFlags,
  umountFlags: constants.umountFlags,
  openTreeFlags: { ...constants.openTreeFlags, ...constants.atFlags },
  moveMountFlags: constants.moveMountFlags,
  fsopenFlags: constants.fsopenFlags,
  fsmountFlags: constants.fsmountFlags,
  mountAttrFlags: constants.mountAttrs,
  memfdFlags: constants.memfdFlags,
  closeRangeFlags: constants.closeRangeFlags,
  waitFlags: constants.waitFlags,
  socketTypeFlags: { SOCK_CLOEXEC: constants.socketTypes.SOCK_CLOEXEC, SOCK_NONBLOCK: constants.socketTypes.SOCK_NONBLOCK },
  messageFlags: constants.messageFlags,
  interfaceFlags: constants.interfaceFlags,
  capabilityFlags: capabilityBits(0),
  highCapabilityFlags: capabilityBits(32),
  secureBitFlags: constants.secureBitFlags,
  schedulingFlags: constants.schedulingFlags,
  landlockFsFlags: constants.landlockAccessFs,
  landlockNetFlags: constants.landlockAccessNet,
  landlockScopeFlags: constants.landlockScopes,
  landlockCreateFlags: constants.landlockCreateFlags,
  landlockRestrictFlags: constants.landlockRestrictFlags,
  seccompFilterFlags: constants.seccompFilterFlags,
  seccompNotifFlags: constants.seccompNotifFlags,
  seccompAddFdFlags: constants.seccompAddFdFlags,
  bpfAttachFlags: constants.bpfAttachFlags,
};

const nameTables: Partial<Record<ArgKind, Readonly<Record<string, number>>>> = {
  fsconfigName: constants.fsconfigCommands,
  fcntlName: constants.fcntlCommands,
  prctlName: constants.prctlOptions,
  idTypeName: constants.waitIdTypes,
  ioctlName: constants.ioctls,
  domainName: constants.socketDomains,
  maskHowName: constants.maskHow,
  signal: constants.signals,
  ambientName: constants.ambientOperations,
  capabilityName: constants.capabilityNumbers,
  capabilityVersionName: { _LINUX_CAPABILITY_VERSION_3: constants._LINUX_CAPABILITY_VERSION_3 },
  rlimitName: constants.rlimitResources,
  keyctlName: constants.keyctlOperations,
  schedulingPolicyName: constants.schedulingPolicies,
  ioPriorityTargetName: constants.ioPriorityTargets,
  personalityName: constants.personalities,
  landlockRuleName: constants.landlockRuleTypes,
  seccompName: constants.seccompOperations,
  auditArchName: constants.auditArches,
  bpfName: constants.bpfCommands,
  bpfProgramTypeName: constants.bpfProgramTypes,
  bpfAttachTypeName: constants.bpfAttachTypes,
};

/** Bytes and strings longer than this are cut, as strace does. */
const MAX_TEXT = 64;

/**
 * Prints a plan, one line for each step, as strace would print it, with what each step is for. Takes no action.
 *
 * @example
 * ```ts
 * import { explain, signals } from '@ctr/syscall';
 * console.log(explain([{ call: 'prctl', args: [1, signals.SIGKILL, 0, 0, 0], purpose: 'die with the parent' }]));
 * // 1  prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0)  # die with the parent
 * ```
 */
export function explain(plan: Plan, options: { readonly mark?: number } = {}): string {
  const index = new Map(plan.map((step, i) => [step, i]));
  const width = String(plan.length).length;
  return plan
    .map((step, i) => {
      const marker = options.mark === undefined ? '' : options.mark === i ? '→ ' : '  ';
      return `${marker}${String(i + 1).padStart(width)}  ${explainStep(step, index)}`;
    })
    .join('\n');
}

function explainStep(step: Step, index: ReadonlyMap<Step, number>): string {
  const number = (other: Step): string => String((index.get(other) ?? -1) + 1);
  let line = explainCall(step, index);
  if (step.as !== undefined) line += ` = $${step.as}`;
  if (step.tolerates === 'any') line += ' (any error is fine)';
  else if (step.tolerates?.length) line += ` (${step.tolerates.join(', ')} is fine)`;
  if (step.jump) line += `, if ${step.jump.when} ${explainArg(step.jump.than ?? 0, 'int', index)} go to ${number(step.jump.to)}`;
  if (step.onFailure) line += `, on failure go to ${number(step.onFailure)}`;
  return `${line}  # ${printable(step.purpose)}`;
}

/**
 * One call with its arguments: `mount("proc", "/proc", "proc", MS_NOSUID, NULL)`.
 *
 * @example
 * ```ts
 * import { explainCall } from '@ctr/syscall';
 * explainCall({ call: 'umask', args: [0o022], purpose: 'files are made readable' }); // 'umask(022)'
 * ```
 */
export function explainCall(step: Step, index: ReadonlyMap<Step, number> = new Map()): string {
  if (step.call === 'add') return explainAdd(step.args, index);
  return `${step.call}(${explainArgs(step, index).join(', ')})`;
}

/**
 * The arguments of a call, each as strace prints it.
 *
 * @example
 * ```ts
 * import { explainArgs } from '@ctr/syscall';
 * explainArgs({ call: 'mount', args: ['proc', '/proc', 'proc', 2, null], purpose: 'proc' }); // ['"proc"', '"/proc"', '"proc"', 'MS_NOSUID', 'NULL']
 * ```
 */
export function explainArgs(step: Step, index: ReadonlyMap<Step, number> = new Map()): string[] {
  const kinds = kindsOf(step);
  const taken = step.call === 'openat' && !takesMode(step.args[2]) ? 3 : kinds?.length;
  return step.args.slice(0, taken).map((arg, i) => explainArg(arg, kinds?.[i] ?? 'int', index));
}

function kindsOf({ call, args }: Step): readonly ArgKind[] | undefined {
  if (call === 'add') return undefined;
  const kinds = signatures[call];
  if (call !== 'prctl' || !kinds) return kinds;
  const more = prctlArguments(args[0], args[1]);
  return kinds.map((kind, i) => more[i - 1] ?? kind);
}

/** openat(2) looks at the mode only if it may make a file. */
function takesMode(flags: Arg | undefined): boolean {
  return typeof flags !== 'number' || (flags & constants.openFlags.O_CREAT) !== 0;
}

function explainAdd([a, b]: readonly Arg[], index: ReadonlyMap<Step, number>): string {
  if (a === 0 && b === 0) return 'label()';
  if (typeof a === 'number' && a < 0 && b === 0) return `fail(${errnoName(-a)})`;
  return `add(${explainArg(a ?? 0, 'int', index)}, ${explainArg(b ?? 0, 'int', index)})`;
}

function explainArg(arg: Arg, kind: ArgKind, index: ReadonlyMap<Step, number>): string {
  if (arg === null) return 'NULL';
  if (typeof arg === 'number' || typeof arg === 'bigint') return explainNumber(arg, kind);
  if (typeof arg === 'string') return quote(bytesOf(arg));
  if (arg instanceof Uint8Array) return quote(arg);
  if (arg instanceof Fd) return String(arg);
  if ('kind' in arg) {
    if (arg.kind === 'result') return `$${arg.step.as ?? String((index.get(arg.step) ?? -1) + 1)}`;
    if (arg.kind === 'memory') return explainMemory(arg);
    if (arg.kind === 'struct') return explainStruct(arg, index);
    const name = arg.of.kind === 'memory' ? arg.of.name : arg.of.type.structName;
    const place = arg.offset === 0 ? name : `${name}+${arg.offset}`;
    return arg.kind === 'load' ? `$${place}` : `&${place}`;
  }
  const shown = arg.slice(0, 8).map((item) => explainArg(item, 'string', index));
  return `[${shown.join(', ')}${arg.length > shown.length ? `, … ${arg.length - shown.length} more` : ''}]`;
}

function explainMemory(memory: Memory): string {
  return memory.initial === undefined ? `&${memory.name}` : quote(memory.initial);
}

function explainStruct(value: Struct, index: ReadonlyMap<Step, number>): string {
  const parts: string[] = [];
  for (const field of value.type.fields) {
    const given: FieldValue | undefined = value.values[field.name];
    if (given === undefined) continue;
    parts.push(`${field.name}=${explainArg(given, field.show ?? 'int', index)}`);
  }
  return `{${parts.join(', ')}}`;
}

function explainNumber(value: number | bigint, kind: ArgKind): string {
  const number = Number(value);
  switch (kind) {
    case 'dirfd':
      return number === constants.AT_FDCWD ? 'AT_FDCWD' : String(value);
    case 'mode':
      return explainMode(number);
    case 'hex':
      return `0x${value.toString(16)}`;
    case 'pointer':
    case 'string':
    case 'path':
    case 'strings':
      return number === 0 ? 'NULL' : String(value);
    case 'rlimit':
      return BigInt.asUintN(64, BigInt(value)) === constants.RLIM64_INFINITY ? 'RLIM64_INFINITY' : String(value);
    case 'ioPriority': {
      const level = number & (2 ** constants.IOPRIO_CLASS_SHIFT - 1);
      const name = Object.entries(constants.ioPriorityClasses).find(([, of]) => of === number >> constants.IOPRIO_CLASS_SHIFT)?.[0];
      return name === undefined ? String(value) : `IOPRIO_PRIO_VALUE(${name}, ${level})`;
    }
    case 'device':
      return `makedev(${(number >> 8) & 0xfff}, ${(number & 0xff) | ((number >> 12) & 0xfff00)})`;
    default: {
      const names = nameTables[kind];
      if (names) return Object.keys(names).find((name) => names[name] === number) ?? String(value);
      return explainFlags(BigInt(value), kind);
    }
  }
}

function explainMode(mode: number): string {
  const type = Object.entries(constants.fileTypes).find(([, bits]) => bits === (mode & 0o170000));
  const permissions = `0${(mode & 0o7777).toString(8)}`.padStart(3, '0');
  return type ? `${type[0]}|${permissions}` : permissions;
}

function explainFlags(value: bigint, kind: ArgKind): string {
  const table = flagTables[kind];
  if (!table) return String(value);
  const names: string[] = [];
  let rest = value;
  if (kind === 'openFlags') {
    const access = ['O_RDONLY', 'O_WRONLY', 'O_RDWR', 'O_ACCMODE'][Number(value & 3n)] as string;
    if (!(value & BigInt(constants.openFlags.O_PATH))) names.push(access);
    rest &= ~3n;
  }
  if (kind === 'socketTypeFlags') {
    const base = Object.entries(constants.socketTypes).find(([, type]) => BigInt(type) === (value & 0xfn));
    if (base) names.push(base[0]);
    rest &= ~0xfn;
  }
  if (kind === 'cloneFlags') rest &= ~0xffn | 0x80n; // the low byte is the exit signal, but for CLONE_NEWTIME
  for (const [name, bits] of Object.entries(table)) {
    const mask = BigInt(bits);
    if (mask !== 0n && (rest & mask) === mask) {
      names.push(name);
      rest &= ~mask;
    }
  }
  if (rest !== 0n) names.push(`0x${rest.toString(16)}`);
  if (kind === 'cloneFlags' && value & 0x7fn) names.push(explainNumber(value & 0x7fn, 'signal'));
  return names.length ? names.join('|') : '0';
}

const escapes: Readonly<Record<number, string>> = { 0x09: '\\t', 0x0a: '\\n', 0x0b: '\\v', 0x0c: '\\f', 0x0d: '\\r', 0x22: '\\"', 0x5c: '\\\\' };

/** Bytes as a C string, with everything that is not printable escaped: what is shown may come from an image. */
function quote(bytes: Uint8Array): string {
  let text = '';
  for (const [i, byte] of bytes.subarray(0, MAX_TEXT).entries()) {
    const next = bytes[i + 1] ?? 0;
    const isDigitNext = next >= 0x30 && next <= 0x39;
    if (escapes[byte] !== undefined) text += escapes[byte];
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\${byte.toString(8).padStart(isDigitNext ? 3 : 1, '0')}`;
  }
  return `"${text}"${bytes.length > MAX_TEXT ? '...' : ''}`;
}
