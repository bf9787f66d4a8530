import { readdirSync } from 'node:fs';

/** Files and directories of /proc and /sys that tell of the host and its other users, or reach into them. */
const masked = [
  '/proc/acpi', '/proc/allocinfo', '/proc/asound', '/proc/dynamic_debug', '/proc/interrupts', '/proc/kcore', '/proc/keys', '/proc/kpagecgroup', '/proc/kpagecount', '/proc/kpageflags', '/proc/latency_stats',
  '/proc/pagetypeinfo', '/proc/sched_debug', '/proc/scsi', '/proc/slabinfo', '/proc/timer_list', '/proc/timer_stats', '/proc/vmallocinfo',
  '/sys/devices/virtual/powercap', '/sys/firmware',
]; // prettier-ignore

/**
 * Parts of /proc by which the whole host is configured: what a container cannot write by default.
 *
 * @example
 * ```ts
 * import { readonlySystemPaths, run } from '@ctr/runtime';
 * await run(['true'], { readonlyPaths: [...readonlySystemPaths, '/etc'] });
 * ```
 */
export const readonlySystemPaths: readonly string[] = ['/proc/bus', '/proc/driver', '/proc/fs', '/proc/irq', '/proc/mtrr', '/proc/sys', '/proc/sysrq-trigger'];

let known: readonly string[] | undefined;

/**
 * What a container's /proc and /sys do not show by default. Acts: each processor of this host has a directory that tells when it was too hot, and so what others compute,
 * and each PCI bus has the registers of its devices.
 *
 * @example
 * ```ts
 * import { maskedSystemPaths, run } from '@ctr/runtime';
 * await run(['true'], { maskedPaths: [...maskedSystemPaths(), '/etc/passwd'] });
 * ```
 */
export function maskedSystemPaths(): readonly string[] {
  known ??= [...masked, ...buses(), ...throttles()];
  return known;
}

/** The devices of the host, whose registers root may map by files of sysfs, on a mount that is read-only, too: reading them can have effects. */
function buses(): string[] {
  return namesIn('/sys/devices')
    .filter((name) => /^pci[\da-f]/.test(name))
    .map((name) => `/sys/devices/${name}`);
}

function throttles(): string[] {
  const processors = '/sys/devices/system/cpu';
  return namesIn(processors)
    .filter((name) => /^cpu\d+$/.test(name) && namesIn(`${processors}/${name}`).includes('thermal_throttle'))
    .map((name) => `${processors}/${name}/thermal_throttle`);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
