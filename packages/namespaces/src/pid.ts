/** Throws a `RangeError` for what cannot be the pid of one process: 0 and negative numbers mean others to the kernel. */
export function checkPid(pid: number): void {
  if (!Number.isInteger(pid) || pid < 1 || pid > 0x7fffffff) throw new RangeError(`${pid} is not the pid of a process`);
}
