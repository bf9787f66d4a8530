// `npm start`: a container from this checkout. `npm start -- run echo hello` passes its arguments on to ctr;
// without any it is a shell in a container at a terminal, and a short tour of one elsewhere.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { bin, quietly, root, setup } from './setup.mjs';

const tour = `
echo "host name:  $(hostname)"
echo "user:       $(id)"
echo "pid 1:      $(tr '\\0' ' ' < /proc/1/cmdline | cut -c 1-40)"
echo "processes:  $(cd /proc; echo [0-9]*)"
echo "mounts:     $(grep -c . /proc/self/mountinfo)"
i=0; while [ $i -lt 50 ]; do sleep 1 2>/dev/null & i=$((i + 1)); done 2>/dev/null
echo "pids limit: $(cd /proc; echo [0-9]* | wc -w) processes of the 50 that were started exist"
`;

setup();
quietly(bin('nx'), ['run', '@ctr/cli:build', '--outputStyle=static']);

const given = process.argv.slice(2);
const args = given.length > 0 ? given : process.stdin.isTTY && process.stdout.isTTY ? ['run'] : ['run', '--pids', '20', 'sh', '-c', tour];
const { status, signal } = spawnSync(process.execPath, [join(root, 'packages/cli/dist/bin.js'), ...args], { stdio: 'inherit' });
if (signal) process.kill(process.pid, signal);
process.exit(status ?? 1);
