// What a container may use, and for how long. Not for hostile programs yet: see docs/security.md.
import { run } from '@ctr/runtime';

for (const command of ['touch /usr/new', 'ls /sys/class/net', 'tail /dev/zero', 'sleep 60', 'echo three; exit 3']) {
  const { exitCode, signal, stdout, oomKilled, timedOut } = await run(['sh', '-c', `exec 2>&1; ${command}`], {
    readonly: true, // / and all that is on it
    mounts: [{ tmpfs: '/tmp', sizeBytes: 2 ** 20 }], // but for this
    limits: { pids: 20, memoryBytes: 32 * 2 ** 20 },
    timeoutMs: 2_000,
    reject: false,
  });
  const why = oomKilled ? 'out of memory' : timedOut ? 'out of time' : stdout.trim();
  console.log(`${command}: ${exitCode ?? signal} ${why}`);
}
// prints:
// touch /usr/new: 1 touch: cannot touch '/usr/new': Read-only file system
// ls /sys/class/net: 0 lo
// tail /dev/zero: 137 out of memory
// sleep 60: SIGKILL out of time
// echo three; exit 3: 3 three
