import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import {
  AT_FDCWD,
  cloneFlags,
  continueInChild,
  ifreq,
  interfaceFlags,
  ioctls,
  launch,
  openFd,
  openFlags,
  resolveFlags,
  resultOf,
  socketDomains,
  socketTypes,
  type Plan,
  type Step,
} from '@ctr/syscall';
import { beforeEach, describe, expect, it } from 'vitest';

import { landlock, landlockAbi, landlockUnavailable, noNewPrivs, planLandlock, type LandlockRules } from '@ctr/security';

import { attempt, attempts, bound, loopback, open, temporary } from './attempt.js';

const { O_RDONLY, O_WRONLY, O_CREAT, O_TRUNC, O_PATH, O_DIRECTORY } = openFlags;
const busybox = '/bin/busybox';
const abi = landlockAbi();

beforeEach(({ skip }) => skip(abi === 0, landlockUnavailable()));

/** Directories `in` and `out`, each with a file and a program. */
function twoDirectories(): { readonly directory: string; readonly inside: string; readonly outside: string } {
  const directory = temporary();
  const [inside, outside] = [join(directory, 'in'), join(directory, 'out')];
  for (const each of [inside, outside]) {
    mkdirSync(each);
    writeFileSync(join(each, 'file'), 'content');
    copyFileSync(busybox, join(each, 'program'));
  }
  return { directory, inside, outside };
}

const mkdir = (path: string): Step => ({ call: 'mkdirat', args: [AT_FDCWD, path, 0o755], purpose: 'make it' });
const unlink = (path: string): Step => ({ call: 'unlinkat', args: [AT_FDCWD, path, 0], purpose: 'remove it' });
const rename = (from: string, to: string): Step => ({ call: 'renameat2', args: [AT_FDCWD, from, AT_FDCWD, to, 0], purpose: 'move it' });
const truncate = (path: string): Step => ({ call: 'truncate', args: [path, 1], purpose: 'cut it' });
const execute = (path: string): Step => ({ call: 'execve', args: [path, ['true'], []], purpose: 'execute it' });

describe('landlock, of files', () => {
  it('reads where it may, and nowhere else', async () => {
    const { inside, outside } = twoDirectories();
    const rules = (): Plan => landlock({ paths: [{ path: inside, allow: ['read'] }] });
    expect(
      await attempts(rules, {
        'a file inside': open(join(inside, 'file'), O_RDONLY),
        'the directory': open(inside, O_RDONLY | O_DIRECTORY),
        'to write': open(join(inside, 'file'), O_WRONLY),
        'to execute': execute(join(inside, 'program')),
        'a file outside': open(join(outside, 'file'), O_RDONLY),
        'the directory outside': open(outside, O_RDONLY | O_DIRECTORY),
      }),
    ).toEqual({
      'a file inside': 'done',
      'the directory': 'done',
      'to write': 'EACCES',
      'to execute': 'EACCES',
      'a file outside': 'EACCES',
      'the directory outside': 'EACCES',
    });
  });

  it('writes, makes, removes and moves where it may', async () => {
    const { inside, outside } = twoDirectories();
    const rules = (): Plan => landlock({ paths: [{ path: inside, allow: ['write'] }] });
    expect(
      await attempts(rules, {
        'a file': open(join(inside, 'file'), O_WRONLY | O_TRUNC),
        'a new file': open(join(inside, 'new'), O_WRONLY | O_CREAT),
        'a directory': mkdir(join(inside, 'directory')),
        'a move': rename(join(inside, 'new'), join(inside, 'directory/new')),
        'a removal': unlink(join(inside, 'directory/new')),
        'a device': { call: 'mknodat', args: [AT_FDCWD, join(inside, 'null'), 0o20666, 0x103], purpose: 'make it' },
        'to read': open(join(inside, 'file'), O_RDONLY),
        'a file outside': open(join(outside, 'file'), O_WRONLY),
        'a new file outside': open(join(outside, 'new'), O_WRONLY | O_CREAT),
        'a directory outside': mkdir(join(outside, 'directory')),
        'a removal outside': unlink(join(outside, 'file')),
      }),
    ).toEqual({
      'a file': 'done',
      'a new file': 'done',
      'a directory': 'done',
      'a move': 'done',
      'a removal': 'done',
      'a device': 'EACCES',
      'to read': 'EACCES',
      'a file outside': 'EACCES',
      'a new file outside': 'EACCES',
      'a directory outside': 'EACCES',
      'a removal outside': 'EACCES',
    });
    expect(readFileSync(join(outside, 'file'), 'utf8')).toBe('content');
    expect(existsSync(join(outside, 'new'))).toBe(false);
  });

  it('executes where it may', async ({ skip }) => {
    skip(!existsSync(busybox), 'busybox-static is not installed');
    const { inside, outside } = twoDirectories();
    const steps = { inside: execute(join(inside, 'program')), outside: execute(join(outside, 'program')) };
    expect(await attempts(() => landlock({ paths: [{ path: inside, allow: ['read', 'execute'] }] }), steps)).toEqual({ inside: 'done', outside: 'EACCES' });
    // The kernel reads what it executes.
    expect(await attempts(() => landlock({ paths: [{ path: inside, allow: ['execute'] }] }), steps)).toEqual({ inside: 'EACCES', outside: 'EACCES' });
  });

  it('truncates and moves between directories only with the rights to it', async ({ skip }) => {
    skip(abi < 3, `ABI ${abi} has no TRUNCATE`);
    const { inside } = twoDirectories();
    for (const name of ['a', 'b']) mkdirSync(join(inside, name));
    writeFileSync(join(inside, 'a/file'), '');
    const cut = truncate(join(inside, 'file'));
    const move = rename(join(inside, 'a/file'), join(inside, 'b/file'));
    const without = (): Plan => landlock({ paths: [{ path: inside, allow: ['WRITE_FILE', 'MAKE_REG', 'REMOVE_FILE'] }] });
    expect(await attempts(without, { open: open(join(inside, 'file'), O_WRONLY), cut, move })).toEqual({ open: 'done', cut: 'EACCES', move: 'EXDEV' });
    const having = (): Plan => landlock({ paths: [{ path: inside, allow: ['WRITE_FILE', 'MAKE_REG', 'REMOVE_FILE', 'TRUNCATE', 'REFER'] }] });
    expect(await attempts(having, { cut, move })).toEqual({ cut: 'done', move: 'done' });
  });

  it('drives devices only with the right to it', async ({ skip }) => {
    skip(abi < 5, `ABI ${abi} has no IOCTL_DEV`);
    const ioctl = (): Plan => {
      const device = open('/dev/null', O_RDONLY);
      return [device, { call: 'ioctl', args: [resultOf(device), ioctls.TIOCNOTTY, 0], purpose: 'drive it' }];
    };
    const rules = (allow: 'read' | 'ioctl'): Plan => landlock({ paths: [{ path: '/dev/null', allow: ['read', allow] }] });
    expect([await attempt(...rules('read'), ...(ioctl() as [Step])), await attempt(...rules('ioctl'), ...(ioctl() as [Step]))]).toEqual(['EACCES', 'ENOTTY']);
  });

  it('allows at a file what has a meaning for files, whatever the rule says for directories', async () => {
    const { inside } = twoDirectories();
    const file = join(inside, 'file');
    using handle = openFd(file);
    const place = (): Step => open(file, O_PATH);
    const byResult = (): Plan => {
      const found = place();
      return [found, ...landlock({ paths: [{ fd: resultOf(found), allow: ['read', 'write'] }] })];
    };
    for (const rules of [
      (): Plan => landlock({ paths: [{ path: file, allow: ['read', 'write'] }] }),
      (): Plan => landlock({ paths: [{ fd: handle, allow: ['read', 'write'] }] }),
      byResult,
    ]) {
      expect(
        await attempts(rules, {
          read: open(file, O_RDONLY),
          write: open(file, O_WRONLY | O_TRUNC),
          execute: execute(file),
          another: open(join(inside, 'program'), O_RDONLY),
          remove: unlink(file),
        }),
      ).toEqual({ read: 'done', write: 'done', execute: 'EACCES', another: 'EACCES', remove: 'EACCES' });
    }
    await expect(launch(landlock({ paths: [{ path: file, allow: ['MAKE_DIR'] }] }))).rejects.toThrow(
      /^landlock_add_rule\(.*\) = EINVAL .*\nhint: .*\/file is a file, and what is allowed has a meaning for directories only$/,
    );
  });

  it('takes a directory that is opened beneath a root, and one that is open already', async () => {
    const { directory, inside, outside } = twoDirectories();
    using root = openFd(directory, { directory: true });
    using place = openFd('in', { at: root, resolve: resolveFlags.RESOLVE_IN_ROOT });
    const rules = (): Plan => landlock({ paths: [{ fd: place, allow: ['read'] }] });
    expect(await attempts(rules, { inside: open(join(inside, 'file'), O_RDONLY), outside: open(join(outside, 'file'), O_RDONLY) })).toEqual({
      inside: 'done',
      outside: 'EACCES',
    });
    using pipe = openFd('/proc/self/ns/net', { flags: O_RDONLY });
    await expect(launch(landlock({ paths: [{ fd: pipe, allow: ['read'] }] }))).rejects.toThrow(/EBADFD .*\nhint: .*not in a filesystem/);
  });

  it('needs something at a path, unless that is optional', async () => {
    const { inside } = twoDirectories();
    const missing = join(inside, 'missing');
    await expect(launch(landlock({ paths: [{ path: missing, allow: ['read'] }] }))).rejects.toThrow(/^openat\(.*missing.* = ENOENT .*\nhint: .*optional$/);
    const rules = (): Plan =>
      landlock({
        paths: [
          { path: missing, allow: ['read'], optional: true },
          { path: join(inside, 'file/below'), allow: ['read'], optional: true },
          { path: inside, allow: ['read'], optional: true },
        ],
      });
    expect(await attempts(rules, { inside: open(join(inside, 'file'), O_RDONLY), etc: open('/etc/passwd', O_RDONLY) })).toEqual({
      inside: 'done',
      etc: 'EACCES',
    });
  });

  it('denies mounting altogether, and leaves alone what it does not handle', async () => {
    const { directory, inside } = twoDirectories();
    writeFileSync(join(inside, 'moved'), '');
    const mount = (): Step => ({ call: 'mount', args: ['tmpfs', inside, 'tmpfs', 0, null], purpose: 'mount' });
    const ownMounts = (): Plan => continueInChild({ namespaces: cloneFlags.CLONE_NEWNS });
    const privately = (): Step => ({ call: 'mount', args: [null, '/', null, 0x44000, null], purpose: 'keep it here' });
    expect(await attempt(...ownMounts(), privately(), mount())).toBe('done');
    expect(await attempt(...ownMounts(), privately(), ...landlock({ paths: [{ path: '/', allow: ['read', 'write'] }] }), mount())).toBe('EPERM');
    const onlyExecution = (): Plan => landlock({}, { handled: { paths: ['execute'] } });
    expect(
      await attempts(onlyExecution, {
        read: open(join(inside, 'file'), O_RDONLY),
        write: open(join(inside, 'file'), O_WRONLY | O_TRUNC),
        execute: execute(join(inside, 'program')),
        move: rename(join(inside, 'moved'), join(directory, 'moved')),
      }),
    ).toEqual({ read: 'done', write: 'done', execute: 'EACCES', move: 'EXDEV' });
    if (abi < 4) return;
    expect(await attempt(...landlock({}, { handled: { tcp: ['bind'] } }), rename(join(inside, 'moved'), join(directory, 'moved')))).toBe('done');
  });
});

describe('landlock, of TCP', () => {
  beforeEach(({ skip }) => skip(abi < 4, `ABI ${abi} has no network`));
  const { AF_INET } = socketDomains;
  const { SOCK_STREAM } = socketTypes;

  /** A network namespace of its own, in which the ports are listened at. */
  function listening(...ports: readonly number[]): Plan {
    const socket: Step = { call: 'socket', args: [AF_INET, socketTypes.SOCK_DGRAM, 0], purpose: 'to speak of devices' };
    const up = ifreq({ ifr_name: Buffer.from('lo'), ifr_flags: interfaceFlags.IFF_UP });
    const servers = ports.flatMap((port) => {
      const server = bound(AF_INET, SOCK_STREAM, loopback(port));
      return [...server, { call: 'listen', args: [resultOf(server[0]), 8], purpose: 'listen' } satisfies Step];
    });
    return [
      ...continueInChild({ namespaces: cloneFlags.CLONE_NEWNET }),
      socket,
      { call: 'ioctl', args: [resultOf(socket), ioctls.SIOCSIFFLAGS, up], purpose: 'switch loopback on' },
      ...servers,
    ];
  }

  function connect(port: number): [Step, Step] {
    const socket: Step = { call: 'socket', args: [AF_INET, SOCK_STREAM, 0], purpose: 'a socket' };
    const address = loopback(port);
    return [socket, { call: 'connect', args: [resultOf(socket), address, address.length], purpose: 'connect' }];
  }

  it('binds and connects at the ports that are named, each', async () => {
    const rules = { tcp: { bind: [8080], connect: [443] } } satisfies LandlockRules;
    expect(
      await attempts(() => [...listening(443, 444), ...landlock(rules)], {
        'bind 8080': bound(AF_INET, SOCK_STREAM, loopback(8080)),
        'bind 8081': bound(AF_INET, SOCK_STREAM, loopback(8081)),
        'bind 0': bound(AF_INET, SOCK_STREAM, loopback(0)),
        'connect 443': connect(443),
        'connect 444': connect(444),
        'connect 8080': connect(8080),
        'bind UDP': bound(AF_INET, socketTypes.SOCK_DGRAM, loopback(8081)),
      }),
    ).toEqual({
      'bind 8080': 'done',
      'bind 8081': 'EACCES',
      'bind 0': 'EACCES',
      'connect 443': 'done',
      'connect 444': 'EACCES',
      'connect 8080': 'EACCES',
      'bind UDP': abi < 10 ? 'done' : 'EACCES',
    });
  });

  it('does nothing of that without a rule, and all of it where it is not handled or the ABI is older', async () => {
    const steps = { bind: bound(AF_INET, SOCK_STREAM, loopback(8080)), connect: connect(443) };
    expect(await attempts(() => [...listening(443), ...landlock({})], steps)).toEqual({ bind: 'EACCES', connect: 'EACCES' });
    expect(await attempts(() => [...listening(443), ...landlock({}, { handled: { paths: ['read'] } })], steps)).toEqual({ bind: 'done', connect: 'done' });
    expect(await attempts(() => [...listening(443), ...landlock({}, { abi: 3 })], steps)).toEqual({ bind: 'done', connect: 'done' });
    expect(await attempts(() => [...listening(443), ...landlock({}, { handled: { tcp: ['bind'] } })], steps)).toEqual({ bind: 'EACCES', connect: 'done' });
  });
});

describe('landlock, of scopes', () => {
  beforeEach(({ skip }) => skip(abi < 6, `ABI ${abi} has no scopes`));
  const everywhere = { handled: { paths: ['EXECUTE'] } } as const;

  it('sends signals to no process outside', async () => {
    const kill = (pid: Step | number): Step => ({ call: 'kill', args: [typeof pid === 'number' ? pid : resultOf(pid), 0], purpose: 'signal it' });
    const self: Step = { call: 'getpid', args: [], purpose: 'itself' };
    const steps = { outside: kill(process.pid), itself: [self, kill(self)] };
    expect(await attempts(() => landlock({ scopes: ['signal'] }, everywhere), steps)).toEqual({ outside: 'EPERM', itself: 'done' });
    expect(await attempts(() => landlock({ scopes: ['abstractUnixSocket'] }, everywhere), steps)).toEqual({ outside: 'done', itself: 'done' });
  });

  it('connects to no abstract socket that was made outside', async () => {
    const address = Buffer.from(`\x01\0\0ctr-landlock-${process.pid}`);
    const server = (): Step[] => {
      const [socket, bind] = bound(socketDomains.AF_UNIX, socketTypes.SOCK_STREAM, address);
      return [socket, bind, { call: 'listen', args: [resultOf(socket), 1], purpose: 'listen' }];
    };
    const connect = (): Step[] => {
      const socket: Step = { call: 'socket', args: [socketDomains.AF_UNIX, socketTypes.SOCK_STREAM, 0], purpose: 'a socket' };
      return [socket, { call: 'connect', args: [resultOf(socket), address, address.length], purpose: 'connect' }];
    };
    const rules = (): Step[] => landlock({ scopes: ['abstractUnixSocket'] }, everywhere);
    const all = async (...parts: Step[][]): Promise<string> => attempt(...(parts.flat() as [Step]));
    expect([await all(server(), rules(), connect()), await all(rules(), server(), connect())]).toEqual(['EPERM', 'done']);
    expect(await all(server(), landlock({ scopes: ['signal'] }, everywhere), connect())).toBe('done');
  });
});

describe('landlock, of the process', () => {
  const nobody: Step = { call: 'setresuid', args: [65534, 65534, 65534], purpose: 'become an ordinary user' };

  it('needs no privilege but no_new_privs, and says so', async () => {
    const rules = { paths: [{ path: '/etc', allow: ['read'] }] } satisfies LandlockRules;
    await expect(launch([{ ...nobody }, ...landlock(rules)])).rejects.toThrow(/^landlock_restrict_self\(\$ruleset, 0\) = EPERM .*\nhint: .*noNewPrivs\(\)$/);
    expect(
      await attempts(() => [{ ...nobody }, ...noNewPrivs(), ...landlock(rules)], { etc: open('/etc/passwd', O_RDONLY), proc: open('/proc/version', O_RDONLY) }),
    ).toEqual({ etc: 'done', proc: 'EACCES' });
  });

  it('nests, each ruleset taking from what is left, at most 16 deep', async () => {
    const { inside } = twoDirectories();
    const layer = (path: string): Plan => landlock({ paths: [{ path, allow: ['read'] }] });
    const file = join(inside, 'file');
    const nested = (): Plan => [...layer('/'), ...layer(inside), ...layer('/')];
    expect(await attempts(nested, { file: open(file, O_RDONLY), passwd: open('/etc/passwd', O_RDONLY) })).toEqual({ file: 'done', passwd: 'EACCES' });
    const layers = (count: number): Plan => Array.from({ length: count }, () => layer('/')).flat();
    expect(await attempt(...layers(16), open(file, O_RDONLY))).toBe('done');
    await expect(launch(layers(17))).rejects.toThrow(/^landlock_restrict_self\(.* = E2BIG .*\nhint: .*16 nested/);
  });

  it('sets the flags of the audit log', async ({ skip }) => {
    skip(abi < 7, `ABI ${abi} has no flags`);
    const log = { sameExec: false, newExec: true, subdomains: false };
    expect(await attempt(...landlock({}, { log }), open('/etc/passwd', O_RDONLY))).toBe('EACCES');
  });

  it('enforces what an older ABI has, and says what it does not', async ({ skip }) => {
    skip(abi < 3, `ABI ${abi} is the older one`);
    const { inside, outside } = twoDirectories();
    const rules = { paths: [{ path: inside, allow: ['read', 'write'] }] } satisfies LandlockRules;
    const { notEnforced, notAllowed } = planLandlock(rules, { abi: 1 });
    expect(notEnforced).toContain('LANDLOCK_ACCESS_FS_TRUNCATE');
    expect(notAllowed).toEqual(['LANDLOCK_ACCESS_FS_REFER']);
    writeFileSync(join(inside, 'moved'), '');
    mkdirSync(join(inside, 'directory'));
    expect(
      await attempts(() => landlock(rules, { abi: 1 }), {
        inside: open(join(inside, 'file'), O_WRONLY),
        outside: open(join(outside, 'file'), O_WRONLY),
        'truncated outside': truncate(join(outside, 'file')),
        moved: rename(join(inside, 'moved'), join(inside, 'directory/moved')),
      }),
    ).toEqual({ inside: 'done', outside: 'EACCES', 'truncated outside': 'done', moved: 'EXDEV' });
  });

  it('says of steps that are for a newer kernel that they are', async ({ skip }) => {
    skip(abi >= 10, `ABI ${abi} is no older than the newest that is known`);
    await expect(launch(landlock({}, { abi: 10 }))).rejects.toThrow(/^landlock_create_ruleset\(.* = EINVAL .*\nhint: .*landlockAbi\(\)$/);
  });

  it('is strict where everything that is asked for is there', async () => {
    const { inside } = twoDirectories();
    const strict = (): Plan => landlock({ paths: [{ path: inside, allow: ['read'] }] }, { strict: true, handled: { paths: ['read'] } });
    expect(await attempt(...strict(), open('/etc/passwd', O_RDONLY))).toBe('EACCES');
    expect(await attempt(...strict(), open(join(inside, 'file'), O_RDONLY))).toBe('done');
  });

  it('holds for the processes that come of it, and their programs', async ({ skip }) => {
    skip(!existsSync(busybox), 'busybox-static is not installed');
    const { inside, outside } = twoDirectories();
    const script = `cd ${inside}; (echo x > new) && (echo x > ${outside}/new); [ -e new ] && ! [ -e ${outside}/new ]`;
    const rules = landlock({
      paths: [
        { path: inside, allow: ['read', 'write'] },
        { path: busybox, allow: ['execute', 'read'] },
      ],
    });
    const child = await launch([...rules, { call: 'execve', args: [busybox, ['sh', '-c', script], []], purpose: 'a shell' }], {
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    expect(await child.exited).toMatchObject({ code: 0 });
    expect([existsSync(join(inside, 'new')), existsSync(join(outside, 'new'))]).toEqual([true, false]);
  });
});
