// A path that an image can influence is never handed to the kernel as a string.
import { describe, expect, it } from 'vitest';

import { childPlan, plan, privileged, standalonePlan, type ContainerOptions } from '@ctr/runtime';
import { AT_FDCWD, closeRangeFlags, explainCall, resolveFlags, signatures, type Arg, type Plan, type Step } from '@ctr/syscall';

/** What is known of the open files at a step, and of the process. */
interface Scene {
  /** What the process's own mounts are, and what has been opened below them: names in them are ctr's. */
  readonly own: ReadonlySet<Step>;
  /** The new root is the only root there is: paths are the container's, and lead nowhere else. */
  readonly inside: boolean;
  /** The working directory is one of the own mounts. */
  readonly cwdOwn: boolean;
  /** No file of the host is open any more, to which a link to /proc/self/fd could lead. */
  readonly closed: boolean;
}

const hostFiles = /^\/(usr|bin|sbin|lib|lib32|lib64|libx32|sys|proc|dev\/(null|zero|full|random|urandom|tty)|etc\/[a-z-][a-z./-]+)$/;
const bindSource = '/usr/share';
const strict = resolveFlags.RESOLVE_BENEATH | resolveFlags.RESOLVE_NO_XDEV | resolveFlags.RESOLVE_NO_SYMLINKS | resolveFlags.RESOLVE_NO_MAGICLINKS;

/** Which paths may be handed over, and why. */
const allowed: readonly (readonly [why: string, rule: (step: Step, path: string, at: Arg | undefined, scene: Scene) => boolean])[] = [
  ['the open file itself, or the working directory', (_, path) => path === '' || path === '.'],
  ['resolved with the root as /, whatever links there are', (step) => step.call === 'openat2' && (resolveOf(step) & resolveFlags.RESOLVE_IN_ROOT) !== 0],
  ['names below a mount of ctr, which nobody has filled but it', (_, path, at, { own }) => isPlain(path) && isResult(at) && own.has(at.step)],
  [
    'a single name that is made, which is never followed if it is a link',
    (step, path, at) => ['mkdirat', 'mknodat', 'symlinkat'].includes(step.call) && isPlain(path) && !path.includes('/') && isResult(at),
  ],
  ['layers that are named from the working directory, a mount of ctr', (step, path, _at, { cwdOwn }) => step.call === 'fsconfig' && isPlain(path) && cwdOwn],
  [
    'files of the host, before its root is left',
    (_, path, at, { inside }) => !inside && (at === AT_FDCWD || at === undefined) && (hostFiles.test(path) || path === bindSource),
  ],
  ['the root, where no link can be', (_, path, _at, { inside }) => inside && path === '/'],
  [
    'where to start: a directory of the container, reached within it and by no link to an open file',
    (step, _path, _at, { inside }) => inside && step.call === 'openat2' && (resolveOf(step) & resolveFlags.RESOLVE_NO_MAGICLINKS) !== 0,
  ],
  [
    'names below a proc, whosever it is, by which no link and no mount is reached',
    (step, path) => step.call === 'openat2' && path.startsWith('sys/') && (resolveOf(step) & strict) === strict,
  ],
  ['the program: a file of the container, executed within it', (step, _path, _at, { inside, closed }) => inside && closed && step.call === 'execve'],
  ['why the program was not executed, which only looks', (step, _path, _at, { inside, closed }) => inside && closed && step.call === 'faccessat'],
];

/** The paths of a plan, from the making of its root on, that nothing allows; notes in `used` what did allow the others. */
function violations(steps: Plan, used: Set<string>, { closing = 0 }: { readonly closing?: number } = {}): string[] {
  const own = new Set<Step>();
  let [inside, cwdOwn, closed] = [false, false, false];
  const found: string[] = [];
  const start = steps.findIndex((step) => step.as === 'root');
  for (const [i, step] of steps.entries()) {
    if (i > start) {
      for (const { path, at } of pathsOf(step)) {
        const why = allowed.find(([, rule]) => rule(step, path, at, { own, inside, cwdOwn, closed }));
        if (why) used.add(why[0]);
        else found.push(`${explainCall(step)}  # ${step.purpose}`);
      }
    }
    if (isOwn(step, own)) own.add(step);
    if (step.call === 'fchdir') cwdOwn = isResult(step.args[0]) && own.has(step.args[0].step);
    if (step.call === 'chdir') cwdOwn = false;
    if (step.call === 'pivot_root') inside = true;
    if (step.call === 'close_range' && step.args[1] === 0xffffffff) closed = step.args[2] === closing;
    if (step.call.startsWith('open')) closed = false;
  }
  return found;
}

/** Whether a step opens a mount that ctr has filled, or something below one. */
function isOwn(step: Step, own: ReadonlySet<Step>): boolean {
  if (step.call === 'fsmount') return true;
  const at = step.args[0];
  return (step.call === 'openat' || step.call === 'open_tree') && isResult(at) && own.has(at.step);
}

function pathsOf(step: Step): { path: string; at: Arg | undefined }[] {
  if (step.call === 'add') return [];
  if (step.call === 'statx') return [{ path: String(step.args[1]), at: step.args[0] }];
  const kinds = signatures[step.call];
  if (!kinds) throw new Error(`the rules do not know ${step.call}`);
  // What a link says is resolved by whoever follows it; what fsconfig sets is a path for overlayfs alone.
  if (step.call === 'symlinkat') return [{ path: String(step.args[2]), at: step.args[1] }];
  if (step.call === 'fsconfig')
    return ['lowerdir', 'upperdir', 'workdir', 'lowerdir+'].includes(String(step.args[2])) ? [{ path: String(step.args[3]), at: undefined }] : [];
  return kinds.flatMap((kind, i) => {
    const arg = step.args[i];
    if (kind !== 'path' || arg === null || arg === undefined) return [];
    if (typeof arg !== 'string') throw new Error(`the rules do not know a path that is computed: ${explainCall(step)}`);
    return [{ path: arg, at: kinds[i - 1] === 'dirfd' ? step.args[i - 1] : undefined }];
  });
}

function resolveOf(step: Step): number {
  const how = step.args[2];
  if (typeof how !== 'object' || how === null || !('kind' in how) || how.kind !== 'struct') return 0;
  return Number(how.values['resolve']);
}

function isPlain(path: string): boolean {
  return path !== '' && !path.startsWith('/') && !path.split('/').includes('..');
}

function isResult(arg: Arg | undefined): arg is Extract<Arg, { kind: 'result' }> {
  return typeof arg === 'object' && arg !== null && 'kind' in arg && arg.kind === 'result';
}

/** What of a container's hardening makes steps. */
const hardenings: readonly ContainerOptions[] = [
  {},
  privileged,
  {
    devices: [{ device: '/dev/null', to: '/dev/more/null' }, { device: '/dev/zero' }],
    sysctls: { 'net.ipv4.ip_forward': '1', 'kernel.shmmax': '4096' },
    maskedPaths: ['/etc/shadow', '/proc/sys/kernel', '/sys/firmware', '/dev/zero'],
    readonlyPaths: ['/etc', '/proc/sys', '/dev/shm'],
    capabilities: { add: ['CAP_NET_RAW'], drop: ['CAP_CHOWN'] },
    rlimits: { nofile: 64 },
    umask: 0o077,
    seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mount'], action: 'SCMP_ACT_ERRNO' }] },
  },
  { capabilities: { drop: 'all' }, seccomp: 'unconfined', noNewPrivileges: false, devices: [{ device: '/dev/full' }], readonlyPaths: ['/'] },
];

/** All mixtures of a few values for each option. */
function mixtures(): ContainerOptions[] {
  const map = [{ inside: 0, outside: 100_000, count: 65_536 }];
  const axes: readonly (readonly ContainerOptions[])[] = [
    [{}, { rootfs: '/' }],
    [{}, { readonly: true }],
    [{}, { init: true }],
    [{}, { terminal: { columns: 80, rows: 24 } }],
    [{}, { user: { uid: 1000, gid: 1000 }, cwd: '/home' }],
    [
      {},
      {
        mounts: [
          { tmpfs: '/a/b/c', sizeBytes: 4096 },
          { bind: bindSource, to: '/data/./x', readonly: true },
          { bind: '/etc/passwd', to: '/etc/users' },
        ],
      },
    ],
    [
      { namespaces: { user: 'host' } },
      { namespaces: { user: 'new' }, uidMap: map, gidMap: map },
      { namespaces: { user: 'new', net: 'host', ipc: 'host' }, uidMap: map, gidMap: map },
      { namespaces: { user: 'host', net: 'host', pid: 'host', time: 'new' } },
      { namespaces: { user: 'new', pid: 'host' }, uidMap: map, gidMap: map },
    ],
  ];
  let all: ContainerOptions[] = [{ cgroup: false }];
  for (const axis of axes) all = all.flatMap((options) => axis.map((more) => ({ ...options, ...more })));
  return all.flatMap((options) => hardenings.slice(0, options.readonly ? 1 : undefined).map((hardening) => ({ ...options, ...possible(hardening, options) })));
}

/** Settings of a namespace that the container does not have are refused. */
function possible({ sysctls, ...rest }: ContainerOptions, { namespaces }: ContainerOptions): ContainerOptions {
  return sysctls && namespaces?.net === undefined ? { ...rest, sysctls } : rest;
}

describe('in no plan does a step hand over a path that the image can influence', () => {
  const used = new Set<string>();

  it('of all mixtures of options', () => {
    for (const options of mixtures()) expect(violations(plan(['sh'], options), used), JSON.stringify(options)).toEqual([]);
  });

  it('of a child, nor of an executable', () => {
    for (const options of mixtures().filter(({ terminal, uidMap, readonly }) => !terminal && !uidMap && !readonly)) {
      expect(violations(standalonePlan(['sh'], options), used), JSON.stringify(options)).toEqual([]);
      if (options.init || options.sysctls) continue;
      expect(violations(childPlan(['sh'], options), used), JSON.stringify(options)).toEqual([]);
      // It closes what of Node's files it can when it is taken, with their numbers.
      expect(
        violations(childPlan(['sh'], { ...options, passThrough: true }), used, { closing: closeRangeFlags.CLOSE_RANGE_CLOEXEC }),
        JSON.stringify(options),
      ).toEqual([]);
    }
  });

  it('and each of the reasons to allow one is needed', () => {
    expect(allowed.map(([why]) => why).filter((why) => !used.has(why))).toEqual([]);
  });

  it('and the rules would tell', () => {
    const steps = plan(['/bin/sh'], { cgroup: false, rootfs: '/', namespaces: { user: 'host' } });
    const root = steps.findIndex((step) => step.as === 'root');
    const pivot = steps.findIndex((step) => step.call === 'pivot_root');
    const bad: readonly (readonly [number, Step])[] = [
      [root + 1, { call: 'mkdirat', args: [AT_FDCWD, '/srv/image/proc', 0o755], purpose: 'a path into the image' }],
      [root + 1, { call: 'mount', args: ['proc', 'proc', 'proc', 0, null], purpose: 'a name below the working directory' }],
      [
        root + 1,
        { call: 'openat', args: [{ kind: 'result', step: steps[root] as Step }, 'etc', 0, 0], purpose: 'a name in the image, followed if it is a link' },
      ],
      [
        root + 1,
        {
          call: 'mkdirat',
          args: [{ kind: 'result', step: steps[root] as Step }, 'var/cache', 0o755],
          purpose: 'two names in the image, the first of which is followed',
        },
      ],
      [pivot + 1, { call: 'chdir', args: ['/srv'], purpose: 'a directory of the container, by whatever links' }],
      [pivot + 1, { call: 'execve', args: ['/bin/sh', ['sh'], []], purpose: 'a program that is looked up while directories of the host are open' }],
      [pivot + 1, { call: 'openat', args: [AT_FDCWD, '/etc/passwd', 0, 0], purpose: 'a file of the container, read as root of the host' }],
    ];
    for (const [at, step] of bad) expect(violations(steps.toSpliced(at, 0, step), new Set())).toEqual([expect.stringContaining(step.purpose)]);
  });
});
