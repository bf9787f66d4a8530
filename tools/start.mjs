// `npm start`: a container from this checkout. `npm start -- run echo hello` passes its arguments on to ctr;
// without any it is a shell in a container at a terminal, and a short tour of one elsewhere.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { bin, quietly, root, setup } from './setup.mjs';

// The last part may fork no more once the limit is reached: it uses only what the shell has built in.
const tour = `
echo "host name:  $(hostname)"
echo "user:       $(id)"
read name < /proc/1/comm
echo "pid 1:      $name"
set -- /proc/[0-9]*
echo "processes:  $# of this container ($*)"
echo "mounts:     $(grep -c . /proc/self/mountinfo) of its own"
(i=0; while [ $i -lt 50 ]; do sleep 9 & i=$((i + 1)); done) 2> /dev/null
set -- /proc/[0-9]*
echo "pids limit: 50 processes more were started, and there are $#"
`;
// Limits need a cgroup, which root can make; an ordinary user may have none.
const limits = process.getuid?.() === 0 ? ['--pids-limit', '20'] : [];

setup();
quietly(bin('nx'), ['run', '@ctr/cli:build', '--outputStyle=static']);

const given = process.argv.slice(2);
const args = given.length > 0 ? given : process.stdin.isTTY && process.stdout.isTTY ? ['run'] : ['run', ...limits, 'sh', '-c', tour];
const { status, signal } = spawnSync(join(root, 'packages/cli/dist/bin.cjs'), args, { stdio: 'inherit' });
if (signal) process.kill(process.pid, signal);
process.exit(status ?? 1);
