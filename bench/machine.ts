import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { setTimeout } from 'node:timers/promises';

/** What the figures depend on, as lines of a list. */
export function machine(): string[] {
  const [cpu] = cpus();
  return [
    `Linux ${release()}`,
    `${cpu?.model.trim() ?? 'an unknown CPU'}, ${availableParallelism()} cores${isVirtual() ? ' of a virtual machine' : ''}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    `Node ${process.versions.node}`,
    ...['bwrap', 'runc', 'gcc', 'busybox'].map(version),
  ];
}

/** How much of the machine nobody else uses, in percent, measured for a second: figures of a busy machine say little. */
export async function idlePercent(): Promise<number> {
  const before = cpuTimes();
  await setTimeout(1000);
  const after = cpuTimes();
  return Math.round((100 * (after.idle - before.idle)) / (after.all - before.all));
}

function cpuTimes(): { readonly idle: number; readonly all: number } {
  const times = cpus().map((cpu) => cpu.times);
  return {
    idle: times.reduce((sum, { idle }) => sum + idle, 0),
    all: times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0),
  };
}

/** The first line a program says of its version, or that it is not there. */
function version(program: string): string {
  try {
    const [line = ''] = execFileSync(program, program === 'busybox' ? [] : ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).split('\n');
    return line.replace(/ multi-call binary\.?$/, '');
  } catch {
    return `${program} is not installed`;
  }
}

function isVirtual(): boolean {
  return /^flags\s*:.* hypervisor\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
}
