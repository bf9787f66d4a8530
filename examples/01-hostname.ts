// A host name of one's own: one namespace, one system call, one program.
import { create, hostname } from '@ctr/namespaces';
import { launch, type Plan } from '@ctr/syscall';

const plan: Plan = [
  ...create('uts'),
  ...hostname('box'),
  { call: 'execve', args: ['/bin/sh', ['sh', '-c', 'echo "inside: $(cat /proc/sys/kernel/hostname)"'], ['PATH=/usr/bin:/bin']], purpose: 'the program' },
];
const child = await launch(plan);
const { code } = await child.exited;
console.log(`exit code: ${code}`);
// prints:
// inside: box
// exit code: 0
