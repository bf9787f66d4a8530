import {
  capabilityNumbers,
  cloneFlags,
  fsconfigCommands,
  KEEPER_FD,
  mountAttrs,
  namespaceFlags,
  prctlOptions,
  rlimitResources,
  type Plan,
  type Step,
  type Struct,
} from '@ctr/syscall';
import { simulate } from '@ctr/security';

import { rootPurposes } from './rootfs.js';
import { streamNames } from './streams.js';

/** One thing that a container keeps its program from, or lets it have. */
export interface PostureItem {
  /** What it is about: `capabilities`, `seccomp`. */
  readonly item: string;
  /** How it is in this container. */
  readonly value: string;
}

/**
 * What a plan keeps a program from, read from its steps and not from the options that it was made of: what no step does is not said.
 *
 * @example
 * ```ts
 * import { plan, posture } from '@ctr/runtime';
 * for (const { item, value } of posture(plan(['true']))) console.log(`${item}: ${value}`);
 * ```
 */
export function posture(plan: Plan): PostureItem[] {
  const calls = (name: Step['call'], first?: number): Step[] => plan.filter(({ call, args }) => call === name && (first === undefined || args[0] === first));
  return Object.entries({
    namespaces: namespaces(plan),
    user: user(plan),
    'root file system': root(plan),
    'bind mounts': bindMounts(plan),
    'memory for files': memoryForFiles(plan),
    capabilities: capabilities(plan),
    'no new privileges': calls('prctl', prctlOptions.PR_SET_NO_NEW_PRIVS).length > 0 ? 'yes: set-user-id bits and file capabilities have no effect' : 'no',
    seccomp: calls('seccomp')[0]?.purpose ?? 'none: every system call can be made',
    'hidden paths': pathsOf(plan, / is hidden, if it exists$/),
    'read-only paths': pathsOf(plan, / is read-only, if it exists$/),
    sysctls: listed(plan.filter(({ call, purpose }) => call === 'write' && /^[a-z]+\..* = /.test(purpose)).map(({ purpose }) => purpose)),
    network: network(plan),
    limits: limits(plan),
    devices: devices(plan),
    'resource limits': listed(calls('prlimit64').flatMap((step) => (step.args[2] === null ? [] : resourceLimit(step, plan)))),
    keyring: calls('keyctl').length > 0 ? 'a new one' : "the caller's",
    session: plan.some(isOwnSession) ? 'a new one: no input and no signals by way of the terminal of the caller' : "the caller's",
    'standard streams': streams(plan),
    'open files': calls('close_range').length > 0 ? 'stdin, stdout and stderr' : "all of the caller's",
    umask: octal(calls('umask').at(-1)?.args[0]),
    environment: environment(calls('execve')[0]),
    'die with ctr': tie(plan),
    'pid 1': plan.some(({ purpose }) => purpose === 'a process for the program') ? 'an init, which reaps orphans' : 'the program',
  }).map(([item, value]) => ({ item, value }));
}

/** The keeper and the relays of a launcher have sessions, too: those are not the program's. */
function isOwnSession({ call, purpose }: Step): boolean {
  return call === 'setsid' && /^a session of its own(?:: |$)/.test(purpose);
}

/** A tie of its own is one that a process can undo: by prctl(2), or by a change of its ids. The end of the first process is that of all others in a pid namespace of its own alone. */
function tie(plan: Plan): string {
  if (plan.some(({ call, args }) => call === 'sendmsg' && args[0] === KEEPER_FD)) {
    const kept = 'yes, whatever the program does: a keeper outside kills it';
    if (newKinds(plan).has('pid')) return kept;
    return plan.some(({ call, args }) => call === 'openat' && args[1] === 'cgroup.kill')
      ? `${kept}, and all that is in its control group`
      : `${kept}, the program alone: other processes that it has made may live on, since pids are shared`;
  }
  return plan.some(({ call, args }) => call === 'prctl' && args[0] === prctlOptions.PR_SET_PDEATHSIG) ? 'yes, unless the program unties itself' : 'no';
}

type Kind = keyof typeof namespaceFlags;
const kinds = Object.keys(namespaceFlags) as Kind[];

/** `CLONE_NEWTIME` lies in the byte that clone(2) has for the signal of the end: it is asked for by unshare(2). */
function newKinds(plan: Plan): Set<Kind> {
  const flags = plan.flatMap(({ call, args }) =>
    call === 'unshare' ? [Number(args[0])] : call === 'clone' ? [Number(args[0]) & ~cloneFlags.CLONE_NEWTIME] : [],
  );
  return new Set(kinds.filter((kind) => flags.some((set) => (set & namespaceFlags[kind]) !== 0)));
}

function network(plan: Plan): string {
  const devices = plan.flatMap(({ purpose }) => /^wait for the host: move network devices.*?: (.+)$/.exec(purpose)?.[1] ?? []);
  const whose = newKinds(plan).has('net') ? `its own, with a loopback${devices.length > 0 ? '' : ' only'}` : "another's: see namespaces";
  return [whose, ...devices.map((names) => `from the host: ${names}`)].join('; ');
}

function namespaces(plan: Plan): string {
  const made = newKinds(plan);
  const joined = plan.filter(({ call }) => call === 'setns').map(({ purpose }) => purpose);
  const rest = kinds.filter((kind) => !made.has(kind));
  return [
    `new: ${listed([...made])}`,
    ...joined,
    ...(joined.length === 0 && rest.length > 0
      ? [`the caller's: ${rest.join(', ')}`]
      : joined.length > 0 && rest.length > joined.length
        ? [`the others are the caller's`]
        : []),
  ].join('; ');
}

function user(plan: Plan): string {
  const [uid, gid] = (['setresuid', 'setresgid'] as const).map((name) => plan.findLast(({ call }) => call === name)?.args[0]);
  const ids = uid === undefined || (uid === 0 && gid === 0) ? 'root' : `uid ${Number(uid)}, gid ${Number(gid)}`;
  return newKinds(plan).has('user') ? `${ids} of its own user namespace, nobody outside of it; ${mapped(plan)}` : ids;
}

/** Which ids there are, by the words for the host, or by what the process writes itself: `0 1000 1`. */
function mapped(plan: Plan): string {
  const told = plan.flatMap(({ purpose }) => /^tell the host: map the ids: (.*)$/.exec(purpose)?.[1] ?? [])[0];
  if (told !== undefined) return told;
  const [uid, gid] = (['map the user id', 'map the group id'] as const).map(
    (purpose) => String(plan.find((step) => step.call === 'write' && step.purpose === purpose)?.args[1]).split(' ', 2)[1],
  );
  return `no ids but this one: uid ${uid} and gid ${gid} outside`;
}

function limits(plan: Plan): string {
  const set = plan.flatMap(({ call, purpose }) =>
    call === 'write' ? (/^(?:the limit:|tell the host: a scope of systemd with) (.*)$/.exec(purpose)?.[1] ?? []) : [],
  );
  const none = plan.flatMap(({ purpose }) => /^no limits: (.*)$/.exec(purpose)?.[1] ?? []);
  return set.length === 0 && none[0] !== undefined ? `none: ${none[0]}` : listed(set);
}

/** On cgroup v1 one step for each rule, and on v2 one for all. */
function devices(plan: Plan): string {
  const rules = plan.flatMap(({ purpose }) => /^device rules: (.*)$/.exec(purpose)?.[1] ?? []);
  if (rules.length === 0) {
    const none = plan.flatMap(({ purpose }) => /^no device rules: (.*)$/.exec(purpose)?.[1] ?? [])[0];
    return `any that it has a file of${none === undefined ? '' : `: ${none}`}`;
  }
  return rules
    .join('; ')
    .replaceAll('; allow ', ', ')
    .replace(/^deny a(?:, |$)/, 'none but ')
    .replace(/ but $/, '');
}

function root(plan: Plan): string {
  const pivot = plan.findIndex(({ call }) => call === 'pivot_root');
  if (pivot < 0) return "the caller's";
  const isReadonly = plan.slice(0, pivot).some(({ call, args, as }) => call === 'mount_setattr' && as === undefined && isRootReadonly(args, plan[pivot - 1]));
  const directory = plan.find(({ purpose }) => purpose === rootPurposes.directory || purpose === rootPurposes.hostRoot);
  const how = isReadonly ? 'read-only' : 'writable';
  const what = !directory
    ? `the host's programs, ${isReadonly ? 'read-only' : 'copy on write'}, by overlays; where overlayfs is refused, by read-only binds, of which the bind mounts' words hold`
    : `${String(directory.args[1])}, ${how}${directory.purpose === rootPurposes.hostRoot ? `: the host's root file system${isReadonly ? '' : ', no boundary for who is root in it'}` : ''}`;
  return `${what}; by pivot_root, the old one is gone`;
}

/** What a bind gives, whatever its mode: the files are the host's own. */
function bindMounts(plan: Plan): string {
  const binds = plan.flatMap(({ call, purpose }) =>
    call === 'open_tree' ? (/^the host's (.+ at .+, (?:writable|read-only|a device).*)$/s.exec(purpose)?.[1] ?? []) : [],
  );
  const leases = plan.filter(({ call }) => call === 'seccomp').some(refusesLeases) ? '' : ', leases';
  return binds.length === 0
    ? 'none'
    : `${binds.join('; ')}. Read-only ones, too, are the host's files: locks${leases} and watches are of the host's, sockets and FIFOs lead there`;
}

/** Whether a filter refuses `fcntl(…, F_SETLEASE)` to programs of each kind that the processor runs. Of one that cannot be read that is not said. */
function refusesLeases({ args: [, , program] }: Step): boolean {
  const pointer = isStruct(program) ? program.values['filter'] : undefined;
  const instructions =
    typeof pointer === 'object' && pointer !== null && 'kind' in pointer && pointer.kind === 'pointer' && pointer.of.kind === 'memory'
      ? pointer.of.initial
      : undefined;
  if (!instructions) return false;
  return fcntls[process.arch === 'arm64' ? 'arm64' : 'x64'].every(([arch, nr]) => {
    const { action } = simulate({ instructions }, { arch, nr, args: [0, F_SETLEASE, 0] });
    return action !== 'SCMP_ACT_ALLOW' && action !== 'SCMP_ACT_LOG';
  });
}

function isStruct(arg: unknown): arg is Struct {
  return typeof arg === 'object' && arg !== null && 'kind' in arg && arg.kind === 'struct';
}

/** linux/fcntl.h */
const F_SETLEASE = 1024;
/** The numbers of fcntl(2), and of fcntl64(2) for programs of 32 bits: asm/unistd.h. */
const fcntls = {
  x64: [
    ['x64', 72],
    ['x32', 72],
    ['i386', 55],
    ['i386', 221],
  ],
  arm64: [
    ['arm64', 25],
    ['arm', 55],
    ['arm', 221],
  ],
} as const;

/** The sizes of what is mounted in memory. */
function memoryForFiles(plan: Plan): string {
  const sizes = plan.flatMap(({ call, args: [context, command, key, value] }) =>
    call === 'fsconfig' && command === fsconfigCommands.FSCONFIG_SET_STRING && key === 'size' && isResult(context)
      ? `${context.step.purpose.replace(/^(?:a tmpfs for|memory for) /, '').replace(/^\$at-/, '/')} ${inUnits(Number(value))}`
      : [],
  );
  return listed(sizes);
}

function inUnits(bytes: number): string {
  const [unit, size] = (['GiB', 'MiB', 'KiB'] as const).map((name, i) => [name, 1024 ** (3 - i)] as const).find(([, each]) => bytes % each === 0) ?? [
    'bytes',
    1,
  ];
  return `${bytes / size} ${unit}`;
}

/** The mount that the process has gone to right before pivot_root(2). */
function isRootReadonly(args: Step['args'], enter: Step | undefined): boolean {
  const [mount] = args;
  const entered = enter?.args[0];
  if (!isResult(mount) || !isResult(entered) || mount.step !== entered.step) return false;
  return (Number((args[3] as Struct | undefined)?.values['attr_set'] ?? 0) & mountAttrs.MOUNT_ATTR_RDONLY) !== 0;
}

function isResult(arg: unknown): arg is { readonly step: Step } {
  return typeof arg === 'object' && arg !== null && 'kind' in arg && arg.kind === 'result';
}

function capabilities(plan: Plan): string {
  const dropped = new Set(plan.filter(({ call, args }) => call === 'prctl' && args[0] === prctlOptions.PR_CAPBSET_DROP).map(({ args }) => args[1]));
  const written = plan.findLast(({ call }) => call === 'capset')?.args[1] as Struct | undefined;
  if (!written) return dropped.size === 0 ? "all that the caller's user has" : `bounded to ${names((number) => !dropped.has(number))}`;
  const has =
    (set: string) =>
    (number: number): boolean => {
      const half = Number(written.values[number < 32 ? set : `${set}_high`] ?? 0);
      return Math.floor(half / 2 ** (number % 32)) % 2 === 1;
    };
  const effective = names(has('effective'));
  const bounding = names((number) => !dropped.has(number));
  const inheritable = names(has('inheritable'));
  return `${effective}${bounding === effective ? '' : `; bounded to ${bounding}`}; inheritable: ${inheritable}`;
}

function names(has: (number: number) => boolean): string {
  const all = Object.entries(capabilityNumbers);
  const held = all.filter(([, number]) => has(number)).map(([name]) => name.slice('CAP_'.length));
  return held.length === all.length ? 'all' : listed(held);
}

function pathsOf(plan: Plan, pattern: RegExp): string {
  return listed(plan.flatMap(({ purpose }) => (pattern.test(purpose) ? [purpose.replace(pattern, '')] : [])));
}

const resources = new Map(Object.entries(rlimitResources).map(([name, number]) => [number as number, name.replace('RLIMIT_', '').toLowerCase()]));

/** A limit is a struct where both values are given, and else memory that steps before it have put one of them into. */
function resourceLimit({ args }: Step, plan: Plan): string {
  const name = resources.get(Number(args[1])) ?? String(Number(args[1]));
  const limit = args[2] as Struct;
  const value = (number: unknown): string => (BigInt(number as number | bigint) >= 2n ** 63n ? 'unlimited' : String(number));
  if (limit.kind === 'struct') return `${name} ${value(limit.values['rlim_cur'] ?? 0)}:${value(limit.values['rlim_max'] ?? 0)}`;
  const [given] = plan.filter(({ into, args: [first] }) => into?.of === (limit as unknown) && (typeof first === 'number' || typeof first === 'bigint'));
  return given ? `${name} ${given.into?.offset === 0 ? `${value(given.args[0])}:inherited` : `inherited:${value(given.args[0])}`}` : `${name} inherited`;
}

/** What the last step says that has to do with each; those that are alike are told together. */
function streams(plan: Plan): string {
  const texts = streamNames.map(
    (name) => plan.findLast(({ purpose }) => purpose.startsWith(`${name} is `))?.purpose.slice(`${name} is `.length) ?? "the caller's",
  );
  return [...new Set(texts)].map((text) => `${streamNames.filter((_, fd) => texts[fd] === text).join(', ')}: ${text}`).join('; ');
}

function octal(mode: unknown): string {
  return typeof mode === 'number' ? mode.toString(8).padStart(4, '0') : "the caller's";
}

function environment(execution: Step | undefined): string {
  const variables = execution?.args[2];
  return Array.isArray(variables) ? listed((variables as readonly string[]).map((text) => text.split('=', 1)[0] ?? '')) : 'none';
}

function listed(words: readonly string[]): string {
  return words.length === 0 ? 'none' : words.join(', ');
}
