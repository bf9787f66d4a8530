import { readFileSync } from 'node:fs';

import { capabilityNames, type Capability } from './capability.js';
import { checkInteger } from './check.js';

/** The rights of a process, as the kernel tells them. A capability that only a newer kernel has is named by its number: `CAP_41`. */
export interface ProcessRights {
  readonly inheritable: readonly (Capability | `CAP_${number}`)[];
  readonly permitted: readonly (Capability | `CAP_${number}`)[];
  readonly effective: readonly (Capability | `CAP_${number}`)[];
  readonly bounding: readonly (Capability | `CAP_${number}`)[];
  readonly ambient: readonly (Capability | `CAP_${number}`)[];
  readonly noNewPrivs: boolean;
  readonly seccomp: 'disabled' | 'strict' | 'filter';
}

/**
 * Reads which capabilities a process has, whether it has given up gaining rights, and whether a seccomp filter is around it. Acts: reads `/proc/PID/status`.
 * `self` is the thread that calls.
 *
 * Throws what `node:fs` throws (ENOENT if there is no such process), a `RangeError` for what is no pid, and an `Error` if the file is not as the kernel writes it.
 *
 * @see proc_pid_status(5)
 * @example
 * ```ts
 * import { readCapabilities } from '@ctr/security';
 * console.log(readCapabilities('self').effective.includes('CAP_SYS_ADMIN'));
 * ```
 */
export function readCapabilities(pid: number | 'self' = 'self'): ProcessRights {
  if (pid !== 'self') checkInteger('the pid', pid, 1, 2 ** 22);
  return parseStatus(readFileSync(pid === 'self' ? '/proc/thread-self/status' : `/proc/${pid}/status`, 'latin1'));
}

const seccompModes = ['disabled', 'strict', 'filter'] as const;
/** Each bit's name, those of capabilities that are newer than ctr, too. */
const byNumber: readonly (Capability | `CAP_${number}`)[] = Array.from({ length: 64 }, (_, number) => capabilityNames[number] ?? (`CAP_${number}` as const));

/** Lines such as "CapEff:	000001ffffffffff", "NoNewPrivs:	0", "Seccomp:	2"; the last is missing where the kernel has no seccomp. */
export function parseStatus(text: string): ProcessRights {
  const fields = new Map(text.split('\n').map((line) => line.split(/:\s*/, 2) as [string, string]));
  const set = (field: string): (Capability | `CAP_${number}`)[] => {
    const mask = fields.get(field) ?? '';
    if (!/^[0-9a-f]{16}$/.test(mask)) throw new Error(`the status of the process has no set of capabilities ${field}`);
    const words = [Number.parseInt(mask.slice(8), 16), Number.parseInt(mask.slice(0, 8), 16)] as const;
    return byNumber.filter((_, number) => ((number < 32 ? words[0] : words[1]) >>> (number % 32)) & 1);
  };
  return {
    inheritable: set('CapInh'),
    permitted: set('CapPrm'),
    effective: set('CapEff'),
    bounding: set('CapBnd'),
    ambient: set('CapAmb'),
    noNewPrivs: fields.get('NoNewPrivs') === '1',
    seccomp: seccompModes[Number(fields.get('Seccomp') ?? 0)] ?? 'filter',
  };
}
