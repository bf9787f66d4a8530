import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';

/** What the figures depend on, as lines of a list. */
export function machine(): string[] {
  const [cpu] = cpus();
  return [
    `Linux ${release()}`,
    `${cpu?.model.trim() ?? 'an unknown CPU'}, ${availableParallelism()} cores${isVirtual() ? ' of a virtual machine' : ''}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    `Node ${process.versions.node}`,
    ...['bwrap', 'gcc', 'busybox'].map(version),
  ];
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
