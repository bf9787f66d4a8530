/** Children of this thread that somebody waits for, or that are left alone. */
const known = new Set<number>();

export function isKnown(pid: number): boolean {
  return known.has(pid);
}

/** A child that is waited for elsewhere. */
export function leaveAlone(pid: number): void {
  known.add(pid);
}

/** A process that has been waited for: its pid may become another's. */
export function forget(pid: number): void {
  known.delete(pid);
}
