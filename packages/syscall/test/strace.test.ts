// strace as an oracle: what explain prints of a plan is what strace sees of its run.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  _LINUX_CAPABILITY_VERSION_3,
  accessModes,
  ambientOperations,
  AT_FDCWD,
  atFlags,
  capabilityNumbers,
  capData,
  capHeader,
  cloneFlags,
  closeRangeFlags,
  compile,
  continueInChild,
  explain,
  fcntlCommands,
  fileTypes,
  fsconfigCommands,
  fsmountFlags,
  fsopenFlags,
  ifreq,
  interfaceFlags,
  ioctls,
  IOPRIO_CLASS_SHIFT,
  ioPriorityClasses,
  ioPriorityTargets,
  iovec,
  maskHow,
  memfdFlags,
  landlockCreateFlags,
  landlockRuleTypes,
  Memory,
  messageFlags,
  mountAttr,
  mountAttrs,
  mountFlags,
  moveMountFlags,
  msghdr,
  openFlags,
  openHow,
  openTreeFlags,
  personalities,
  pollfd,
  prctlOptions,
  resolveFlags,
  resultOf,
  RLIM64_INFINITY,
  rlimit64,
  rlimitResources,
  schedAttr,
  schedulingFlags,
  schedulingPolicies,
  secureBitFlags,
  signals,
  signatures,
  socketDomains,
  socketTypes,
  timespec,
  umountFlags,
  waitFlags,
  waitIdTypes,
  type Arg,
  type Plan,
  type Step,
} from '@ctr/syscall';
import { describe, expect, it } from 'vitest';

const nowhere = '/nowhere/at-all';
const buffer = (): Memory => new Memory(64, 'buffer');
const none = 1023; // no file has this number

/** A step for each call that explain knows. None of them does anything: they fail, or change only the process that is in namespaces of its own. */
const callsWithArguments: Readonly<Record<string, readonly Arg[]>> = {
  bpf: [5, null, 0],
  capset: [
    capHeader({ version: _LINUX_CAPABILITY_VERSION_3, pid: 1 }),
    capData({ effective: 2 ** capabilityNumbers.CAP_CHOWN, permitted: 2 ** capabilityNumbers.CAP_CHOWN + 2 ** capabilityNumbers.CAP_SETFCAP, inheritable: 0 }),
  ],
  chdir: [nowhere],
  chroot: [nowhere],
  close: [none],
  close_range: [1000, 2000, closeRangeFlags.CLOSE_RANGE_CLOEXEC],
  dup: [none],
  dup3: [none, 1022, openFlags.O_CLOEXEC],
  epoll_create1: [0],
  epoll_ctl: [none, 1, none, null],
  epoll_pwait: [none, buffer(), 1, 0, null, 8],
  execve: [nowhere, ['name', 'a "quoted"\tword\n'], ['A=1', 'B=2']],
  execveat: [AT_FDCWD, nowhere, ['name'], [], atFlags.AT_SYMLINK_NOFOLLOW],
  faccessat: [AT_FDCWD, nowhere, accessModes.R_OK | accessModes.X_OK],
  faccessat2: [AT_FDCWD, nowhere, accessModes.W_OK, 0],
  fchdir: [none],
  fchmod: [none, 0o4755],
  fchmodat: [AT_FDCWD, nowhere, 0o644],
  fchownat: [AT_FDCWD, nowhere, 0, 1000, atFlags.AT_SYMLINK_NOFOLLOW],
  fchown: [none, -1, 65534],
  fcntl: [none, fcntlCommands.F_DUPFD_CLOEXEC, 10],
  fsconfig: [none, fsconfigCommands.FSCONFIG_SET_STRING, 'size', '65536', 0],
  fsmount: [none, fsmountFlags.FSMOUNT_CLOEXEC, mountAttrs.MOUNT_ATTR_NOSUID | mountAttrs.MOUNT_ATTR_RDONLY],
  fsopen: ['nothing', fsopenFlags.FSOPEN_CLOEXEC],
  fsetxattr: [none, 'user.name', Buffer.from('text'), 4, 0],
  fstatfs: [none, buffer()],
  ftruncate: [none, 4096],
  getpid: [],
  getppid: [],
  getsockopt: [none, 1, 3, null, null],
  ioctl: [none, ioctls.SIOCSIFFLAGS, ifreq({ ifr_name: Buffer.from('lo'), ifr_flags: interfaceFlags.IFF_UP | interfaceFlags.IFF_RUNNING })],
  ioprio_set: [ioPriorityTargets.IOPRIO_WHO_PROCESS, 0, (ioPriorityClasses.IOPRIO_CLASS_BE << IOPRIO_CLASS_SHIFT) | 4],
  kill: [2 ** 22 + 1, signals.SIGTERM],
  landlock_add_rule: [none, landlockRuleTypes.LANDLOCK_RULE_PATH_BENEATH, null, 0],
  landlock_create_ruleset: [null, 0, landlockCreateFlags.LANDLOCK_CREATE_RULESET_VERSION],
  landlock_restrict_self: [none, 0],
  linkat: [AT_FDCWD, nowhere, AT_FDCWD, '/nowhere/else', atFlags.AT_SYMLINK_FOLLOW],
  lseek: [none, 10, 0],
  memfd_create: ['memory', memfdFlags.MFD_CLOEXEC | memfdFlags.MFD_ALLOW_SEALING],
  mkdirat: [AT_FDCWD, nowhere, 0o1777],
  mknodat: [AT_FDCWD, nowhere, fileTypes.S_IFCHR | 0o666, 0x103],
  mount: ['proc', nowhere, 'proc', mountFlags.MS_NOSUID | mountFlags.MS_NODEV | mountFlags.MS_NOEXEC, 'hidepid=2'],
  mount_setattr: [AT_FDCWD, nowhere, atFlags.AT_RECURSIVE, mountAttr({ attr_set: mountAttrs.MOUNT_ATTR_RDONLY, propagation: mountFlags.MS_PRIVATE }), 32],
  move_mount: [none, '', AT_FDCWD, nowhere, moveMountFlags.MOVE_MOUNT_F_EMPTY_PATH],
  nanosleep: [timespec({ tv_nsec: 1 }), null],
  open_tree: [AT_FDCWD, nowhere, openTreeFlags.OPEN_TREE_CLONE | openTreeFlags.OPEN_TREE_CLOEXEC | atFlags.AT_RECURSIVE],
  openat: [AT_FDCWD, nowhere, openFlags.O_WRONLY | openFlags.O_CREAT | openFlags.O_EXCL | openFlags.O_CLOEXEC, 0o640],
  openat2: [
    AT_FDCWD,
    nowhere,
    openHow({ flags: openFlags.O_PATH | openFlags.O_DIRECTORY | openFlags.O_CLOEXEC, resolve: resolveFlags.RESOLVE_IN_ROOT | resolveFlags.RESOLVE_NO_XDEV }),
    24,
  ],
  personality: [personalities.PER_LINUX],
  pidfd_open: [2 ** 22 + 1, 0],
  pidfd_send_signal: [none, signals.SIGKILL, null, 0],
  pipe2: [new Memory(8, 'ends'), openFlags.O_CLOEXEC | openFlags.O_NONBLOCK],
  pivot_root: [nowhere, '/nowhere/else'],
  ppoll: [pollfd({ fd: none }), 1, timespec({}), null, 8],
  pread64: [none, buffer(), 64, 0],
  prctl: [prctlOptions.PR_SET_PDEATHSIG, signals.SIGKILL],
  prlimit64: [2 ** 22 + 1, rlimitResources.RLIMIT_MEMLOCK, rlimit64({ rlim_cur: 1000, rlim_max: RLIM64_INFINITY }), new Memory(16, 'limit')],
  read: [none, buffer(), 64],
  readlinkat: [AT_FDCWD, nowhere, buffer(), 64],
  recvfrom: [none, buffer(), 64, messageFlags.MSG_DONTWAIT | messageFlags.MSG_TRUNC, null, null],
  recvmsg: [none, msghdr({}), messageFlags.MSG_DONTWAIT | messageFlags.MSG_CMSG_CLOEXEC],
  renameat2: [AT_FDCWD, nowhere, AT_FDCWD, '/nowhere/else', 0],
  rt_sigprocmask: [maskHow.SIG_BLOCK, null, null, 8],
  sched_setaffinity: [2 ** 22 + 1, 8, null],
  sched_setattr: [
    0,
    schedAttr({
      size: schedAttr.byteLength,
      sched_policy: schedulingPolicies.SCHED_BATCH,
      sched_flags: schedulingFlags.SCHED_FLAG_RESET_ON_FORK,
      sched_nice: 1,
    }),
    0,
  ],
  sendfile: [none, 1022, null, 4096],
  sendmsg: [none, msghdr({ msg_iov: iovec({ iov_base: 'text', iov_len: 4 }), msg_iovlen: 1 }), messageFlags.MSG_NOSIGNAL],
  setdomainname: ['example.org', 11],
  setgid: [0],
  setgroups: [0, null],
  sethostname: ['box', 3],
  setns: [none, cloneFlags.CLONE_NEWUSER | cloneFlags.CLONE_NEWNS],
  setpgid: [0, 0],
  setresgid: [-1, -1, -1],
  setresuid: [-1, -1, -1],
  setsid: [],
  setuid: [0],
  setxattr: [nowhere, 'user.name', Buffer.from('text'), 4, 0],
  shutdown: [none, 0],
  socket: [socketDomains.AF_UNIX, socketTypes.SOCK_SEQPACKET | socketTypes.SOCK_CLOEXEC | socketTypes.SOCK_NONBLOCK, 0],
  socketpair: [socketDomains.AF_UNIX, socketTypes.SOCK_STREAM | socketTypes.SOCK_CLOEXEC, 0, new Memory(8, 'pair')],
  splice: [none, null, 1022, null, 4096, 0],
  statfs: [nowhere, buffer()],
  symlinkat: ['target', AT_FDCWD, nowhere],
  tee: [none, 1022, 4096, 0],
  tgkill: [2 ** 22 + 1, 2 ** 22 + 1, signals.SIGHUP],
  umask: [0o22],
  umount2: [nowhere, umountFlags.MNT_DETACH | umountFlags.UMOUNT_NOFOLLOW],
  unlinkat: [AT_FDCWD, nowhere, atFlags.AT_REMOVEDIR],
  unshare: [cloneFlags.CLONE_FS | cloneFlags.CLONE_FILES],
  utimensat: [AT_FDCWD, nowhere, null, atFlags.AT_SYMLINK_NOFOLLOW],
  wait4: [-1, null, waitFlags.WNOHANG | waitFlags.__WALL, null],
  waitid: [waitIdTypes.P_PID, 2 ** 22 + 1, null, waitFlags.WEXITED | waitFlags.WNOHANG, null],
  write: [none, 'text\n\u00011', 7],
  writev: [none, iovec({ iov_base: 'text', iov_len: 4 }), 1],
};

/** Options of a call whose other arguments are more than numbers. */
const options: readonly (readonly Arg[])[] = [
  [prctlOptions.PR_CAPBSET_READ, capabilityNumbers.CAP_CHECKPOINT_RESTORE],
  [prctlOptions.PR_CAPBSET_DROP, capabilityNumbers.CAP_SYS_ADMIN],
  [prctlOptions.PR_SET_SECUREBITS, secureBitFlags.SECBIT_NOROOT | secureBitFlags.SECBIT_NOROOT_LOCKED],
  [prctlOptions.PR_CAP_AMBIENT, ambientOperations.PR_CAP_AMBIENT_RAISE, capabilityNumbers.CAP_NET_RAW, 0, 0],
  [prctlOptions.PR_CAP_AMBIENT, ambientOperations.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0],
];

/** Calls that explain knows and that do not return, or need more around them: seen in the other plan, or with the reason why not. */
const elsewhere: Readonly<Record<string, string>> = {
  clone: 'in the other plan',
  exit_group: 'in the other plan',
  exit: 'would end the plan',
  clone3: 'makes a process that goes on with the plan',
  mmap: 'strace knows protections and kinds of mappings by name',
  keyctl: 'strace prints another number of arguments for each operation',
  rt_sigaction: 'strace knows signal handlers and masks by name',
  rt_sigtimedwait: 'strace knows masks by name',
  seccomp: 'strace prints what a filter does',
};

/** Names that strace has for what explain prints as a number. */
const numbers: Readonly<Record<string, string>> = {
  BPF_PROG_LOAD: '5',
  EPOLL_CTL_ADD: '1',
  SEEK_SET: '0',
  SHUT_RD: '0',
  SOL_SOCKET: '1',
  SO_TYPE: '3',
  SIGKILL: '9',
};

/** One printed argument: text, or what stands in braces or brackets. */
type Part = string | { readonly fields: ReadonlyMap<string, Part> } | { readonly items: readonly Part[] };

/** Takes apart what stands between the brackets of a call as strace and explain print it. */
class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Arguments up to a closing bracket. */
  list(close: string): Part[] {
    const parts: Part[] = [];
    while (!this.#takes(close)) {
      parts.push(this.#part());
      this.#takes(', ');
      if (this.#at >= this.#text.length) throw new Error(`no ${close} in ${this.#text}`);
    }
    return parts;
  }

  get rest(): string {
    return this.#text.slice(this.#at);
  }

  #part(): Part {
    if (this.#takes('[')) return { items: this.list(']') };
    if (this.#takes('{')) {
      const fields = new Map<string, Part>();
      while (!this.#takes('}')) {
        const name = this.#match(/^\w+=/).slice(0, -1);
        fields.set(name, this.#part());
        this.#takes(', ');
      }
      return { fields };
    }
    return this.#match(/^(?:"(?:[^"\\]|\\.)*"(?:\.\.\.)?|\w+\([^)]*\)|[^,()[\]{}"]+)/).trim();
  }

  #takes(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #match(pattern: RegExp): string {
    const [found] = pattern.exec(this.rest) ?? [];
    if (found === undefined) throw new Error(`cannot read ${this.rest} of ${this.#text}`);
    this.#at += found.length;
    return found;
  }
}

/** A call with its arguments, and what follows. */
function parse(line: string): { readonly call: string; readonly args: readonly Part[]; readonly rest: string } {
  const [head = '', call = ''] = /^(\w+)\(/.exec(line) ?? [];
  const parser = new Parser(line.slice(head.length));
  return { call, args: parser.list(')'), rest: parser.rest };
}

/** Whether both mean the same: pointers are any pointers, or what stands there after the call, fields that are not given are zero, flags have no order. */
function agrees(ours: Part, theirs: Part): boolean {
  if (typeof ours === 'string') {
    if (ours.startsWith('&')) return typeof theirs !== 'string' || /^(?:0x[0-9a-f]+$|")/.test(theirs);
    if (typeof theirs !== 'string') return false;
    const words = (text: string): string =>
      text
        .split('|')
        .map((word) => numbers[word] ?? word.replace(/^1<</, ''))
        .filter((word) => word !== 'O_RDONLY' || !text.includes('O_PATH'))
        .toSorted()
        .join('|');
    const decimal = (text: string): string => text.replaceAll(/\b0x[0-9a-f]+/g, (hex) => String(Number(hex)));
    return words(ours) === words(theirs) || decimal(ours) === decimal(theirs) || numbers[theirs] === ours;
  }
  if ('items' in ours) {
    // strace prints of an environment only how many there are.
    if (typeof theirs === 'string') return theirs.endsWith(`/* ${ours.items.length} vars */`);
    return 'items' in theirs && ours.items.length === theirs.items.length && ours.items.every((item, i) => agrees(item, theirs.items[i] ?? ''));
  }
  if (typeof theirs === 'string') return false;
  if ('items' in theirs) return theirs.items.length === 1 && agrees(ours, theirs.items[0] ?? '');
  const isZero = (part: Part): boolean => part === '0' || part === 'NULL';
  const isGiven = [...ours.fields].every(([name, part]) => agrees(part, theirs.fields.get(name) ?? (isZero(part) ? part : '')));
  return isGiven && [...theirs.fields].every(([name, part]) => ours.fields.has(name) || isZero(part));
}

/** Runs a compiled plan under strace; the lines of each process, without its first execve. */
function trace(plan: Plan, packed: boolean): string[][] {
  const directory = mkdtempSync(join(tmpdir(), 'ctr-strace-'));
  try {
    const [path, log] = [join(directory, 'plan'), join(directory, 'log')];
    writeFileSync(path, compile(plan, { packed }));
    chmodSync(path, 0o755);
    const { status, stderr, error } = spawnSync('strace', ['-ff', '-s', '64', '-o', log, path], { encoding: 'utf8' });
    if (error) throw error;
    if (status !== 0) throw new Error(`strace ended with ${status}: ${stderr}`);
    const logs = readdirSync(directory)
      .filter((name) => name.startsWith('log.'))
      .toSorted((a, b) => Number(a.slice(4)) - Number(b.slice(4)));
    const [first = [], ...others] = logs.map((name) =>
      readFileSync(join(directory, name), 'utf8')
        .trimEnd()
        .split('\n')
        .filter((line) => !line.startsWith('+++') && !line.startsWith('---')),
    );
    return [first.slice(1), ...others];
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What explain prints of each step, without what is not part of the call. */
function explained(plan: Plan): string[] {
  return explain(plan)
    .split('\n')
    .map((line) => line.replace(/^ *\d+ {2}/, '').replace(/\)(?: = \$\w+)?(?: \([^()]* fine\))?(?:, if .*)? {2}# .*$/, ')'));
}

/** The lines on which the two do not agree. `$name` and `$3` in ours stand for what the step has returned in theirs. */
function disagreements(plan: Plan, steps: readonly Step[], seen: readonly string[]): string[] {
  const ours = explained(plan);
  const results = new Map<string, string>();
  const wrong: string[] = [];
  for (const [i, step] of steps.entries()) {
    const line = seen[i] ?? 'nothing';
    const index = plan.indexOf(step);
    const text = (ours[index] ?? '').replaceAll(/\$(\w+)/g, (_, name: string) => results.get(name) ?? `$${name}`);
    const expected = parse(text);
    const { call, args, rest } = parse(line);
    const result = /^ += (\S+)/.exec(rest)?.[1] ?? '';
    results.set(String(index + 1), result);
    if (step.as !== undefined) results.set(step.as, result);
    if (call !== expected.call || args.length !== expected.args.length || !args.every((arg, k) => agrees(expected.args[k] ?? '', arg)))
      wrong.push(`${text} was ${line}`);
  }
  if (seen.length !== steps.length) wrong.push(`${seen.length} calls instead of ${steps.length}`);
  return wrong;
}

describe.each([
  ['compiled', false],
  ['packed', true],
])('explain prints what strace sees of a %s plan,', (_, packed) => {
  const isMissing = spawnSync('strace', ['-V']).status !== 0;

  it('of every call it knows, with typical arguments', ({ skip }) => {
    skip(isMissing, 'strace is not installed');
    expect([...Object.keys(callsWithArguments), ...Object.keys(elsewhere)].toSorted()).toEqual(Object.keys(signatures).toSorted());
    const isolate: Step = {
      call: 'unshare',
      args: [cloneFlags.CLONE_NEWUSER | cloneFlags.CLONE_NEWNS | cloneFlags.CLONE_NEWUTS],
      purpose: 'nothing of this is seen outside',
    };
    const calls = Object.entries(callsWithArguments).map(([call, args]): Step => ({ call: call as Step['call'], args, purpose: 'a call', tolerates: 'any' }));
    const more = options.map((args): Step => ({ call: 'prctl', args, purpose: 'an option', tolerates: 'any' }));
    const end: Step = { call: 'exit_group', args: [0], purpose: 'the end' };
    const plan = [isolate, ...calls, ...more, end];
    const [seen = []] = trace(plan, packed);
    expect(disagreements(plan, plan, seen)).toEqual([]);
  });

  it('of results that are handed on, jumps, and new processes', ({ skip }) => {
    skip(isMissing, 'strace is not installed');
    const buffer = new Memory(16, 'buffer');
    const counter = new Memory(8, 'counter');
    const file: Step = { call: 'memfd_create', args: ['file', memfdFlags.MFD_CLOEXEC], purpose: 'a file', as: 'file' };
    const write: Step = { call: 'write', args: [resultOf(file), 'content "é"', 12], purpose: 'write', as: 'written' };
    const count: Step = { call: 'add', args: [counter.u64(), 1], purpose: 'twice', into: counter.at(0), jump: { when: '<', than: 2, to: write } };
    const copy: Step = { call: 'dup', args: [resultOf(file)], purpose: 'another number' };
    const read: Step = { call: 'pread64', args: [resultOf(copy), buffer, resultOf(write), 0], purpose: 'read' };
    const fork = continueInChild();
    const [clone, report, exit, goOn] = fork as [Step, Step, Step, Step];
    const after: Step = { call: 'close', args: [resultOf(copy)], purpose: 'close' };
    const end: Step = { call: 'exit_group', args: [0], purpose: 'end' };
    const plan = [file, write, count, copy, read, ...fork, after, end];
    const [first = [], second = []] = trace(plan, packed);
    expect(first).toHaveLength(8);
    const cloned = first.pop() ?? '';
    expect(cloned).toMatch(/^exit_group\(0\)/);
    expect(report.call).toBe('write');
    expect(exit.call).toBe('exit_group');
    expect(goOn.call).toBe('add');
    expect(first.pop()).toMatch(/^write\(3, "\\1\\0\\0\\0/);
    const flags = (line: string): string[] => (/[A-Z_]+(?:\|[A-Z_]+)+/.exec(line)?.[0] ?? '').split('|').toSorted();
    expect(flags(first.pop() ?? '')).toEqual(flags(explained(plan)[plan.indexOf(clone)] ?? ''));
    expect(disagreements(plan, [file, write, write, copy, read, after, end], [...first, ...second])).toEqual([]);
  });
});
