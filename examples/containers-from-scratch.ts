// Liz Rice's "Containers From Scratch" with the packages of ctr. As root: node examples/run.mjs containers-from-scratch run <cmd> <args>
import { planGroup, removeGroup } from '@ctr/cgroups';
import { attach, bindMount, inRoot, openPlace, pivotRoot, proc, propagation, tmpfs, unmount } from '@ctr/fs';
import { createFlags, hostname } from '@ctr/namespaces';
import { announceExec, continueInChild, dieWithHost, errnos, explain, fail, label, launch, Memory, resultOf, signals, type Step } from '@ctr/syscall';
import { busyboxRootfs } from './rootfs/busybox.js';

const [action = 'run', ...given] = process.argv.slice(2);
const command = given.length > 0 ? given : ['sh', '-c', 'echo $(hostname), process $$, $(grep thing /proc/mounts)'];
const env = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'];
const running = `Running [${command.join(' ')}] \n`;
const rootfs = process.env['ROOTFS'] ?? busyboxRootfs();
const cgroup = planGroup('liz', { pids: 20 }, { parent: '/', notifyOnRelease: true });
const plan = [...continueInChild({ namespaces: createFlags(['uts', 'pid', 'mount']) }), ...child(command[0] ?? '')];

if (action === 'run') await run();
else console.log(explain(plan));

async function run(): Promise<void> {
  process.stdout.write(running);
  process.on('SIGINT', () => undefined); // Ctrl-C is for the command
  const launched = await launch(plan).catch(async (error: unknown) => {
    await cgroup.undo(error);
    throw error;
  });
  process.exitCode = (await launched.exited).code ?? 1;
  await removeGroup(cgroup.directories);
}

// JavaScript cannot go on in a process that was cloned from Node: the child is no function that runs there, but the list of what happens there.
function child(program: string): Step[] {
  const [root, place, forked, status] = [bindMount(rootfs, { recursive: true, as: 'root' }), openPlace(rootfs), label('the command'), new Memory(8, 'status')];
  const fork: Step = { call: 'clone', args: [signals.SIGCHLD, 0, null, null, null], purpose: 'a process for the command', jump: { when: '==', to: forked } };
  const code: Step = { call: 'add', args: [status.u8(1), status.u8(0)], purpose: 'its exit code, or the signal that ended it' };
  const files = program.includes('/') ? [program] : ['/usr/sbin', '/usr/bin', '/sbin', '/bin'].map((directory) => `${directory}/${program}`);
  return [
    ...dieWithHost(),
    { call: 'write', args: [1, running, Buffer.byteLength(running)], purpose: 'say what runs' },
    ...cgroup.steps,
    ...hostname('container'),
    ...propagation('/', 'private', { recursive: true }),
    ...[root.steps, place.steps, attach(root.mount, place.fd), pivotRoot(root.mount)].flat(),
    ...proc(inRoot(root.mount, 'proc')),
    ...tmpfs(inRoot(root.mount, 'mytemp'), { source: 'thing' }),
    fork,
    { call: 'close', args: [3], purpose: 'only the command reports to the host from here on' },
    { call: 'wait4', args: [resultOf(fork), status, 0, null], purpose: 'wait for it' },
    ...['/proc', '/mytemp'].flatMap((at) => unmount(at, { detach: true })),
    code,
    { call: 'exit_group', args: [resultOf(code)], purpose: 'end as it did' },
    forked,
    announceExec(),
    ...files.map((file): Step => ({ call: 'execve', args: [file, command, env], purpose: 'the command', tolerates: ['ENOENT', 'ENOTDIR'] })),
    fail(errnos.ENOENT, `find ${program} in the container`),
  ];
}
// prints:
// Running [sh -c echo $(hostname), process $$, $(grep thing /proc/mounts)]…
// Running [sh -c echo $(hostname), process $$, $(grep thing /proc/mounts)]…
// container, process 2, thing /mytemp tmpfs rw,nosuid,nodev,relatime 0 0
