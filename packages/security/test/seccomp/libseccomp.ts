// libseccomp as an oracle: a program in C that builds the filter of a profile with it, and writes out the instructions.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ResolvedProfile, SeccompArg, SeccompRule } from '@ctr/security';
import { syscallNumbers } from '@ctr/syscall';

import { actionValues } from '../../src/seccomp/action.js';
import { architectures } from '../../src/seccomp/architecture.js';
import { isMultiplexed } from '../../src/seccomp/multiplexer.js';
import { returnValue } from '../../src/seccomp/rules.js';

const source = join(import.meta.dirname, 'libseccomp.c');

const tokens: Readonly<Record<string, number>> = {
  SCMP_ARCH_X86: 0x40000003,
  SCMP_ARCH_X86_64: 0xc000003e,
  // seccomp.h: its own name for it, EM_X86_64 with 32 bits
  SCMP_ARCH_X32: 0x4000003e,
  SCMP_ARCH_ARM: 0x40000028,
  SCMP_ARCH_AARCH64: 0xc00000b7,
};
/** seccomp.h, enum scmp_compare */
const ops: Record<SeccompArg['op'], number> = {
  SCMP_CMP_NE: 1,
  SCMP_CMP_LT: 2,
  SCMP_CMP_LE: 3,
  SCMP_CMP_EQ: 4,
  SCMP_CMP_GE: 5,
  SCMP_CMP_GT: 6,
  SCMP_CMP_MASKED_EQ: 7,
};

/** Why it cannot be asked, if so. */
export function missing(): string | undefined {
  if (process.arch !== 'x64') return 'libseccomp is asked on x64';
  if (spawnSync('gcc', ['--version']).status !== 0) return 'gcc is not installed';
  return existsSync('/usr/include/seccomp.h') ? undefined : 'libseccomp-dev is not installed';
}

/** Builds filters by libseccomp. */
export class Libseccomp implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'ctr-libseccomp-'));
  readonly #program = join(this.#directory, 'filter');

  constructor() {
    execFileSync('gcc', ['-O1', '-o', this.#program, source, '-lseccomp']);
  }

  /** The names that it does not know, or of which it does not know for all kinds of programs that they have them: those of newer kernels. */
  unknown(names: readonly string[]): Set<string> {
    const abis = Object.entries(architectures).filter(([architecture]) => tokens[architecture] !== undefined);
    const all = abis.map(([architecture]) => (tokens[architecture] as number).toString(16)).join(' ');
    const answers = this.#run(names.map((name) => `name ${name} ${all}`))
      .toString()
      .split('\n');
    const differs = (name: string, i: number): boolean =>
      abis.some(([, abi], k) => {
        const theirs = Number((answers[i] ?? '').split(' ')[k]);
        const ours = abi && syscallNumbers(abi).get(name);
        // A number below zero stands for a call that there is not, or that can be made in two ways.
        return theirs < 0 ? theirs === -1 || (ours !== undefined && !isMultiplexed(name)) : theirs !== ours;
      });
    return new Set(names.filter(differs));
  }

  /** The filter of a profile, as runc makes it but for what it adds to that; an unknown architecture kills the process. One of a single architecture is not for the machine's own. */
  filter({ defaultAction, defaultErrnoRet, architectures: listed, syscalls }: ResolvedProfile, optimize: 0 | 2 = 0): Uint8Array {
    const otherwise = returnValue(defaultAction, defaultErrnoRet);
    const lines = [`default ${otherwise.toString(16)} ${actionValues.SCMP_ACT_KILL_PROCESS.toString(16)} ${optimize}`];
    const archs = listed.map((architecture) => (tokens[architecture] as number).toString(16));
    for (const arch of archs) lines.push(`arch ${arch}`);
    if (archs.length === 1) lines.push(`alone ${archs[0]}`);
    for (const rule of syscalls) {
      const action = returnValue(rule.action, rule.errnoRet);
      if (action === otherwise) continue;
      for (const name of rule.names ?? [])
        for (const args of split(rule)) lines.push(`rule ${action.toString(16)} ${name} ${args.length}${args.map(conditionOf).join('')}`);
    }
    return this.#run(lines);
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true });
  }

  #run(lines: readonly string[]): Buffer {
    const { status, stdout, stderr } = spawnSync(this.#program, { input: lines.join('\n'), maxBuffer: 2 ** 22 });
    if (status !== 0) throw new Error(`libseccomp: ${stderr.toString()} (${status})`);
    return stdout;
  }
}

/** As runc does it, conditions on the same argument are rules of their own. */
function split({ args }: SeccompRule): (readonly SeccompArg[])[] {
  const all = args ?? [];
  return new Set(all.map(({ index }) => index)).size < all.length ? all.map((arg) => [arg]) : [all];
}

function conditionOf({ index, op, value, valueTwo }: SeccompArg): string {
  return ` ${index} ${ops[op]} ${value} ${valueTwo ?? 0}`;
}
