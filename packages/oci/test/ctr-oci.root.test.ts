import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, createReadStream, existsSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

import type { Config } from '@ctr/oci';
import { call, fcntlCommands, openFlags, openPipe, readable } from '@ctr/syscall';
import { describe, expect, it, onTestFinished } from 'vitest';

import { bundleOf, cgroupsBelow, configOf, newId, place, type Changes } from './container.js';
import { command, ctrOci, shell, type Outcome } from './ctr-oci.js';

const at = place();

/** A container of the command line, gone when the test is over. */
function container(args: readonly string[], changes: Changes = {}) {
  const id = newId();
  const bundle = bundleOf(at, configOf(at, args, changes));
  const oci = (...words: string[]): Promise<Outcome> => ctrOci(['--root', at.root, ...words], { cwd: bundle });
  const quietly = async (...words: string[]): Promise<number | null> => (await ctrOci(['--root', at.root, ...words], { cwd: bundle, quiet: true })).code;
  onTestFinished(async () => void (await oci('delete', '--force', id)));
  return { id, bundle, oci, quietly };
}

const MAX_BYTES = 16 * 2 ** 20;

describe('ctr-oci', () => {
  it('runs what `spec` writes', async () => {
    const bundle = mkdtempSync(join(at.directory, 'spec-'));
    symlinkSync(at.rootfs, join(bundle, 'rootfs'));
    expect(await ctrOci(['spec'], { cwd: bundle })).toMatchObject({ code: 0, stderr: '' });
    expect((await ctrOci(['spec'], { cwd: bundle })).stderr).toContain('File config.json exists');
    const file = join(bundle, 'config.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"terminal": true', '"terminal": false'));
    const id = newId();
    const { code, stdout, stderr } = await ctrOci(['--root', at.root, 'run', id], { cwd: bundle, input: 'echo $((6 * 7)); id -u; exit 3\n' });
    expect({ code, stdout, stderr }).toEqual({ code: 3, stdout: '42\n0\n', stderr: '' });
    expect(existsSync(join(at.root, id))).toBe(false);
  });

  it('creates, starts, shows, signals and deletes', async () => {
    const { id, bundle, oci, quietly } = container(['sh', '-c', 'trap "exit 9" TERM; while :; do sleep 0.05; done']);
    const pidFile = join(bundle, 'pid');
    expect(await quietly('create', '--bundle', bundle, '--pid-file', pidFile, id)).toBe(0);
    const { stdout } = await oci('state', id);
    expect(JSON.parse(stdout)).toMatchObject({ id, status: 'created', pid: Number(readFileSync(pidFile, 'utf8')), bundle });
    expect((await oci('start', id)).code).toBe(0);
    expect((await oci('start', id)).stderr).toBe('ctr-oci: cannot start an already running container\n');
    expect(JSON.parse((await oci('ps', '--format', 'json', id)).stdout)).toContain(Number(readFileSync(pidFile, 'utf8')));
    expect((await oci('ps', id)).stdout).toMatch(/^UID +PID/);
    expect((await oci('list', '-q')).stdout).toBe(`${id}\n`);
    expect(JSON.parse((await oci('list', '--format=json')).stdout)).toMatchObject([{ id, status: 'running' }]);
    expect((await oci('delete', id)).stderr).toBe(`ctr-oci: cannot delete container ${id} that is not stopped: running\n`);
    expect((await oci('pause', id)).code).toBe(0);
    expect((await oci('exec', id, 'true')).stderr).toContain('cannot exec in a paused container');
    expect((await oci('resume', id)).code).toBe(0);
    expect(await oci('exec', '-e', 'A=b', '--user', '1000:1000', '--cwd', '/tmp', id, 'sh', '-c', 'echo $A $(id -u) $(pwd); exit 6')).toMatchObject({
      code: 6,
      stdout: 'b 1000 /tmp\n',
    });
    expect(await oci('exec', id, 'nosuch')).toMatchObject({ code: 255, stderr: expect.stringContaining('executable file not found in $PATH') as string });
    expect((await oci('update', '--pids-limit', '77', '--memory', '64m', id)).code).toBe(0);
    expect((JSON.parse((await oci('events', '--stats', id)).stdout) as { data: object }).data).toMatchObject({
      pids: { limit: 77 },
      memory: { usage: { limit: 67108864 } },
    });
    expect((await oci('kill', id, 'KILL')).code).toBe(0);
    while ((JSON.parse((await oci('state', id)).stdout) as { status: string }).status !== 'stopped');
    expect(await oci('kill', id, '15')).toMatchObject({ code: 1, stderr: 'ctr-oci: container not running\n' });
    expect((await oci('exec', id, 'true')).stderr).toContain('cannot exec in a stopped container');
    expect((await oci('delete', id)).code).toBe(0);
    for (const command of ['state', 'kill', 'delete', 'start', 'ps', 'pause', 'resume'])
      expect(await oci(command, id)).toMatchObject({ code: 1, stderr: expect.stringContaining('container does not exist') as string });
    expect((await oci('delete', '--force', id)).code).toBe(0);
    expect(cgroupsBelow(at.cgroup)).toEqual([]);
  });

  it('tells again and again what a container uses, and each process that had too little memory, until it ends', async () => {
    const { id, oci, quietly } = container(['sh', '-c', 'tail /dev/zero; exec sleep 1000'], { linux: { resources: { memory: { limit: 20 * 2 ** 20 } } } });
    expect(await quietly('create', id)).toBe(0);
    const events = spawn(command[0], [command[1], '--root', at.root, 'events', '--interval', '20ms', id], { stdio: ['ignore', 'pipe', 'inherit'] });
    const types: string[] = [];
    for await (const line of createInterface({ input: events.stdout })) {
      const { type, id: whose } = JSON.parse(line) as { type: string; id: string };
      expect(whose).toBe(id);
      if (types.length === 0) await oci('start', id);
      if (type === 'oom' && !types.includes('oom')) expect((await oci('kill', id, 'KILL')).code).toBe(0);
      types.push(type);
    }
    expect([...new Set(types)].toSorted()).toEqual(['oom', 'stats']);
    expect(events.exitCode ?? (await once(events, 'exit'))[0]).toBe(0);
  });

  it('prints numbers of 64 bits with all digits', async () => {
    const { id, oci, quietly } = container(['sleep', '1000']);
    expect(await quietly('create', id)).toBe(0);
    const { stdout } = await oci('events', '--stats', id);
    expect(stdout).toMatch(/"limit":(9223372036854771712|18446744073709551615|9223372036854775807)/);
    expect(stdout).not.toContain('9223372036854772000');
    expect((await oci('kill', id, '0')).code).toBe(0);
    expect((await oci('exec', '--cwd', 'relative', id, 'true')).stderr).toMatch(/exec failed: .*cwd: "relative"/s);
  });

  it('leaves nothing of itself running, and nothing for its own', async () => {
    const { id, bundle, oci, quietly } = container(['sleep', '1000']);
    const pidFile = join(bundle, 'pid');
    await quietly('run', '-d', '--pid-file', pidFile, id);
    const pids = JSON.parse((await oci('ps', '-f', 'json', id)).stdout) as number[];
    expect(pids).toEqual([Number(readFileSync(pidFile, 'utf8'))]);
    const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
    expect(processes.split('\n').filter((line) => line.includes(id))).toEqual([]);
  });

  it('tells errors in the log, as JSON', async () => {
    const { id, bundle, oci } = container(['nosuch']);
    const log = join(bundle, 'log.json');
    const { code, stderr } = await oci('--log', log, '--log-format', 'json', 'create', id);
    expect(code).toBe(1);
    const lines = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: string; msg: string; time: string });
    expect(lines.at(-1)).toMatchObject({ level: 'error', msg: expect.stringContaining('exec: "nosuch": executable file not found in $PATH') as string });
    expect(Date.parse(lines.at(-1)?.time ?? '')).toBeGreaterThan(0);
    expect(stderr).toContain('executable file not found');
    expect(existsSync(join(at.root, id))).toBe(false);
  });

  it('adds a capability to the sets of one process, and to none by which a program that it executes could keep it', async () => {
    const { id, bundle, oci, quietly } = container(['sleep', '1000']);
    expect(await quietly('run', '--detach', id)).toBe(0);
    const show = ['sh', '-c', "grep ^Cap /proc/self/status | tr -d '\\t'"];
    const before = await oci('exec', id, ...show);
    const added = await oci('exec', '--cap', 'CAP_NET_RAW', '--cap', 'sys_ptrace', id, ...show);
    const bits = (1n << 13n) | (1n << 19n);
    const sets = (text: string) =>
      Object.fromEntries(
        text
          .trim()
          .split('\n')
          .map((line) => line.split(':') as [string, string]),
      );
    const [own, more] = [sets(before.stdout), sets(added.stdout)];
    expect(own).toMatchObject({ CapInh: '0'.repeat(16), CapAmb: '0'.repeat(16) });
    const wider = (set: string) => (BigInt(`0x${own[set]}`) | bits).toString(16).padStart(16, '0');
    expect(more).toEqual({ CapInh: own['CapInh'], CapAmb: own['CapAmb'], CapPrm: wider('CapPrm'), CapEff: wider('CapEff'), CapBnd: wider('CapBnd') });
    // Another user has them by none of its sets, and a file of a process has those that it says.
    const other = sets((await oci('exec', '--cap', 'CAP_NET_RAW', '--user', '1000:1000', id, ...show)).stdout);
    expect(other).toMatchObject({ CapInh: '0'.repeat(16), CapAmb: '0'.repeat(16), CapEff: '0'.repeat(16) });
    const file = join(bundle, 'process.json');
    writeFileSync(file, JSON.stringify({ cwd: '/', args: show, env: ['PATH=/bin'], capabilities: { bounding: ['CAP_KILL'], permitted: ['CAP_KILL'] } }));
    expect(sets((await oci('exec', '--process', file, id)).stdout)).toMatchObject({
      CapInh: '0'.repeat(16),
      CapAmb: '0'.repeat(16),
      CapPrm: `${'0'.repeat(14)}20`,
    });
  });

  it('reads no more of a file that a client names than a configuration can have', async () => {
    const { id, bundle, oci, quietly } = container(['sleep', '1000']);
    expect(await quietly('run', '--detach', id)).toBe(0);
    const large = join(bundle, 'large.json');
    writeFileSync(large, '{}'.padStart(MAX_BYTES + 1));
    expect((await oci('update', '--resources', large, id)).stderr).toContain(`large.json has more than ${MAX_BYTES} bytes: no more are read`);
    writeFileSync(large, '{"pids": {"limit": 32}}'.padStart(MAX_BYTES));
    expect((await oci('update', '--resources', large, id)).stderr).toBe('');
    expect((await oci('exec', '--process', '/dev/zero', id)).stderr).toContain('/dev/zero has more than 16777216 bytes: no more are read');
    expect((await oci('update', '--resources', '/dev/zero', id)).stderr).toContain('/dev/zero has more than 16777216 bytes: no more are read');
    const piped = `echo '{"pids": {"limit": 33}}' | $CTR_OCI --root ${at.root} update --resources - ${id}`;
    expect(await shell(piped)).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('shows a terminal in a pipe, which stays as it was for others', async () => {
    const { id, bundle } = container(['sh', '-c', 'seq 100000'], { process: { terminal: true } });
    const output = openPipe('stdout');
    const child = spawn(command[0], [command[1], '--root', at.root, 'run', id], { cwd: bundle, stdio: ['ignore', output.write.number, 'inherit'] });
    const ended = once(child, 'exit');
    await readable(output.read);
    expect(call({ call: 'fcntl', args: [output.write, fcntlCommands.F_GETFL, 0], purpose: 'does it block?' }) & openFlags.O_NONBLOCK).toBe(0);
    output.write.close();
    const shown = await text(createReadStream('', { fd: output.read.release() }));
    expect(shown.replaceAll('\r', '')).toBe(Array.from({ length: 100_000 }, (_, i) => `${i + 1}\n`).join(''));
    expect(await ended).toEqual([0, null]);
  });

  it('ends a program whose terminal nobody sees any more', async () => {
    const { id, bundle } = container(['sh', '-c', 'while :; do echo y; done'], { process: { terminal: true } });
    const line = `$CTR_OCI --root ${at.root} run ${id} </dev/null 2>&3 | head -1`;
    expect(await shell(`{ { ${line.replace(' | ', '; echo $? >&2; } | ')}; } 3>&2`, { cwd: bundle })).toMatchObject({ stderr: '141\n' });
  });

  it('gives the master of a terminal to a console socket', async () => {
    const { id, bundle, oci } = container(['sh', '-c', 'stty size; tty'], { process: { terminal: true, consoleSize: { height: 33, width: 77 } } });
    expect((await oci('create', id)).stderr).toContain('cannot allocate tty if runc will detach without setting console socket');
    const socket = join(bundle, 's');
    const receiver = [
      '-c',
      'import socket,os,array,sys\ns=socket.socket(socket.AF_UNIX)\ns.bind(sys.argv[1])\ns.listen(1)\nopen(sys.argv[1]+".ready","w")\nc,_=s.accept()\nm,a,_,_=c.recvmsg(100,100)\nfd=array.array("i",a[0][2])[0]\nprint(m.decode())\nsys.stdout.flush()\ntry:\n  while True:\n    d=os.read(fd,100)\n    if not d: break\n    sys.stdout.write(d.decode())\nexcept OSError: pass',
    ];
    const line = `python3 ${receiver.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')} ${socket} & while [ ! -e ${socket}.ready ]; do sleep 0.01; done; $CTR_OCI --root ${at.root} create --console-socket ${socket} ${id} && $CTR_OCI --root ${at.root} start ${id}; wait`;
    const { stdout } = await shell(line, { cwd: bundle });
    expect(stdout.replaceAll('\r', '')).toBe('/dev/ptmx\n33 77\n/dev/pts/0\n');
  });

  it('gives a program the files of its caller, and none that Node has opened in their place', async () => {
    const { id, bundle, oci, quietly } = container(['sleep', '1000']);
    expect(await quietly('run', '--detach', id)).toBe(0);
    for (const command of [`run -b ${bundle} ${newId()}`, `exec ${id} true`]) {
      const [name = '', rest = ''] = command.split(/ (.*)/);
      const line = `exec 3</dev/null; $CTR_OCI --root ${at.root} ${name} --preserve-fds 2 ${rest}`;
      expect((await shell(line)).stderr).toContain('file 4 is not open: as many files have to be open as are to be preserved');
    }
    expect((await oci('exec', '--preserve-fds', '-1', id, 'true')).stderr).toContain('--preserve-fds -1: give a number of files');
    const line = `exec 3<${join(at.rootfs, 'etc/group')} 4</dev/null; $CTR_OCI --root ${at.root} exec --preserve-fds 2 ${id} sh -c 'cat <&3; ls /proc/self/fd'`;
    // The last one is of ls.
    expect((await shell(line)).stdout).toBe('root:x:0:\nuser:x:1000:\n0\n1\n2\n3\n4\n5\n');
  });

  it('passes on signals that would end it alone', async () => {
    const names = ['USR1', 'ALRM', 'VTALRM', 'PROF', 'IO', 'PWR', 'TERM'];
    const { id, bundle } = container([
      'sh',
      '-c',
      `${names.map((name) => `trap 'echo ${name}' ${name}`).join('; ')}; trap "exit 7" HUP; echo ready; while :; do sleep 0.02; done`,
    ]);
    const child = spawn(command[0], [command[1], '--root', at.root, 'run', id], { cwd: bundle, stdio: ['ignore', 'pipe', 'inherit'] });
    const said: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      const name = names[said.push(line) - 1];
      child.kill(name === undefined ? 'SIGHUP' : (`SIG${name}` as NodeJS.Signals));
    }
    expect(said).toEqual(['ready', ...names]);
    expect(child.exitCode ?? (await once(child, 'exit'))[0]).toBe(7);
  });

  it('prints the plan of a step that fails, if it is asked to', async () => {
    const { id, oci } = container(['nosuch']);
    expect((await oci('create', id)).stderr).not.toContain('prctl');
    expect((await oci('--debug', 'create', id)).stderr).toMatch(/^ctr-oci: create failed: exec: "nosuch".*\n[^]*prctl\([^]*→[^\n]*ENOENT/m);
  });

  it('ends as it should where nobody reads what it says any more', async () => {
    const fifo = join(mkdtempSync(join(at.directory, 'fifo-')), 'fifo');
    execFileSync('mkfifo', [fifo]);
    // The fifo has a reader only until it has a writer.
    const broken = `exec 3<>${fifo} 4>${fifo} 3<&-; `;
    const ends = async (command: string) => (await shell(`${broken} $CTR_OCI --root ${at.root} ${command}; echo $?`)).stdout;
    expect(await ends('state nosuch 2>&4')).toBe('1\n');
    expect(await ends('exec nosuch true 2>&4')).toBe('255\n');
    expect(await ends('features >&4 2>&4')).toBe('141\n');
  });

  it('runs for an engine of an ordinary user, which is root in its own namespace: in the cgroups that it is in', async () => {
    // What only root can write to is of no use to it, and neither is the place of root's states.
    const home = mkdtempSync(join(at.directory, 'user-'));
    chownSync(home, 65_534, 65_534);
    const { bundle } = container(['sh', '-c', 'id -u; tail -n 1 /proc/self/cgroup; grep -c " cgroup2\\? " /proc/mounts'], {
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        { destination: '/dev', type: 'tmpfs', source: 'tmpfs' },
        { destination: '/tmp', type: 'cgroup', source: 'cgroup', options: ['ro'] },
      ],
      root: { path: at.rootfs },
      linux: { resources: {}, namespaces: [{ type: 'mount' }, { type: 'pid' }, { type: 'uts' }] },
    });
    const file = join(bundle, 'config.json');
    chmodSync(bundle, 0o755);
    const { linux, ...config } = JSON.parse(readFileSync(file, 'utf8')) as Config;
    writeFileSync(file, JSON.stringify({ ...config, linux: { ...linux, cgroupsPath: '' } }));
    const prefix = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'unshare', '--user', '--map-root-user', '--mount'];
    const { stdout, stderr, code } = await shell(
      `export XDG_RUNTIME_DIR=${home} USER=user; $CTR_OCI run --bundle ${bundle} user; ls -A ${home}/ctr-oci | wc -l`,
      { prefix },
    );
    const [uid, group, mounts, states] = stdout.split('\n');
    const own = readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n').at(-1);
    expect({ code, stderr, uid, group, states, isShown: Number(mounts) > 0 }).toEqual({
      code: 0,
      stderr: '',
      uid: '0',
      group: own,
      states: '0',
      isShown: true,
    });
  });

  it('runs for an ordinary user what it has written for one, with files of the host', async () => {
    const home = mkdtempSync(join(at.directory, 'user-'));
    const line = [
      `cd ${home}; export XDG_RUNTIME_DIR=${home} USER=user; echo shown > file; ln -s ${at.rootfs} rootfs; $CTR_OCI spec --rootless`,
      `sed -i -e 's|"terminal": true|"terminal": false|; s|"sh"|"cat", "/tmp/shown"|' -e 's|"mounts": \\[|&{"destination":"/tmp/shown","source":"file","options":["bind"]},|' config.json`,
      '$CTR_OCI run user',
    ].join('; ');
    chownSync(home, 65_534, 65_534);
    chmodSync(home, 0o755);
    const prefix = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    expect(await shell(line, { prefix })).toEqual({ code: 0, stdout: 'shown\n', stderr: '' });
  });

  it('mounts and unmounts nothing of those that share mounts with it', async () => {
    const shared = mkdtempSync(join(at.directory, 'shared-'));
    for (const rootfsPropagation of ['rshared', 'rslave', 'rprivate'] as const) {
      const { id, bundle } = container(['sh', '-c', 'mount -t tmpfs inner /tmp/volume/in 2>&1; grep -c . /proc/self/mountinfo >/dev/null'], {
        process: { capabilities: { bounding: ['CAP_SYS_ADMIN'], permitted: ['CAP_SYS_ADMIN'], effective: ['CAP_SYS_ADMIN'] } },
        root: { path: at.rootfs },
        mounts: [
          { destination: '/proc', type: 'proc', source: 'proc' },
          { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' },
          { destination: '/tmp/volume', type: 'bind', source: shared, options: ['rbind', 'rshared'] },
        ],
        linux: { rootfsPropagation },
      });
      mkdirSync(join(shared, 'in'), { recursive: true });
      // In a mount namespace all of whose mounts are shared; the volume is a mount of its own.
      const prefix = ['unshare', '--mount', '--propagation', 'shared', '--'];
      const line = `mount --bind ${shared} ${shared} && mount --make-shared ${shared} && cut -d' ' -f5- /proc/self/mountinfo | sort > ${bundle}/before; $CTR_OCI --root ${at.root} run ${id}; cut -d' ' -f5- /proc/self/mountinfo | sort | diff ${bundle}/before -`;
      const { stdout, stderr } = await shell(line, { cwd: bundle, prefix });
      // What the container mounts in a volume that is shared with the host is there as well, and nothing else has changed.
      const changes = stdout.split('\n').filter((text) => /^[<>]/.test(text));
      expect({ changes: [...new Set(changes.map((text) => text.split(' ').slice(0, 2).join(' ')))], stderr }).toEqual({
        changes: rootfsPropagation === 'rshared' ? [`> ${shared}/in`] : [],
        stderr: '',
      });
    }
  });

  it.each([
    [['nosuch'], 'there is no command "nosuch"'],
    [['create'], 'the id of a container is missing'],
    [['create', 'a', 'b'], '"b" is one word too many'],
    [['create', '--nosuch', 'a'], 'there is no option --nosuch'],
    [['create', '--bundle'], 'the value of --bundle is missing'],
    [['kill', 'a', 'NOSUCH'], 'unknown signal "NOSUCH"'],
    [['--log-format', 'xml', 'list'], 'text or json'],
    [['checkpoint'], 'checkpoint and restore are not there'],
    [['restore', 'a'], 'checkpoint and restore are not there'],
    [['strat', 'a'], 'there is no command "strat": did you mean start?'],
    [['create', '--pidfile', 'f', 'a'], 'there is no option --pidfile: did you mean --pid-file?'],
    [['list', 'a'], '"a" is one word too many'],
    [['-x'], 'there is no option --x\n'],
    [['events', '--interval', '0', 'a'], '--interval "0"'],
    [['exec', '-u', '1e0', 'a', 'true'], ''],
    [['create', '--bundle', '/nowhere', 'a'], 'ENOENT'],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await ctrOci(['--root', at.root, ...args]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/^ctr-oci: /);
    expect(stderr).toContain(message);
  });

  it('says what it is and what there is', async () => {
    expect((await ctrOci(['--version'])).stdout).toMatch(/^ctr-oci version .*\nspec: 1\.\d/);
    expect((await ctrOci(['help'])).stdout).toContain('create');
    expect((await ctrOci(['help', 'exec'])).stdout).toContain('--console-socket');
    expect(JSON.parse((await ctrOci(['features'])).stdout)).toMatchObject({ ociVersionMin: '1.0.0' });
  });
});
