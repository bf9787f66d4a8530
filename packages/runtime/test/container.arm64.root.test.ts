// Containers for arm64, compiled here and run by a kernel of arm64: what emulation of a program alone (qemu-aarch64) cannot show, since it refuses namespaces.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { planGroup, removeSteps, type CgroupLayout } from '@ctr/cgroups';
import { privileged, standalonePlan, type ContainerOptions } from '@ctr/runtime';
import { capabilityNames, compileFilter, defaultCapabilities, defaultProfile, seccomp, simulate } from '@ctr/security';
import { AT_FDCWD, compile, errnos, Memory, openFlags, resultOf, syscallNumbers, type Plan, type Step, type SyscallName } from '@ctr/syscall';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { boot } from '../../../tools/vm/arm64.mjs';
import { kernel } from '../../../tools/vm/kernel.mjs';

const MiB = 2 ** 20;
const RELEASE = process.env['CTR_ARM64'] ?? '6.1';
const BOOT_MS = 300_000;
const arch = 'arm64';

const top = mkdtempSync(join(tmpdir(), 'ctr-arm64-'));
afterAll(() => rmSync(top, { recursive: true }));

/** A root file system at the same place on both machines; on this one it is empty. */
const rootfs = join(top, 'image');
mkdirSync(rootfs);

/** What groups are planned from: files as they are below a cgroup2 mount, which is there on the other machine. */
const mount = join(top, 'cgroup');
mkdirSync(mount);
writeFileSync(join(mount, 'cgroup.controllers'), 'cpu memory pids\n');
writeFileSync(join(mount, 'cgroup.subtree_control'), '\n');
const layout: CgroupLayout = {
  mode: 'v2',
  hierarchies: [{ version: 2, controllers: ['cpu', 'memory', 'pids'], mount, ownPath: '/', ownDirectory: mount, readonly: false }],
};
const limited = planGroup('limited', { pids: 8 }, { layout });
const small = planGroup('small', { memoryBytes: 16 * MiB }, { layout });

/** The filter of a container, for the other architecture. */
const filter = compileFilter(defaultProfile, { arch, capabilities: defaultCapabilities });

/** A container without a group, which is planned for this machine. */
function container(command: [string, ...string[]], options: ContainerOptions = {}): Step[] {
  const plan = standalonePlan(command, { rootfs, cgroup: false, ...options });
  const at = plan.findIndex(({ call }) => call === 'seccomp');
  const [load] = seccomp(filter);
  if (at >= 0 && load) plan.splice(at, 1, { ...load, ...('onFailure' in (plan[at] ?? {}) && { onFailure: (plan[at] as { onFailure: Step }).onFailure }) });
  return plan;
}

/** A container whose launcher joins a group once it executes its sealed copy: what comes before is done twice. */
function inLimited(plan: Step[]): Plan {
  return plan.toSpliced(
    plan.findIndex(({ call }) => call === 'rt_sigaction'),
    0,
    ...limited.steps,
  );
}

/** Calls that the filter answers itself: made with zeros for arguments. */
const refused = [...syscallNumbers(arch)].flatMap(([name, nr]) => {
  const { action, data } = simulate(filter, { arch, nr });
  return action === 'SCMP_ACT_ERRNO' ? [{ name: name as SyscallName, errno: data }] : [];
});
const answers = new Memory(refused.length * 8, 'answers');
const probe: Plan = [
  ...refused.map(({ name }, i): Step => ({
    call: name,
    args: [0, 0, 0, 0, 0, 0],
    purpose: 'what the filter refuses',
    tolerates: 'any',
    into: answers.at(i * 8),
  })),
  { call: 'write', args: [1, answers, answers.byteLength], purpose: 'what came of them' },
];

/** Takes more memory than it may, in a group that is there. */
function glutton(directory: string): Step[] {
  const open: Step = { call: 'openat', args: [AT_FDCWD, `${directory}/cgroup.procs`, openFlags.O_WRONLY, 0], purpose: 'the group' };
  // asm-generic/mman-common.h, linux/mman.h: PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE
  const take: Step = { call: 'mmap', args: [null, 64 * MiB, 0x3, 0x8022, -1, 0], purpose: 'take memory' };
  return [open, { call: 'write', args: [resultOf(open), '0', 1], purpose: 'join it' }, take];
}

const told =
  'echo $$ $(hostname) $(id -u); ls /; set -- /proc/[0-9]*; echo $#; grep -E "^(NoNewPrivs|Seccomp|CapBnd):" /proc/self/status; ulimit -n; ls /proc/self/fd | wc -l';
const refusals = 'mount -t tmpfs none /tmp; umount /proc; head -c 1 /proc/kcore | wc -c; echo 1 > /proc/sys/kernel/printk; mknod /dev/disk b 254 0; hostname x';

let outcomes: Awaited<ReturnType<typeof boot>>;
beforeAll(async () => {
  const plans: Readonly<Record<string, Plan>> = {
    plain: container(['sh', '-c', 'echo $$ $(hostname); ls /; set -- /proc/[0-9]*; echo $#; exit 7'], { ...privileged, hostname: 'box' }),
    hardened: container(['sh', '-c', told], { hostname: 'box' }),
    refusing: container(['sh', '-c', `exec 2>&1; ${refusals}`]),
    probing: container(['/bin/probe']),
    init: container(['sh', '-c', 'echo $$; sleep 0.1 & exit 3'], { init: true }),
    readonly: container(['touch', '/file'], { readonly: true }),
    missing: container(['no-such-program']),
    limited: inLimited(container(['sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9; do sleep 100 & done'])),
    small: [...small.create, ...small.close],
    glutton: glutton(small.directories[0] ?? ''),
    remove: [...removeSteps(limited), ...removeSteps(small)],
  };
  const executables = Object.entries(plans).flatMap(([name, plan]) => [
    [`/plans/${name}`, compile(plan, { arch })] as const,
    [`/packed/${name}`, compile(plan, { arch, packed: true })] as const,
  ]);
  outcomes = await boot({
    kernel: kernel(RELEASE, arch),
    programs: { ...Object.fromEntries(executables), [`${rootfs}/bin/probe`]: compile(probe, { arch }) },
    setUp: `
      mkdir -p ${mount} ${rootfs}/dev ${rootfs}/etc ${rootfs}/proc ${rootfs}/sys ${rootfs}/tmp
      cp /bin/busybox ${rootfs}/bin; /bin/busybox --install -s ${rootfs}/bin
      mount -t cgroup2 none ${mount}`,
    commands: {
      kernel: 'uname -m',
      ...Object.fromEntries(['plain', 'hardened', 'refusing', 'probing', 'init', 'readonly', 'missing'].map((name) => [name, `/plans/${name}`])),
      packed: '/packed/hardened',
      limited: '/plans/limited',
      counted: `cat ${limited.directories[0]}/pids.events`,
      small: '/packed/small',
      glutton: '/packed/glutton',
      killed: `grep oom_kill\\  ${small.directories[0]}/memory.events`,
      remove: `/packed/remove; ls -d ${limited.directories[0]} ${small.directories[0]}`,
    },
    timeoutMs: BOOT_MS,
  });
}, BOOT_MS);

it('runs on a kernel for arm64', () => {
  expect(outcomes['kernel']).toEqual({ code: 0, output: 'aarch64\n' });
});

it('has names, processes, mounts and a root of its own, and ends as its program does', () => {
  expect(outcomes['plain']).toEqual({ code: 7, output: '1 box\nbin\ndev\netc\nproc\nsys\ntmp\n1\n' });
});

it('has few rights by default', () => {
  const bounds = defaultCapabilities.reduce((mask, name) => mask | (1n << BigInt(capabilityNames.indexOf(name))), 0n);
  const rights = `CapBnd:\t${bounds.toString(16).padStart(16, '0')}\nNoNewPrivs:\t1\nSeccomp:\t2`;
  expect(outcomes['hardened']).toEqual({ code: 0, output: `1 box 0\nbin\ndev\netc\nproc\nsys\ntmp\n1\n${rights}\n1024\n4\n` });
});

it('is the same from a packed executable', () => {
  expect(outcomes['packed']).toEqual(outcomes['hardened']);
});

it('is refused what it may not', () => {
  expect(outcomes['refusing']?.output.split('\n')).toMatchInlineSnapshot(`
    [
      "mount: permission denied (are you root?)",
      "umount: can't unmount /proc: Operation not permitted",
      "0",
      "sh: can't create /proc/sys/kernel/printk: Read-only file system",
      "mknod: /dev/disk: Operation not permitted",
      "hostname: sethostname: Operation not permitted",
      "",
    ]
  `);
});

it(`answers each of ${refused.length} calls that the filter refuses as the filter says`, () => {
  const bytes = Buffer.from(outcomes['probing']?.output ?? '', 'latin1');
  expect(outcomes['probing']?.code).toBe(0);
  expect(refused.length).toBeGreaterThan(50);
  const answered = refused.map(({ name }, i) => ({ name, errno: -Number(bytes.readBigInt64LE(i * 8)) }));
  expect(answered).toEqual(refused);
  expect(new Set(refused.map(({ errno }) => errno))).toEqual(new Set([errnos.EPERM, errnos.ENOSYS]));
});

it('has an init, if it is to', () => {
  expect(outcomes['init']).toEqual({ code: 3, output: expect.stringMatching(/^[2-9]\n$/) });
});

it('is read-only, if it is to be', () => {
  expect(outcomes['readonly']).toEqual({ code: 1, output: 'touch: /file: Read-only file system\n' });
});

it('says what failed, and with which error', () => {
  expect(outcomes['missing']).toEqual({ code: 127, output: expect.stringMatching(/^ctr: .*no-such-program.*: ENOENT\n$/) });
});

it('is held by the limits of a group', () => {
  expect(outcomes['limited']?.output).toMatch(/can't fork: Resource temporarily unavailable/);
  expect(outcomes['counted']?.output).toMatch(/^max [1-9]/);
  expect([outcomes['small'], outcomes['glutton']]).toEqual([
    { code: 0, output: '' },
    { code: 137, output: expect.any(String) },
  ]);
  expect(outcomes['killed']).toEqual({ code: 0, output: 'oom_kill 1\n' });
});

it('leaves nothing of its groups', () => {
  expect(outcomes['remove']?.output).toMatch(/^(ls: .*: No such file or directory\n){2}$/);
});
