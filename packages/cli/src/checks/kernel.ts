import { readFileSync } from 'node:fs';
import { arch, release } from 'node:os';

import { KERNEL_FLOOR, requireKernel } from '@ctr/syscall';

import { attempt, tried, type Finding, type Section } from './check.js';

/** The kernel itself, and whether it starts plans. */
export async function kernel(): Promise<Section> {
  return { title: 'Kernel', findings: [version(), architecture(), await memfd()] };
}

function version(): Finding {
  const found = release();
  const finding = { what: 'version', needed: true, found };
  try {
    requireKernel(found);
    return { ...finding, ok: true };
  } catch {
    return { ...finding, ok: false, advice: `ctr needs Linux ${KERNEL_FLOOR} or newer` };
  }
}

function architecture(): Finding {
  const ok = arch() === 'x64' || arch() === 'arm64';
  return { what: 'architecture', ok, needed: true, found: arch(), ...(!ok && { advice: 'ctr runs on x64 and arm64' }) };
}

/** Plans are started from memory files. */
async function memfd(): Promise<Finding> {
  const setting = readSetting('/proc/sys/vm/memfd_noexec');
  const works = setting === undefined ? 'a plan starts' : `a plan starts (vm.memfd_noexec=${setting})`;
  return tried('memory files', true, await attempt([]), works, 'sysctl vm.memfd_noexec=1 (as root) allows to execute memory files that ask for it');
}

/** What a file of /proc or /sys says; `undefined` where there is none. */
export function readSetting(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
