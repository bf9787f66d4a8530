import type { Process } from '@ctr/oci';

import type { Bundle } from '../bundle.js';

const only = (name: string, process: Partial<Process>, more: Omit<Bundle, 'name' | 'changes'> = {}): Bundle => ({ name, changes: { process }, ...more });
const user = { uid: 1000, gid: 1000 };
const two = ['CAP_CHOWN', 'CAP_NET_RAW'];
const dac = ['CAP_DAC_OVERRIDE'];
const all = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];

export const processBundles: readonly Bundle[] = [
  { name: 'the usual configuration' },
  only('args with a program of PATH', { args: ['echo', 'one', '', 'two  three'] }),
  only('args with a path from the directory to start in', { args: ['./echo', 'found'], cwd: '/bin' }),
  only('args of a program that is not there', { args: ['no-such-program'] }),
  only('args of a path that is not there', { args: ['/no/such/program'] }),
  only('args of a file that is not executable', { args: ['/etc/passwd'] }),
  only('args of a directory', { args: ['/etc'] }),
  only('args of a script without an interpreter line', { args: ['/bin/plain-script'] }),
  only('an exit code', { args: ['sh', '-c', 'exit 7'] }),
  only('an end by a signal', { args: ['sh', '-c', 'kill -KILL $$'] }),
  only('standard input', { args: ['cat'] }, { input: 'from the caller\n' }),
  only('standard error', { args: ['sh', '-c', 'echo out; echo error >&2'] }),
  only('env in its order, with one name twice', { env: ['PATH=/bin', 'B=2', 'A=1', 'B=3', 'EMPTY='] }),
  only('env with an empty home', { env: ['PATH=/bin', 'HOME='] }),
  only('env with an empty home of a user', { user, env: ['PATH=/bin', 'HOME=', 'HOME=/first', 'HOME='] }),
  only('env with a home', { env: ['PATH=/bin', 'HOME=/elsewhere'] }),
  only('env without PATH', { env: ['A=1'] }),
  only('env without PATH, for a program of no path', { env: ['A=1'], args: ['echo', 'found'] }),
  only('no env', { env: [] }),
  only('cwd', { cwd: '/etc' }),
  only('cwd that is not there', { cwd: '/new/directory' }),
  only('cwd that is not there, in a root that can be written', { cwd: '/new/directory' }, { before: 'true' }),
  only('cwd that is a file', { cwd: '/etc/passwd' }),
  only('cwd that is a link', { cwd: '/link-to-etc' }),
  only('cwd that the user may not enter', { cwd: '/root', user, capabilities: {} }),
  only('user', { user }),
  only('user who is not in /etc/passwd', { user: { uid: 4321, gid: 1234 } }),
  only('user with further groups', { user: { ...user, additionalGids: [5, 20, 1000] } }),
  only('user root with further groups', { user: { uid: 0, gid: 0, additionalGids: [1, 2, 3] } }),
  only('umask', { user: { uid: 0, gid: 0, umask: 0o77 } }),
  only('umask 0', { user: { uid: 0, gid: 0, umask: 0 } }),
  only('capabilities none', { capabilities: {} }),
  only('capabilities not named', { capabilities: undefined } as unknown as Partial<Process>),
  only('capabilities in all sets', { capabilities: { bounding: two, permitted: two, effective: two, inheritable: two, ambient: two } }),
  only('capabilities of a user', { user, capabilities: { bounding: two, permitted: two, effective: two, inheritable: two, ambient: two } }),
  only('capabilities of a user, none of them ambient', { user, capabilities: { bounding: two, permitted: two, effective: two, inheritable: two } }),
  only('capabilities of a user that are inheritable alone', { user, capabilities: { bounding: two, inheritable: two } }),
  only('capabilities that are inheritable alone', { capabilities: { bounding: two, inheritable: two } }),
  only(
    'args of a program that nobody may execute but who may do anything',
    {
      user,
      args: ['/bin/of-root'],
      capabilities: { bounding: dac, permitted: dac, effective: dac, inheritable: dac, ambient: dac },
    },
    { before: 'cp rootfs/bin/busybox rootfs/bin/of-root && chmod 700 rootfs/bin/of-root' },
  ),
  only(
    'args of a program that nobody may execute',
    { user, args: ['/bin/of-root'], capabilities: {} },
    { before: 'cp rootfs/bin/busybox rootfs/bin/of-root && chmod 700 rootfs/bin/of-root' },
  ),
  only(
    'args of a program without any x',
    { args: ['/bin/of-root'], capabilities: { bounding: dac, permitted: dac, effective: dac } },
    { before: 'cp rootfs/bin/busybox rootfs/bin/of-root && chmod 600 rootfs/bin/of-root' },
  ),
  only('capabilities in the bounding set only', { capabilities: { bounding: all } }),
  only('capabilities that are ambient and not inheritable', { capabilities: { bounding: two, permitted: two, effective: two, ambient: two } }),
  only('capabilities that are effective and not permitted', { capabilities: { bounding: two, permitted: ['CAP_CHOWN'], effective: two } }),
  only('capabilities that are not known', { capabilities: { bounding: [...two, 'CAP_OF_TOMORROW'], permitted: two, effective: two } }),
  only('rlimits', {
    rlimits: [
      { type: 'RLIMIT_NOFILE', soft: 100, hard: 200 },
      { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
      { type: 'RLIMIT_NPROC', soft: 500, hard: 600 },
      { type: 'RLIMIT_STACK', soft: 4_194_304, hard: 8_388_608 },
      { type: 'RLIMIT_CPU', soft: 100, hard: 200 },
    ],
  }),
  only('rlimits with one type twice', {
    rlimits: [
      { type: 'RLIMIT_NOFILE', soft: 100, hard: 200 },
      { type: 'RLIMIT_NOFILE', soft: 50, hard: 60 },
    ],
  }),
  only('rlimits with more than the hard limit', { rlimits: [{ type: 'RLIMIT_NOFILE', soft: 200, hard: 100 }] }),
  only('no rlimits', { rlimits: [] }),
  only('noNewPrivileges false', { noNewPrivileges: false }),
  only('oomScoreAdj', { oomScoreAdj: 321 }),
  only('a terminal', { terminal: true }, { terminal: true, look: 'echo "tty $(tty)"; echo "console $(stat -c "%F %a %u:%g" /dev/console)"' }),
  only(
    'a terminal of a user',
    { terminal: true, user },
    { terminal: true, look: 'echo "tty $(tty)"; echo "owner $(stat -c "%a %u:%g" $(tty))"; echo "open $( : > /dev/tty && echo yes)"' },
  ),
  only('a terminal with its size', { terminal: true, consoleSize: { width: 91, height: 33 } }, { terminal: true, look: 'echo "size $(stty size)"' }),
  { name: 'files of the caller', files: 2, preserveFds: 2, look: 'echo "third $(cat <&3)"; echo "fourth $(cat <&4)"' },
  { name: 'files of the caller that are not passed on', files: 2 },
  { name: 'sockets of systemd', files: 1, listenFds: 1, look: 'echo "listen $LISTEN_FDS $LISTEN_PID"' },
  { name: 'sockets of systemd and files of the caller', files: 3, listenFds: 1, preserveFds: 2 },
];
