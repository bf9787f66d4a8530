const limits: readonly string[] = ['cgroup.max.depth', 'cgroup.max.descendants', 'cgroup.pressure'];

/** Whether a file is a limit that every group of version 2 has, whatever controllers it has. */
export function isCoreFile(file: string): boolean {
  return limits.includes(file);
}
