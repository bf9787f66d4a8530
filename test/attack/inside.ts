// Attacks by system calls and files, all made by one program in one container for each cell.
import type { Attack } from './attack.js';
import { gotThrough, held, refused } from './attack.js';
import type { Caller } from './callers.js';
import type { Way } from './job.js';
import { ended, type Stage } from './stage.js';

interface Inside {
  readonly name: string;
  readonly tries: string;
  readonly without?: Attack['without'];
  /** Why no place is known where it may succeed without harm. */
  readonly noControl?: string;
}

const groups: Readonly<Record<string, readonly Inside[]>> = {
  'Mounts and namespaces': [
    { name: 'mount', tries: 'mount, remount, move and unmount what is in the container' },
    { name: 'new-mount-api', tries: '`fsopen`, `fspick`, `open_tree`, `mount_setattr`, `pivot_root`' },
    { name: 'namespaces', tries: '`unshare` of each kind, `clone`, `clone3`, `setns`' },
    { name: 'escape-root', tries: 'a file of the host by `..`, `/proc/1/root`, and `chroot` without `chdir`' },
  ],
  'The kernel': [
    { name: 'kernel-doors', tries: 'io_uring, bpf, perf, userfaultfd, AF_ALG, AF_VSOCK, raw sockets, the kernel’s log, modules, swap, ports' },
    { name: 'foreign-calls', tries: 'the same by calls of i386 (`int 0x80`) and of x32' },
    { name: 'file-handle', tries: '`open_by_handle_at`, with a handle of its own and a guessed one' },
    { name: 'keys', tries: '`add_key`, `keyctl`, `request_key`' },
    { name: 'configure-host', tries: 'opens `core_pattern`, `sysrq-trigger`, `uevent_helper` and others for writing' },
    { name: 'masked', tries: 'reads `/proc/kcore`, `keys`, `timer_list`, `interrupts`, `/sys/firmware` and others' },
  ],
  'Control groups and devices': [
    { name: 'cgroup-v1', tries: 'mounts each hierarchy of version 1, and version 2', noControl: 'a mount of a hierarchy takes root of the host' },
    { name: 'cgroup-files', tries: 'opens every file below `/sys/fs/cgroup` for writing, makes a group' },
    { name: 'devices', tries: 'makes a device file, opens devices of the host' },
    {
      name: 'device-modes',
      tries: 'sets the mode of `/dev/null` and the others, where they are files of the host',
      noControl: '`mask.root.test.ts` and `devices.root.test.ts` have it',
    },
  ],
  'Rights and secrets': [
    { name: 'capabilities', tries: 'has inheritable or ambient capabilities, or any that changes the host; lacks `no_new_privs`' },
    {
      name: 'image-rights',
      tries: 'a set-user-id program and one with file capabilities, as another user',
      noControl: '`attack/capabilities.root.test.ts` has it',
    },
    {
      name: 'init',
      tries: 'traces, reads or follows the first process of ctr',
      without: (way) => (way === 'ctr child' || way.startsWith('OCI') ? 'the first process is the program itself' : undefined),
      noControl: '`attack/other-processes.root.test.ts` has it',
    },
    { name: 'open-files', tries: 'has a file open besides the standard streams' },
    { name: 'secrets', tries: 'finds a text of the caller’s environment, or a variable that a shell, the linker or Node obeys' },
    { name: 'program-files', tries: '`/proc/self/exe` is Node', noControl: '`attack/proc-self-exe.root.test.ts` has it' },
    {
      name: 'abstract-socket',
      tries: 'connects to an abstract socket of the host',
      without: (way, { job }) =>
        way === 'ctr child'
          ? 'the network is that of the caller'
          : way.startsWith('OCI') && job.owner !== undefined
            ? 'the bundle shares the network'
            : undefined,
    },
  ],
};

/** What is open is looked at first: the others open files. */
const names = [
  'open-files',
  ...Object.values(groups)
    .flatMap((attacks) => attacks.map(({ name }) => name))
    .filter((name) => name !== 'open-files'),
];
const results = new Map<string, Promise<Map<string, readonly [got: boolean, detail: string]> | string>>();

/** All of them in one container: what each found, or why the container did not start. */
function together(stage: Stage, caller: Caller, way: Way): Promise<Map<string, readonly [boolean, string]> | string> {
  const key = `${caller.name}, ${way}`;
  const known = results.get(key) ?? attempted(stage, caller, way);
  results.set(key, known);
  return known;
}

async function attempted(stage: Stage, caller: Caller, way: Way): Promise<Map<string, readonly [boolean, string]> | string> {
  // The program is not the first process: that is the shell, or an init.
  const command = ['/bin/sh', '-c', `/attack/attempts ${names.join(' ')}; :`];
  const options = way === 'ctr child' || way.startsWith('OCI') ? {} : { init: true };
  const { stdout, stderr, outcomes } = await stage.run(caller, way, { rootfs: stage.image(caller), options, commands: [{ command }] });
  return stdout === '' ? (outcomes[0]?.error ?? stderr) : parsed(stdout);
}

function parsed(stdout: string): Map<string, readonly [boolean, string]> {
  return new Map(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'))
      .map(([name = '', mark, detail = '']) => [name, [mark === 'got', detail]]),
  );
}

/** One of them in new namespaces of the host, by a caller who has all rights there, and everything of the host in sight. */
async function allowed(stage: Stage, caller: Caller, name: string): Promise<boolean> {
  const user = caller.rootOutside === 0 ? [] : ['--user', '--map-root-user'];
  const words = [...caller.by(stage.directory), 'unshare', '--mount', '--pid', '--fork', '--uts', '--ipc', ...user, stage.attempts, name];
  const { stdout } = await ended(stage.spawned(words, undefined, stage.env));
  return parsed(stdout).get(name)?.[0] ?? false;
}

/** One for each attempt. */
export const inside: readonly Attack[] = Object.entries(groups).flatMap(([group, attacks]) =>
  attacks.map(({ name, tries, without, noControl }): Attack => ({
    name,
    group,
    tries,
    ...(without && { without }),
    async attempt(stage, caller, way) {
      const found = await together(stage, caller, way);
      if (typeof found === 'string') return refused(found);
      const [got, detail] = found.get(name) ?? [true, 'the program did not come to it'];
      return got ? gotThrough(detail) : held(detail);
    },
    control: (stage, caller) => noControl ?? allowed(stage, caller, name),
  })),
);
