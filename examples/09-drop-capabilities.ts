// Root that may do next to nothing: one capability is left, no file gives another one back, and few files can be open.
import { capabilities, noNewPrivs, rlimits } from '@ctr/security';
import { launch, type Plan } from '@ctr/syscall';

const script = 'echo "user $(id -u), $(grep CapEff /proc/self/status), $(ulimit -n) open files"; hostname box 2> /dev/null || echo "the host name stays"';
const plan: Plan = [
  ...rlimits({ nofile: { soft: 64 }, core: 0 }),
  ...capabilities(['CAP_NET_BIND_SERVICE']),
  ...noNewPrivs(),
  { call: 'execve', args: ['/bin/sh', ['sh', '-c', script], ['PATH=/usr/bin:/bin']], purpose: 'the program' },
];
const child = await launch(plan);
await child.exited;
// prints:
// user 0, CapEff:	0000000000000400, 64 open files
// the host name stays
