// Limits for a child of execa, and all that it starts: it reads the output as ever, and the group says what became of it.
import { execa } from 'execa';
import { limit } from '@ctr/cgroups';

// It waits for a line, so that it is in the group before it takes what is more than it may have.
const child = execa('sh', ['-c', 'read go; head -c 100000000 /dev/zero | tail > /dev/null; echo "tail ended with $?"'], { reject: false });
{
  // Disposing the group kills what is left in it, whatever happens meanwhile.
  await using group = await limit(child.pid ?? 0, { pids: 20, memoryBytes: 32 * 2 ** 20, swapBytes: 0 });
  child.stdin.end('go\n');
  const { stdout } = await child;
  console.log(stdout);
  console.log(`killed for lack of memory: ${group.stats().oomKills}`);
}
// prints:
// tail ended with 137
// killed for lack of memory: 1
