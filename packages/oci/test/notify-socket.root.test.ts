import { chmodSync, chownSync, existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { create, kill, remove, start, state } from '@ctr/oci';
import { call, callInto, compile, Memory, readable, resultOf, socketDomains, socketTypes, type Step } from '@ctr/syscall';
import { describe, expect, it, onTestFinished } from 'vitest';

import { bindTo, connectTo } from '../src/life-cycle/unix-socket.js';

import { bundleOf, configOf, created, newId, place } from './container.js';
import { ctrOci, shell } from './ctr-oci.js';

const at = place();
const socket = '/run/notify/notify.sock';
const USER = 65_534;

/** A program of the image that says something at its socket, and then makes a last call. */
function teller(messages: readonly string[], last: Step): string[] {
  const address = Buffer.alloc(110);
  address.writeUInt16LE(socketDomains.AF_UNIX);
  address.write(socket, 2);
  const made: Step = { call: 'socket', args: [socketDomains.AF_UNIX, socketTypes.SOCK_DGRAM, 0], purpose: 'a socket' };
  const name = newId();
  const steps: Step[] = [
    made,
    { call: 'connect', args: [resultOf(made), new Memory(address, 'address'), address.byteLength], purpose: 'the one of NOTIFY_SOCKET' },
    ...messages.map((message): Step => ({ call: 'write', args: [resultOf(made), message, message.length], purpose: 'say something' })),
    last,
  ];
  writeFileSync(join(at.rootfs, 'bin', name), compile(steps), { mode: 0o755 });
  return [`/bin/${name}`];
}

const stay: Step = { call: 'rt_sigsuspend', args: [new Memory(8, 'mask'), 8], purpose: 'stay' };
const end: Step = { call: 'exit_group', args: [0], purpose: 'it is done' };

/** Who manages services: a socket, and what has come there. */
function manager(path = join(at.directory, newId())) {
  const fd = bindTo(path);
  const told: string[] = [];
  const stop = new AbortController();
  const over = (async () => {
    for (;;) {
      await readable(fd, { cancelSignal: stop.signal });
      const message = new Memory(4096, 'message');
      // The file of a barrier is not taken, and so it is closed.
      const { result, bytes } = callInto({ call: 'recvfrom', args: [fd, message, 4096, 0, null, null], purpose: 'what is told' }, message);
      told.push(bytes.toString('latin1', 0, result));
    }
  })().catch(() => undefined);
  onTestFinished(async () => {
    stop.abort();
    await over;
    fd.close();
  });
  return { path, told };
}

describe('a program that tells when it is ready', () => {
  it('is waited for, and its manager is told that and its pid, and nothing else', async () => {
    const { path, told } = manager();
    const { id, child, root } = await created(at, teller(['STATUS=on its way', 'STATUS=there\nREADY=1\nMAINPID=1'], stay), {}, { notify: true });
    await start(id, { ...root, notifySocket: path });
    expect(told).toEqual(['READY=1', `MAINPID=${child.pid}`, 'BARRIER=1']);
    expect(state(id, root).status).toBe('running');
  });

  it('may be of another user, in a user namespace of its own, and the manager’s name an abstract one', async () => {
    const { path, told } = manager(`@ctr-${newId()}`);
    const ids = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
    const { namespaces = [] } = configOf(at, []).linux ?? {};
    const linux = { namespaces: [...namespaces, { type: 'user' as const }], uidMappings: ids, gidMappings: ids };
    const { id, root } = await created(at, teller(['READY=1'], stay), { process: { user: { uid: 1000, gid: 1000 } }, linux }, { notify: true });
    await start(id, { ...root, notifySocket: path });
    expect(told[0]).toBe('READY=1');
  });

  it('may have its state at a path that is too long for a socket', async () => {
    const { path, told } = manager();
    const root = join(at.directory, 'long'.repeat(30));
    const id = newId();
    await create(bundleOf(at, configOf(at, teller(['READY=1'], stay))), id, { root, stdio: ['ignore', 'ignore', 'ignore'], notify: true });
    onTestFinished(() => remove(id, { root, force: true }));
    await start(id, { root, notifySocket: path });
    expect(told[0]).toBe('READY=1');
  });

  it('is not waited for any longer once it has ended, whether it has told so or not', async () => {
    const { path, told } = manager();
    const silent = await created(at, teller(['STATUS=none'], end), {}, { notify: true });
    await start(silent.id, { ...silent.root, notifySocket: path });
    expect(told).toEqual([]);
    const quick = await created(at, teller(['READY=1'], end), {}, { notify: true });
    await start(quick.id, { ...quick.root, notifySocket: path });
    expect(told[0]).toBe('READY=1');
  });

  it('can make nothing where its socket is, and finds none where nobody asked for it', async () => {
    const { id, output, child, root } = await created(at, ['sh', '-c', 'echo $NOTIFY_SOCKET; touch /run/notify/x; ls /run/notify'], {}, { notify: true });
    await start(id, { ...root, notifySocket: manager().path });
    await child.exited;
    expect(output.text).toBe(`${socket}\ntouch: /run/notify/x: Read-only file system\nnotify.sock\n`);
    const other = await created(at, ['sh', '-c', 'echo "[$NOTIFY_SOCKET]"']);
    await start(other.id, { ...other.root, notifySocket: manager().path });
    await other.child.exited;
    expect(other.output.text).toBe('[]\n');
  });

  it('is told apart from everybody else: what a process of the host sends is not passed on', async () => {
    const { path, told } = manager();
    const { id, child, root } = await created(at, ['sleep', '1000'], {}, { notify: true });
    const waiting = start(id, { ...root, notifySocket: path });
    const place = join(at.root, id, 'notify/notify.sock');
    while (!existsSync(place)) await new Promise((resolve) => setImmediate(resolve));
    {
      using foreign = connectTo(place, 'SOCK_DGRAM');
      call({ call: 'write', args: [foreign, 'READY=1', 7], purpose: 'say so in its place' });
    }
    while (state(id, root).status !== 'running') await new Promise((resolve) => setImmediate(resolve));
    kill(id, 'SIGKILL', root);
    await child.exited;
    await waiting;
    expect(told).toEqual([]);
  });

  it('is told apart where it shares the pids of the host, by its cgroup', async () => {
    const { path, told } = manager();
    const { namespaces = [] } = configOf(at, []).linux ?? {};
    const linux = { namespaces: namespaces.filter(({ type }) => type !== 'pid') };
    const { id, root } = await created(at, teller(['READY=1'], stay), { linux }, { notify: true });
    await start(id, { ...root, notifySocket: path });
    expect(told[0]).toBe('READY=1');
  });

  it('is started where nobody is at the manager’s socket, with a warning, and is not waited for', async () => {
    const { id, root } = await created(at, ['sleep', '1000'], {}, { notify: true });
    const warnings: string[] = [];
    await start(id, { ...root, notifySocket: join(at.directory, 'nobody'), onWarning: (warning) => warnings.push(warning) });
    expect(warnings).toEqual([expect.stringMatching(/^nobody is told that the program is ready: connect\(.*ENOENT/)]);
    expect(state(id, root).status).toBe('running');
  });
});

describe('ctr-oci with NOTIFY_SOCKET', () => {
  const words = (command: string, ...rest: readonly string[]): string[] => ['--root', at.root, command, ...rest];

  it('waits for a container that it leaves to others', async () => {
    const { path, told } = manager();
    const id = newId();
    onTestFinished(() => remove(id, { root: at.root, force: true }));
    const bundle = bundleOf(at, configOf(at, teller(['READY=1'], stay)));
    expect(await ctrOci(words('run', '--detach', '--bundle', bundle, id), { env: { NOTIFY_SOCKET: path }, quiet: true })).toMatchObject({ code: 0 });
    expect(told).toEqual(['READY=1', `MAINPID=${state(id, { root: at.root }).pid}`, 'BARRIER=1']);
  });

  it('has it created and started by two commands', async () => {
    const { path, told } = manager();
    const id = newId();
    onTestFinished(() => remove(id, { root: at.root, force: true }));
    const env = { NOTIFY_SOCKET: path };
    const bundle = bundleOf(at, configOf(at, teller(['READY=1'], stay)));
    expect(await ctrOci(words('create', '--bundle', bundle, id), { env, quiet: true })).toMatchObject({ code: 0 });
    expect(told).toEqual([]);
    expect(await ctrOci(words('start', id), { env })).toMatchObject({ code: 0, stderr: '' });
    expect(told[0]).toBe('READY=1');
  });

  it.each<[who: string, args: (program: string) => string[]]>([
    ['the first process', (program) => [program]],
    ['another one', (program) => ['sh', '-c', `${program} & sleep 1000`]],
  ])('waits for the container of an ordinary user, who cannot look into its first process before the start: %s tells', async (_, args) => {
    const { path, told } = manager();
    chmodSync(path, 0o777);
    const [program = ''] = teller(['READY=1'], stay);
    const one = [{ containerID: 0, hostID: USER, size: 1 }];
    const namespaces = (['pid', 'mount', 'uts', 'user'] as const).map((type) => ({ type }));
    const config = configOf(at, args(program), {
      mounts: ['/dev', '/run'].map((destination) => ({ destination, type: 'tmpfs', source: 'tmpfs' })),
      linux: { namespaces, maskedPaths: [], readonlyPaths: [], resources: {}, cgroupsPath: '', uidMappings: one, gidMappings: one },
    });
    const bundle = bundleOf(at, config);
    chmodSync(bundle, 0o755);
    const home = mkdtempSync(join(at.directory, 'home-'));
    chownSync(home, USER, USER);
    const oci = `NOTIFY_SOCKET=${path} $CTR_OCI --root ${home}/state`;
    const id = newId();
    const line = `${oci} create --bundle ${bundle} ${id} >/dev/null 2>${home}/said </dev/null; ${oci} start ${id} 2>&1; code=$?; cat ${home}/said; ${oci} delete --force ${id}; exit $code`;
    expect(await shell(line, { prefix: ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'] })).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(told).toEqual(['READY=1', expect.stringMatching(/^MAINPID=/), 'BARRIER=1']);
  });

  it('is the main process itself of one that it waits for', async () => {
    const { path, told } = manager();
    const bundle = bundleOf(at, configOf(at, teller(['READY=1'], end)));
    expect(await ctrOci(words('run', '--bundle', bundle, newId()), { env: { NOTIFY_SOCKET: path } })).toMatchObject({ code: 0, stderr: '' });
    expect(told).toEqual(['READY=1', 'BARRIER=1']);
  });
});
