// The filter of system calls: what it costs to compile, and what it costs the program, beside the filter that libseccomp makes of the same profile.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { defaultCapabilities, defaultProfile, resolveProfile, type SeccompAction, type SeccompArg } from '@ctr/security';

import { compileC } from './contender.js';
import type { Row } from './report.js';
import { median } from './samples.js';
import type { Stage } from './stage.js';

const PROCESSES = 11;
const LOOPS = 9;

/** linux/seccomp.h: SECCOMP_RET_ERRNO is completed by the errno. */
const actions: Partial<Record<SeccompAction, number>> = { SCMP_ACT_ERRNO: 0x50000, SCMP_ACT_ALLOW: 0x7fff0000 };
/** linux/seccomp.h: SECCOMP_RET_KILL_PROCESS, for programs of other architectures */
const KILL_PROCESS = 0x80000000;
/** seccomp.h, enum scmp_compare */
const ops: readonly SeccompArg['op'][] = [
  'SCMP_CMP_NE', 'SCMP_CMP_LT', 'SCMP_CMP_LE', 'SCMP_CMP_EQ', 'SCMP_CMP_GE', 'SCMP_CMP_GT', 'SCMP_CMP_MASKED_EQ',
]; // prettier-ignore
/** seccomp.h: SCMP_ARCH_X86, SCMP_ARCH_X32; of arm64, SCMP_ARCH_ARM */
const furtherArchitectures: Readonly<Record<string, readonly string[]>> = { x64: ['40000003', '4000003e'], arm64: ['40000028'] };

/** The rows on the default filter; that on libseccomp is only there where it is installed. */
export function seccompRows(stage: Stage): Row[] {
  return [...compileRows(), ...(existsSync('/usr/include/seccomp.h') ? loopRows(stage) : [])];
}

function compileRows(): Row[] {
  const program = join(fileURLToPath(import.meta.url), '../seccomp-compile.js');
  const times = Array.from({ length: PROCESSES }, () => JSON.parse(execFileSync(process.execPath, [program], { encoding: 'utf8' })) as number[]);
  const [first = NaN, cached = NaN, ahead = NaN] = [0, 1, 2].map((i) => median(times.map((each) => each[i] ?? NaN)));
  return [
    { what: 'compiling the default profile, the first time', measured: `${first.toFixed(1)} ms`, goal: '≤ 10 ms', reached: first <= 10 },
    { what: 'the same again', measured: `${(cached * 1000).toFixed(1)} µs`, goal: '≤ 100 µs', reached: cached <= 0.1 },
    { what: 'the default filter of this machine, which is compiled ahead, the first time', measured: `${ahead.toFixed(2)} ms`, goal: '', reached: undefined },
  ];
}

/** Calls that both filters decide alike, and `ioctl`, of which only ctr's refuses two requests. */
function loopRows({ directory, filter }: Stage): Row[] {
  const loop = compileC('syscall-loop.c', directory, 'syscall-loop');
  const theirs = join(directory, 'libseccomp.filter');
  writeFileSync(theirs, libseccompFilter(directory));
  const runs = { none: [], ours: [], theirs: [] } as Record<'none' | 'ours' | 'theirs', Record<string, number>[]>;
  for (let i = 0; i < LOOPS; i++) {
    runs.none.push(times(loop, '-'));
    runs.ours.push(times(loop, filter));
    runs.theirs.push(times(loop, theirs));
  }
  const names = Object.keys(runs.none[0] ?? {});
  const of = (who: keyof typeof runs, name: string): number => median(runs[who].map((each) => each[name] ?? NaN));
  const alike = names.filter((name) => !/ioctl|socket/.test(name));
  const sum = (who: keyof typeof runs): number => alike.reduce((total, name) => total + of(who, name), 0);
  const [ours, other] = [sum('ours'), sum('theirs')];
  const ioctl = names.find((name) => name.includes('ioctl')) ?? '';
  return [
    {
      what: `a loop of ${alike.length} system calls under the default filter, against libseccomp’s filter of the same profile`,
      measured: `${(ours / other).toFixed(2)} × (${ours.toFixed(0)} and ${other.toFixed(0)} ns, all together)`,
      goal: '≤ 1 ×',
      reached: Number((ours / other).toFixed(2)) <= 1,
    },
    {
      what: 'an `ioctl` under the default filter, which looks at its request, against none at all',
      measured: `${(of('ours', ioctl) - of('none', ioctl)).toFixed(0)} ns more`,
      goal: '',
      reached: undefined,
    },
  ];
}

function times(loop: string, filter: string): Record<string, number> {
  const lines = execFileSync(loop, [filter, '50000'], { encoding: 'utf8' }).trim().split('\n');
  return Object.fromEntries(lines.map((line) => [line.slice(0, 24).trim(), Number(line.slice(24))]));
}

function libseccompFilter(directory: string): Buffer {
  const program = compileC('../packages/security/test/seccomp/libseccomp.c', directory, 'libseccomp', [], ['-lseccomp']);
  const { defaultAction, syscalls } = resolveProfile(defaultProfile, { capabilities: defaultCapabilities });
  const value = (action: SeccompAction, errno?: number | null): number => (actions[action] ?? 0) + (action === 'SCMP_ACT_ERRNO' ? (errno ?? 1) : 0);
  const otherwise = value(defaultAction);
  const lines = [
    `default ${otherwise.toString(16)} ${KILL_PROCESS.toString(16)} 2`,
    ...(furtherArchitectures[process.arch] ?? []).map((token) => `arch ${token}`),
  ];
  for (const { names, action, errnoRet, args, first } of syscalls) {
    const returned = value(action, errnoRet);
    // Its filters have no rules that go before others, and none that say what holds anyway.
    if (first || returned === otherwise) continue;
    const conditions = (args ?? []).map(({ index, op, value: a, valueTwo: b }) => ` ${index} ${ops.indexOf(op) + 1} ${a} ${b ?? 0}`);
    for (const name of names ?? []) lines.push(`rule ${returned.toString(16)} ${name} ${conditions.length}${conditions.join('')}`);
  }
  const { status, stdout, stderr } = spawnSync(program, { input: lines.join('\n') });
  if (status !== 0) throw new Error(`libseccomp ended with ${status}: ${stderr.toString()}`);
  return stdout;
}
