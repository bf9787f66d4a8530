// What a program is permitted: exactly what is said, whoever starts it, and nothing more by what an image has in it.
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { privileged, run, standalone, type ContainerOptions } from '@ctr/runtime';
import { capabilityNames } from '@ctr/security';
import { AT_FDCWD, call, capabilityNumbers, compile, Memory, openFlags, resultOf, type Step } from '@ctr/syscall';

import { image, temporary } from '../image.js';
import { watchForLeaks } from '../leaks.js';
import { ended, NodeProgram } from '../node-program.js';
import { watchTheHost } from './host.js';

watchForLeaks();
watchTheHost();

/** What `/proc/self/status` says of a program's rights. */
interface Rights {
  readonly uid: string;
  readonly inheritable: bigint;
  readonly permitted: bigint;
  readonly effective: bigint;
  readonly bounding: bigint;
  readonly ambient: bigint;
  readonly noNewPrivs: string;
}

const STATUS_BYTES = 4096;
const standard = bits('CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_FSETID', 'CAP_KILL', 'CAP_SETGID', 'CAP_SETUID', 'CAP_SETPCAP', 'CAP_NET_BIND_SERVICE', 'CAP_SYS_CHROOT', 'CAP_SETFCAP'); // prettier-ignore
const all = bits(...capabilityNames);
/** What the caller of these tests has: in a container, root itself lacks some. */
const own = rights(readFileSync('/proc/self/status', 'utf8'));

function bits(...names: readonly (keyof typeof capabilityNumbers)[]): bigint {
  return names.reduce((sum, name) => sum | (1n << BigInt(capabilityNumbers[name])), 0n);
}

function rights(status: string): Rights {
  const field = (name: string): string => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1] ?? '';
  const set = (name: string): bigint => BigInt(`0x${field(name)}`);
  const sets = { inheritable: set('CapInh'), permitted: set('CapPrm'), effective: set('CapEff'), bounding: set('CapBnd'), ambient: set('CapAmb') };
  return { uid: field('Uid'), ...sets, noNewPrivs: field('NoNewPrivs') };
}

/** A program that prints its own status, of a few kilobytes, without a shell that would give up what it is not meant to have. */
function statusProgram(): Uint8Array {
  const text = new Memory(STATUS_BYTES, 'text');
  const open: Step = { call: 'openat', args: [AT_FDCWD, '/proc/self/status', openFlags.O_RDONLY, 0], purpose: 'what it is permitted' };
  const read: Step = { call: 'read', args: [resultOf(open), text, STATUS_BYTES], purpose: 'as a text' };
  return compile([open, read, { call: 'write', args: [1, text, resultOf(read)], purpose: 'tell' }]);
}

/** An image with that program, as it comes and with what an image can put on a file to give rights. */
function hostile(owner = 0): string {
  const rootfs = image();
  for (const name of ['plain', 'set-user-id', 'effective', 'inheritable', 'permitted']) {
    const path = join(rootfs, name);
    writeFileSync(path, statusProgram(), { mode: 0o755 });
    chownSync(path, owner, owner);
  }
  chmodSync(join(rootfs, 'set-user-id'), 0o6755);
  const some = bits('CAP_SYS_ADMIN', 'CAP_NET_RAW', 'CAP_CHOWN', 'CAP_NET_BIND_SERVICE');
  giveCapabilities(join(rootfs, 'effective'), { permitted: bits('CAP_CHOWN'), effective: true });
  giveCapabilities(join(rootfs, 'permitted'), { permitted: some, effective: false });
  giveCapabilities(join(rootfs, 'inheritable'), { inheritable: some, effective: true });
  return rootfs;
}

/** linux/capability.h: VFS_CAP_REVISION_2, VFS_CAP_FLAGS_EFFECTIVE, struct vfs_cap_data. As setcap(8) does. */
function giveCapabilities(
  path: string,
  { permitted = 0n, inheritable = 0n, effective }: { permitted?: bigint; inheritable?: bigint; effective: boolean },
): void {
  const data = Buffer.alloc(20);
  data.writeUInt32LE(0x0200_0000 | (effective ? 1 : 0), 0);
  for (const half of [0, 1]) {
    data.writeUInt32LE(Number((permitted >> BigInt(32 * half)) & 0xffffffffn), 4 + 8 * half);
    data.writeUInt32LE(Number((inheritable >> BigInt(32 * half)) & 0xffffffffn), 8 + 8 * half);
  }
  call({ call: 'setxattr', args: [path, 'security.capability', data, data.byteLength, 0], purpose: 'file capabilities' });
}

async function rightsOf(program: string, options: ContainerOptions & { readonly rootfs: string }): Promise<Rights> {
  return rights((await run([program], options)).stdout);
}

const web = { uid: 1000, gid: 1000 };
const none = { inheritable: 0n, permitted: 0n, effective: 0n, ambient: 0n };
const root = { permitted: standard, effective: standard, bounding: standard, inheritable: 0n, ambient: 0n };

describe('the sets of a program', () => {
  it.each<[what: string, options: ContainerOptions, sets: Partial<Rights>]>([
    ['of root', {}, root],
    ['of another user', { user: web }, { ...none, bounding: standard }],
    ['of root below an init', { init: true }, root],
    ['of another user below an init', { init: true, user: web }, { ...none, bounding: standard }],
    ['of root with none', { capabilities: { drop: 'all' } }, { ...none, bounding: 0n }],
    [
      'of root with one more and one less',
      { capabilities: { add: ['CAP_NET_RAW'], drop: ['CAP_CHOWN'] } },
      {
        inheritable: 0n,
        ambient: 0n,
        permitted: (standard | bits('CAP_NET_RAW')) & ~bits('CAP_CHOWN'),
        effective: (standard | bits('CAP_NET_RAW')) & ~bits('CAP_CHOWN'),
        bounding: (standard | bits('CAP_NET_RAW')) & ~bits('CAP_CHOWN'),
      },
    ],
    [
      'of another user with one that is added, and no other',
      { user: web, capabilities: { add: ['CAP_NET_BIND_SERVICE'], drop: 'all' } },
      Object.fromEntries(['inheritable', 'permitted', 'effective', 'bounding', 'ambient'].map((set) => [set, bits('CAP_NET_BIND_SERVICE')])),
    ],
    ['of root in a user namespace', { namespaces: { user: 'new' } }, root],
    ['of another user in a user namespace', { namespaces: { user: 'new' }, user: web }, { ...none, bounding: standard }],
    [
      'of root in a user namespace with all',
      { namespaces: { user: 'new' }, capabilities: { add: 'all' } },
      { inheritable: 0n, ambient: 0n, permitted: all, effective: all, bounding: all },
    ],
    ['of root with all that the caller has', { ...privileged }, { inheritable: 0n, ambient: 0n, permitted: own.permitted, effective: own.permitted }],
  ])('are exactly these: %s', async (_, options, sets) => {
    const found = await rightsOf('/plain', { rootfs: hostile(), ...options });
    expect(found).toMatchObject(sets);
    expect(found.noNewPrivs).toBe(options.noNewPrivileges === false ? '0' : '1');
  });

  it('are the same in an executable container', async () => {
    const path = join(temporary(), 'container');
    const rootfs = hostile();
    for (const user of [undefined, web]) {
      writeFileSync(path, standalone(['/plain'], { rootfs, ...(user && { user }) }), { mode: 0o755 });
      const { stdout } = await ended(spawn(path, { stdio: ['ignore', 'pipe', 'pipe'] }));
      expect(rights(stdout)).toMatchObject(user ? { ...none, bounding: standard } : root);
    }
  });
});

// Its own inheritable and ambient capabilities are those that a program of another user would otherwise begin with.
const caller = new NodeProgram(`
  import { run } from '@ctr/runtime';
  const { rootfs, program, ...options } = JSON.parse(process.argv[2] ?? '') as { rootfs: string; program: string };
  process.stdout.write((await run([program], { rootfs, ...options })).stdout);
`);

describe('a caller with inheritable and ambient capabilities', () => {
  const by = ['setpriv', '--inh-caps=+net_raw,+chown,+sys_admin', '--ambient-caps=+net_raw,+chown,+sys_admin'];

  it.each([
    ['root', {}, root],
    ['another user', { user: web }, { ...none, bounding: standard }],
  ])('hands none of them on, nor to a program that asks for them: %s', async (_, options, sets) => {
    const rootfs = hostile();
    for (const program of ['/plain', '/inheritable']) {
      const { stdout, stderr } = await caller.run([JSON.stringify({ rootfs, program, ...options })], { by });
      expect(stderr).toBe('');
      expect(rights(stdout)).toMatchObject(sets);
    }
  });

  it('has them, as its own status says', async () => {
    const { stdout } = await ended(spawn('setpriv', [...by.slice(1), 'cat', '/proc/self/status'], { stdio: ['ignore', 'pipe', 'pipe'] }));
    const given = bits('CAP_NET_RAW', 'CAP_CHOWN', 'CAP_SYS_ADMIN');
    expect(rights(stdout)).toMatchObject({ inheritable: given, ambient: given });
  });
});

describe('a program of the image', () => {
  const programs = ['/set-user-id', '/effective', '/permitted', '/inheritable'];

  it.each([{}, { init: true }, { namespaces: { user: 'new' } }, { capabilities: { add: ['CAP_SYS_ADMIN', 'CAP_NET_RAW'] } }] satisfies ContainerOptions[])(
    'brings no rights with it for another user: %j',
    async (options) => {
      const rootfs = hostile('namespaces' in options ? 100_000 : 0);
      const before = await rightsOf('/plain', { rootfs, user: web, ...options });
      for (const program of programs) {
        const { uid, permitted, effective, inheritable, bounding } = await rightsOf(program, { rootfs, user: web, ...options });
        expect([uid, permitted & ~before.permitted, effective & ~before.effective], program).toEqual([before.uid, 0n, 0n]);
        expect([inheritable, bounding], program).toEqual([before.inheritable, before.bounding]);
      }
    },
  );

  it('brings none for root, either, not even one that is in the bounding set', async () => {
    const rootfs = hostile();
    const options: ContainerOptions = { capabilities: { drop: ['CAP_CHOWN'] } };
    const before = await rightsOf('/plain', { rootfs, ...options });
    for (const program of ['/set-user-id', '/permitted', '/inheritable']) {
      const { permitted, inheritable, bounding } = await rightsOf(program, { rootfs, ...options });
      expect([permitted & ~before.permitted, inheritable, bounding], program).toEqual([0n, 0n, before.bounding]);
    }
  });

  it('brings those that it is to have where that is asked for, within the bounding set', async () => {
    const options: ContainerOptions = { user: web, noNewPrivileges: false };
    const rootfs = hostile();
    expect((await rightsOf('/plain', { rootfs, ...options })).uid).toBe('1000\t1000\t1000\t1000');
    expect(await rightsOf('/set-user-id', { rootfs, ...options })).toMatchObject({
      uid: '1000\t0\t0\t0',
      permitted: standard,
      effective: standard,
      inheritable: 0n,
    });
    expect(await rightsOf('/effective', { rootfs, ...options })).toMatchObject({ permitted: bits('CAP_CHOWN'), effective: bits('CAP_CHOWN') });
    expect(await rightsOf('/permitted', { rootfs, ...options })).toMatchObject({ permitted: bits('CAP_CHOWN', 'CAP_NET_BIND_SERVICE'), effective: 0n });
    // Nothing is inheritable, so that nothing is inherited.
    expect(await rightsOf('/inheritable', { rootfs, ...options })).toMatchObject({ ...none, bounding: standard });
    const inUserNamespace = hostile(100_000);
    expect(await rightsOf('/set-user-id', { rootfs: inUserNamespace, ...options, namespaces: { user: 'new' } })).toMatchObject({ uid: '1000\t0\t0\t0' });
  });

  it('of root of the host is nobody’s in a user namespace', async () => {
    const found = await rightsOf('/set-user-id', { rootfs: hostile(), user: web, noNewPrivileges: false, namespaces: { user: 'new' } });
    expect(found).toMatchObject({ ...none, uid: '1000\t1000\t1000\t1000' });
  });
});
