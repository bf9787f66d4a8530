// Limits for an ordinary child of node:child_process, with @ctr/cgroups alone.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { limit } from '@ctr/cgroups';

// It waits for a line, and then tries to have thirty processes at once.
const script = 'read go; for i in $(seq 30); do sleep 9 & done 2> /dev/null; wait';
const child = spawn('sh', ['-c', script], { stdio: ['pipe', 'inherit', 'ignore'] });
const ended = once(child, 'exit');
const group = await limit(child.pid ?? 0, { pids: 10 });
child.stdin.end('go\n');
await ended;

const { pidsCurrent, pidsMaxHits } = group.stats();
console.log(`still alive: ${pidsCurrent}, refused by the limit: ${(pidsMaxHits ?? 0) > 0}`);
await group.remove(); // kills what is left in it
// prints:
// still alive: 9, refused by the limit: true
