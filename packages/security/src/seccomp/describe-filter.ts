import { errnoName, syscallNumbers, type SyscallAbi } from '@ctr/syscall';

import { verdictOf } from './action.js';
import { auditArchOf, X32_SYSCALL_BIT } from './architecture.js';
import { dataOffsets, opcodes } from './assembler.js';
import type { SeccompFilter } from './compile-filter.js';
import { decode } from './simulate.js';

/**
 * The instructions of a filter as text, one on a line: what is loaded, compared and returned, and where each comparison leads to, if it holds and if not.
 *
 * @example
 * ```ts
 * import { compileFilter, defaultProfile, describeFilter } from '@ctr/security';
 * console.log(describeFilter(compileFilter(defaultProfile, { arch: 'x64' })));
 * // 0  ld arch
 * // 1  jeq x64, 2, 225
 * // …
 * ```
 */
export function describeFilter(filter: Pick<SeccompFilter, 'instructions'>): string {
  const program = decode(filter.instructions);
  const count = program.length / 2;
  const known = new Map<number, Known>([[0, { word: undefined, abi: undefined }]]);
  const lines: string[] = [];
  for (let at = 0; at < count; at++) {
    const code = program[at * 2] as number;
    const k = program[at * 2 + 1] as number;
    const here = known.get(at) ?? { word: undefined, abi: undefined };
    const name = Object.keys(opcodes).find((one) => opcodes[one as keyof typeof opcodes] === (code & 0xffff));
    const meet = (to: number, state: Known): number => {
      const other = known.get(to);
      known.set(to, other ? { word: other.word === state.word ? state.word : undefined, abi: other.abi === state.abi ? state.abi : undefined } : state);
      return to;
    };
    let text: string;
    switch (name) {
      case 'ret':
        text = explainReturn(k);
        break;
      case 'ld':
        meet(at + 1, { ...here, word: k });
        text = wordName(k);
        break;
      case 'and':
        meet(at + 1, { ...here, word: undefined });
        text = hex(k);
        break;
      case 'ja':
        text = String(meet(at + 1 + k, here));
        break;
      case undefined:
        text = `?0x${(code & 0xffff).toString(16)} ${hex(k)}`;
        break;
      default: {
        const abi = here.word === dataOffsets.arch && name === 'jeq' ? abiOf(k) : undefined;
        const yes = meet(at + 1 + ((code >>> 16) & 0xff), abi === undefined ? here : { ...here, abi });
        const no = meet(at + 1 + (code >>> 24), here);
        text = `${explainOperand(k, here)}, ${yes}, ${no}`;
      }
    }
    lines.push(`${String(at).padStart(String(count).length)}  ${name ?? ''} ${text}`);
  }
  return lines.join('\n');
}

/** What is known at an instruction, on whatever way it is come to: what the accumulator has (as an offset), and which programs come here. */
interface Known {
  readonly word: number | undefined;
  readonly abi: SyscallAbi | undefined;
}

function explainOperand(k: number, { word, abi }: Known): string {
  if (word === dataOffsets.arch) return abiOf(k) ?? hex(k);
  if (word !== dataOffsets.nr) return hex(k);
  const table = abi === 'x64' && k >= X32_SYSCALL_BIT ? 'x32' : abi;
  const name = table && [...syscallNumbers(table)].find(([, number]) => number === k)?.[0];
  return name === undefined ? (k >= X32_SYSCALL_BIT ? hex(k) : String(k)) : `${k >= X32_SYSCALL_BIT ? hex(k) : k} (${name})`;
}

function explainReturn(value: number): string {
  const { action, data } = verdictOf(value);
  const name = action.slice('SCMP_ACT_'.length);
  if (action === 'SCMP_ACT_ERRNO') return `${name}(${data === 0 ? 0 : errnoName(data)})`;
  return action === 'SCMP_ACT_TRACE' ? `${name}(${data})` : name;
}

function wordName(offset: number): string {
  const [name] = Object.entries(dataOffsets).find(([one, at]) => one !== 'args' && at === offset) ?? [];
  if (name !== undefined) return name;
  const argument = offset - dataOffsets.args;
  return argument < 0 ? `[${offset}]` : `args[${argument >> 3}]${argument & 4 ? ' >> 32' : ''}`;
}

function abiOf(auditArch: number): SyscallAbi | undefined {
  return (Object.keys(auditArchOf) as SyscallAbi[]).find((abi) => abi !== 'x32' && auditArchOf[abi] === auditArch);
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
