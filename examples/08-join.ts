// A second program in a container that runs, as `docker exec` has it: in the namespaces and the cgroup of the container, with the rights that a container has by default.
// Neither knows of the other's options: where the container has others, give the same ones here.
import { findByName } from '@ctr/cgroups';
import { plan, start, type NamespaceChoice } from '@ctr/runtime';
import { launch, openFlags, resultOf, type Step } from '@ctr/syscall';

const name = `box-${process.pid}`;
const container = await start(['sleep', '60'], { name, hostname: 'box' });
const { pid } = container;

/** Writing 0 moves the process that writes: cgroups(7). One file for each hierarchy that the container is in, on cgroup v2 one. */
const joinCgroup = (findByName(name)?.directories ?? []).flatMap((directory): Step[] => {
  const file: Step = { call: 'openat', args: [-100, `${directory}/cgroup.procs`, openFlags.O_WRONLY | openFlags.O_CLOEXEC, 0], purpose: 'the cgroup' };
  return [file, { call: 'write', args: [resultOf(file), '0', 1], purpose: 'join it' }, { call: 'close', args: [resultOf(file)], purpose: 'joined' }];
});
const at: NamespaceChoice = { pid };
const script = `
  echo "process $$ of $(hostname), where 1 is $(cat /proc/1/comm)"
  grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status
  cmp -s /proc/self/cgroup /proc/1/cgroup && echo "in the cgroup of the container"`;
const visitor = await launch([
  ...joinCgroup,
  ...plan(['sh', '-c', script], { cgroup: false, namespaces: { mount: at, pid: at, uts: at, net: at, ipc: at, cgroup: at } }),
]);
await visitor.exited;
container.kill('SIGKILL');
console.log('the container ended by', (await container.exited).signal);
// prints:
// process 2 of box, where 1 is sleep
// CapEff:	00000000800405fb
// NoNewPrivs:	1
// Seccomp:	2
// in the cgroup of the container
// the container ended by SIGKILL
