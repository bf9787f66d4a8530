// A second program in the namespaces of a container that runs: what `docker exec` does, from its parts.
import { join } from '@ctr/namespaces';
import { start } from '@ctr/runtime';
import { continueInChild, launch } from '@ctr/syscall';

const container = await start(['sleep', '60'], { hostname: 'box' });
const visitor = await launch([
  ...join(container.pid, 'mount', 'pid', 'uts', 'net', 'ipc'),
  ...continueInChild(), // a pid namespace is for the next process
  {
    call: 'execve',
    args: ['/bin/sh', ['sh', '-c', 'echo "process $$ of $(hostname), where 1 is $(cat /proc/1/comm)"'], ['PATH=/usr/bin:/bin']],
    purpose: 'the visitor',
  },
]);
await visitor.exited;
container.kill('SIGKILL');
console.log('the container ended by', (await container.exited).signal);
// prints:
// process 2 of box, where 1 is sleep
// the container ended by SIGKILL
