// A program that runs what is installed, but sees no other files than those of one directory. Any user can do this.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { landlock, noNewPrivs } from '@ctr/security';
import { launch, type Plan } from '@ctr/syscall';

const directory = mkdtempSync(join(tmpdir(), 'one-'));
const installed = ['/usr', '/bin', '/lib', '/lib64'].map((path) => ({ path, allow: ['read', 'execute'], optional: true }) as const);
const rules = { paths: [...installed, { path: directory, allow: ['read', 'write'] }], scopes: ['signal'] } as const;
const script = 'echo "something of its own" > file; cat file; cat /etc/passwd || echo "not that"; kill -0 $PPID || echo "nor a signal"';
const plan: Plan = [
  ...noNewPrivs(),
  ...landlock(rules, { strict: true }), // an error where the kernel cannot do all of it
  { call: 'chdir', args: [directory], purpose: 'start there' },
  { call: 'execve', args: ['/bin/sh', ['sh', '-c', `exec 2>&-; ${script}`], ['PATH=/usr/bin:/bin']], purpose: 'the program' },
];
const child = await launch(plan);
await child.exited;
rmSync(directory, { recursive: true });
// prints:
// something of its own
// not that
// nor a signal
