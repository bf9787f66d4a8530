import { readFileSync } from 'node:fs';

/**
 * Whether the kernel would drop a signal that is sent to a process: it is pid 1 of a pid namespace, and neither handles, ignores nor blocks the signal.
 *
 * @see pid_namespaces(7): an init gets only the signals that it has a handler for
 */
export function isDropped(pid: number, signal: number): boolean {
  const status = read(`/proc/${pid}/status`);
  // NSpid: its pid in each namespace, the innermost last. SigBlk, SigIgn, SigCgt: bit n - 1 for signal n, in hexadecimal.
  const isInit = /^NSpid:.*\t1$/m.test(status);
  const isMinded = [...status.matchAll(/^Sig(?:Blk|Ign|Cgt):\t([0-9a-f]+)$/gm)].some(([, mask]) => BigInt(`0x${mask}`) & (1n << BigInt(signal - 1)));
  return isInit && !isMinded;
}

/** Whether a process ignores or handles a signal. */
export function isHandled(pid: number, signal: number): boolean {
  return [...read(`/proc/${pid}/status`).matchAll(/^Sig(?:Ign|Cgt):\t([0-9a-f]+)$/gm)].some(([, mask]) => BigInt(`0x${mask}`) & (1n << BigInt(signal - 1)));
}

/** Whether a process is in the foreground of its terminal. */
export function isInForeground(pid: number): boolean {
  // 4711 (a name) S ppid pgrp session tty_nr tpgid …
  const [, , pgrp, , , tpgid] = /\) (.*)/s.exec(read(`/proc/${pid}/stat`))?.[1]?.split(' ') ?? [];
  return pgrp !== undefined && pgrp === tpgid;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
