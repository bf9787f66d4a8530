// Filters that were written for runc: nothing that this runtime does to set a container up needs a word in them. runc 1.1.5 needs some calls of its own (close_range, openat, futex, …), and so do later ones.
import { spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { create, exec, start, type Config, type LinuxSeccomp, type Process } from '@ctr/oci';
import { compile } from '@ctr/syscall';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { bundleOf, configOf, created, newId, Output, place, ran } from './container.js';
import { shell } from './ctr-oci.js';

const at = place();
const STATUS = 42;
/** A program of one call, and a filter that allows it and execve(2). */
const smallest = '/bin/smallest';
const strict: LinuxSeccomp = { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ['execve', 'exit_group'], action: 'SCMP_ACT_ALLOW' }] };
/** What this runtime, and runc, call between the set-up and the program. */
const own = [
  'faccessat',
  'faccessat2',
  'prctl',
  'setresuid',
  'setresgid',
  'setuid',
  'setgid',
  'setgroups',
  'umask',
  'capset',
  'capget',
  'close_range',
  'close',
  'dup3',
  'fcntl',
  'fchown',
  'openat',
  'openat2',
  'write',
  'read',
  'sendmsg',
  'setsid',
  'chdir',
  'fchdir',
  'seccomp',
  'keyctl',
];
const allCapabilities = ['CAP_SYS_ADMIN', 'CAP_NET_RAW', 'CAP_CHOWN'];

beforeAll(() => {
  writeFileSync(join(at.rootfs, smallest), compile([{ call: 'exit_group', args: [STATUS], purpose: 'the end' }]));
  chmodSync(join(at.rootfs, smallest), 0o755);
});

const users: readonly (readonly [who: string, process: Partial<Process>])[] = [
  ['root', {}],
  ['root without a capability', { capabilities: {} }],
  ['a user', { user: { uid: 1000, gid: 1000, additionalGids: [5] } }],
  [
    'a user with ambient capabilities',
    {
      user: { uid: 1000, gid: 1000 },
      capabilities: {
        bounding: ['CAP_NET_RAW'],
        permitted: ['CAP_NET_RAW'],
        effective: ['CAP_NET_RAW'],
        inheritable: ['CAP_NET_RAW'],
        ambient: ['CAP_NET_RAW'],
      },
    },
  ],
];
const namespaces = (config: Config) => [...(config.linux?.namespaces ?? []), { type: 'user' as const }];
const map = [{ containerID: 0, hostID: 100_000, size: 65_536 }];

describe.each([true, false])('with noNewPrivileges %s', (noNewPrivileges) => {
  describe.each(users)('for %s', (_, process) => {
    it('a filter that allows execve(2) and what the program calls is enough', async () => {
      const { exit } = await ran(at, [smallest], { process: { noNewPrivileges, ...process }, linux: { seccomp: strict } });
      expect(exit.code).toBe(STATUS);
    });

    it('such a filter is enough for a program of PATH, and a further one', async () => {
      const { id, child, root } = await created(at, ['smallest'], { process: { noNewPrivileges, ...process }, linux: { seccomp: strict } });
      const second = await exec(id, (own) => ({ ...own, args: ['smallest'] }), { ...root, stdio: ['ignore', 'ignore', 'ignore'] });
      expect((await second.exited).code).toBe(STATUS);
      await start(id, root);
      expect((await child.exited).code).toBe(STATUS);
    });

    it('the program has the capabilities of the configuration, and the filter', async () => {
      const seccomp: LinuxSeccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }] };
      const show = ['grep', '-E', '^(Cap|Seccomp:|NoNewPrivs|Uid)', '/proc/self/status'];
      const changes = (linux: Config['linux']) => ({ process: { noNewPrivileges, ...process }, ...(linux && { linux }) });
      const { output: without } = await ran(at, show, changes(undefined));
      const { id, child, output, root } = await created(at, show, changes({ seccomp }));
      const second = new Output();
      expect((await (await exec(id, (own) => ({ ...own, args: show }), { ...root, stdio: ['ignore', second.fd, second.fd] })).exited).code).toBe(0);
      await start(id, root);
      await child.exited;
      const expected = without.replace('Seccomp:\t0', 'Seccomp:\t2');
      expect(output.text).toBe(expected);
      expect(second.text).toBe(expected);
      expect(output.text).toContain('Seccomp:\t2');
    });
  });

  it('such a filter is enough in a user namespace', async () => {
    const config = configOf(at, [smallest]);
    const { exit } = await ran(at, [smallest], {
      process: { noNewPrivileges },
      linux: { seccomp: strict, namespaces: namespaces(config), uidMappings: map, gidMappings: map },
    });
    expect(exit.code).toBe(STATUS);
  });

  it.each(['ENOSYS', 'EPERM'])('what this runtime calls itself may be answered with %s', async (errno) => {
    const seccomp: LinuxSeccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: own, action: 'SCMP_ACT_ERRNO', errnoRet: errno === 'ENOSYS' ? 38 : 1 }],
    };
    expect((await ran(at, [smallest], { process: { noNewPrivileges }, linux: { seccomp } })).exit.code).toBe(STATUS);
  });

  it('files of the caller are passed on', async () => {
    const bundle = bundleOf(at, configOf(at, [smallest], { process: { noNewPrivileges }, linux: { seccomp: strict } }));
    const { code, stderr } = await shell(
      `exec 3</dev/null 4</dev/null 5</dev/null; $CTR_OCI --root ${at.root} run --preserve-fds 3 --bundle ${bundle} ${newId()}`,
    );
    expect({ code, stderr }).toEqual({ code: STATUS, stderr: '' });
  });

  it('what cannot run is told: a filter without execve(2), and a program that is not there', async () => {
    const creating = (args: readonly string[], seccomp: LinuxSeccomp) =>
      create(bundleOf(at, configOf(at, args, { process: { noNewPrivileges }, linux: { seccomp } })), newId(), {
        root: at.root,
        stdio: ['ignore', 'ignore', 'ignore'],
      });
    await expect(creating([smallest], { ...strict, syscalls: [] })).rejects.toThrow('linux.seccomp answers execve with EPERM');
    await expect(creating(['/no/such/program'], strict)).rejects.toThrow('/no/such/program');
    await expect(creating(['nowhere'], strict)).rejects.toThrow('executable file not found in $PATH');
  });

  it('somebody may be asked about the calls of the set-up, too, as soon as they can be asked', async () => {
    const socket = join(at.directory, `agent-${newId()}`);
    const agent = spawn('python3', ['-c', agentScript, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void agent.kill('SIGKILL'));
    await new Promise((resolve) => agent.stdout.once('data', resolve));
    const asked: LinuxSeccomp = {
      defaultAction: 'SCMP_ACT_ALLOW',
      listenerPath: socket,
      syscalls: [{ names: ['execve', 'openat', 'open', 'read', 'close', 'faccessat', 'close_range', 'dup3', 'prctl', 'capset'], action: 'SCMP_ACT_NOTIFY' }],
    };
    const { exit, output } = await ran(at, ['cat', '/etc/group'], { process: { noNewPrivileges }, linux: { seccomp: asked } });
    expect(exit.code).toBe(0);
    expect(output).toContain('root:x:0:');
    const creating = create(
      bundleOf(at, configOf(at, ['true'], { linux: { seccomp: { ...asked, syscalls: [{ names: ['write'], action: 'SCMP_ACT_NOTIFY' }] } } })),
      newId(),
      {
        root: at.root,
        stdio: ['ignore', 'ignore', 'ignore'],
      },
    );
    await expect(creating).rejects.toThrow('linux.seccomp answers write with SCMP_ACT_NOTIFY');
  });
});

it('the right to load a filter ends with the program that runs: it is in none of its sets, whoever it is', async () => {
  const seccomp: LinuxSeccomp = { defaultAction: 'SCMP_ACT_ALLOW' };
  for (const [, process] of users) {
    const { output } = await ran(at, ['grep', '^Cap', '/proc/self/status'], { process: { noNewPrivileges: false, ...process }, linux: { seccomp } });
    for (const [, set = ''] of output.matchAll(/^Cap\w+:\t([0-9a-f]+)$/gm)) expect((BigInt(`0x${set}`) >> 21n) & 1n).toBe(0n);
  }
  // The control: who is given it has it.
  const { output } = await ran(at, ['grep', '^CapEff', '/proc/self/status'], {
    process: { noNewPrivileges: false, capabilities: { bounding: allCapabilities, permitted: allCapabilities, effective: allCapabilities } },
    linux: { seccomp },
  });
  expect((BigInt(`0x${output.trim().split('\t')[1] ?? '0'}`) >> 21n) & 1n).toBe(1n);
});

/** Lets every call go on that it is asked about. */
const agentScript = `
import array, fcntl, os, socket, struct, sys, threading
listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
listening.bind(sys.argv[1])
listening.listen(8)
print('ready', flush=True)
def answer(fd):
    try:
        while True:
            call = bytearray(80)
            fcntl.ioctl(fd, 0xc0502100, call)
            fcntl.ioctl(fd, 0xc0182101, struct.pack('QqiI', struct.unpack_from('Q', call)[0], 0, 0, 1))
    except OSError:
        os.close(fd)
while True:
    connection, _ = listening.accept()
    _, fds, _, _ = socket.recv_fds(connection, 65536, 1)
    threading.Thread(target=answer, args=(fds[0],), daemon=True).start()
`;
