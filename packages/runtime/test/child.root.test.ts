import { once } from 'node:events';
import { rmdirSync } from 'node:fs';
import { constants } from 'node:os';

import { describe, expect, it } from 'vitest';

import type { ChildOptions } from '@ctr/runtime';

import { childrenOf } from './children.js';
import { groups, watchForLeaks } from './leaks.js';
import { sharedImage } from './image.js';
import { ended, NodeProgram, type Outcome } from './node-program.js';

watchForLeaks();
const image = sharedImage();

// The child's half of a container, which the process of Node becomes.
const program = new NodeProgram(`
  import { child } from '@ctr/runtime';
  const [command = '', options = ''] = process.argv.slice(2);
  try {
    child(JSON.parse(command) as [string], JSON.parse(options) as object);
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 125;
  }
`);

const unshare = ['unshare', '--uts', '--pid', '--mount', '--fork'];

function child(command: readonly string[], options: ChildOptions = {}, by: readonly string[] = unshare): Promise<Outcome> {
  return program.run([JSON.stringify(command), JSON.stringify({ rootfs: image.path, ...options })], { by });
}

describe('child', () => {
  it('makes of namespaces that somebody else has made what run makes of its own', async () => {
    const script =
      'echo $$; hostname; pwd; ls /; ls /proc | grep -c "^[0-9]"; ls /dev | wc -l; id -G; env | sort; ls /proc/self/fd; grep -E "^Sig(Blk|Ign)" /proc/self/status';
    const { stdout, stderr, code } = await child(['sh', '-c', script], { hostname: 'box', mounts: [{ tmpfs: '/tmp' }], cwd: '/etc' });
    expect([stderr, code]).toEqual(['', 0]);
    expect(stdout).toMatch(/^1\nbox\n\/etc\nbin\ndev\netc\nproc\nsys\ntmp\n[2-5]\n14\n0\nHOME=\/root\nHOSTNAME=box\nPATH=.*\nPWD=\/etc\nSHLVL=1\n0\n1\n2\n3\n/);
    // But for SIGPIPE, which Node ignores, what the caller ignores stays ignored, as with nohup.
    const ignored = /SigIgn:\t([0-9a-f]{16})\n$/.exec(stdout)?.[1] ?? 'f';
    expect(stdout).toContain('\nSigBlk:\t0000000000000000\n');
    expect(BigInt(`0x${ignored}`) & (1n << BigInt(constants.signals.SIGPIPE - 1))).toBe(0n);
  });

  it("is what the program of the original does, with the host's programs", async () => {
    const { stdout, stderr } = await program.run([JSON.stringify(['bash', '-c', 'echo $BASH $$; cat /etc/hostname']), '{}'], { by: unshare });
    expect([stdout, stderr]).toEqual([expect.stringMatching(/^(\/usr)?\/bin\/bash 1\ncontainer\n$/), '']);
  });

  it('ends as the program does', async () => {
    expect(await child(['sh', '-c', 'exit 7'])).toMatchObject({ code: 7 });
    expect(await child(['sh', '-c', '(yes; echo $? >&2) | head -1'])).toMatchObject({ stdout: 'y\n', stderr: '141\n' });
  });

  it('joins a group for the limits that are asked for, which stays with passThrough', async () => {
    const { stdout } = await child(['sh', '-c', 'cat /proc/self/cgroup; for i in 1 2 3 4 5 6; do sleep 1 & done'], { limits: { pids: 4 }, name: 'child' });
    expect(stdout).toContain('/ctr/child.');
    expect(groups().filter((directory) => directory.includes('/child.'))).toEqual([]);
    const alone = await child(['cat', '/proc/self/cgroup'], { limits: { pids: 4 }, name: 'alone', passThrough: true });
    const line = alone.stdout.split('\n').find((text) => text.includes('/ctr/alone.'));
    // Nobody removes it before the next start somewhere.
    const name = line?.slice(line.lastIndexOf('/') + 1) ?? 'none';
    const left = groups().filter((directory) => directory.endsWith(`/${name}`));
    expect(left.length).toBeGreaterThan(0);
    for (const group of left) rmdirSync(group);
  });

  it('says what failed, and ends as a compiled container does', async () => {
    expect(await child(['missing'])).toMatchObject({ code: 127, stderr: 'ctr: exec "missing": executable file not found: ENOENT\n' });
    expect(await child(['sh'], { cwd: '/missing' })).toMatchObject({ code: 125, stderr: 'ctr: setting up the directory to start in: ENOENT\n' });
    expect(await child(['sh'], {}, ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'])).toMatchObject({
      code: 125,
      stderr: 'ctr: setting up a process in new namespaces: EPERM\n',
    });
  });

  it('passes signals on, and leaves no group behind', async () => {
    const running = program.start(
      [
        JSON.stringify(['sh', '-c', 'trap "exit 9" TERM; echo ready; while :; do sleep 1000 & wait $!; done']),
        JSON.stringify({ rootfs: image.path, limits: { pids: 9 }, name: 'signaled' }),
      ],
      {
        by: ['unshare', '--uts', '--pid', '--mount', '--fork', '--kill-child'],
      },
    );
    await once(running.stdout!, 'data');
    // unshare waits for the launcher, which is its child.
    const [launcher = 0] = childrenOf(running.pid ?? 0);
    process.kill(launcher, 'SIGTERM');
    expect(await ended(running)).toMatchObject({ code: 9 });
    expect(groups().filter((directory) => directory.includes('/signaled.'))).toEqual([]);
  });

  it('becomes the program itself with passThrough, and says which step failed', async () => {
    const pass = { passThrough: true };
    expect(await child(['sh', '-c', 'echo $$; readlink /proc/self/fd/1'], pass)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^1\n(socket|pipe):/) as string,
    });
    expect(await child(['sh', '-c', 'ls /proc/self/fd; grep -E "^Sig(Blk|Ign)" /proc/self/status'], { ...pass, user: { uid: 1000, gid: 1000 } })).toEqual({
      code: 0,
      signal: null,
      stdout: expect.stringMatching(/^0\n1\n2\n3\nSigBlk:\t0{16}\nSigIgn:\t[0-9a-f]{12}[02468ace]/) as string,
      stderr: '',
    });
    expect(await child(['sh', '-c', 'exit 7'], pass)).toMatchObject({ code: 7, stderr: '' });
    expect(await child(['missing'], pass)).toMatchObject({ code: 127, stderr: 'ctr: exec "missing": executable file not found: ENOENT\n' });
    expect(await child(['/etc'], pass)).toMatchObject({ code: 126, stderr: 'ctr: the program cannot be executed: EACCES\n' });
    expect(await child(['sh'], { ...pass, cwd: '/missing' })).toMatchObject({ code: 125, stderr: 'ctr: setting up the directory to start in: ENOENT\n' });
    expect(await child(['sh'], pass, ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'])).toMatchObject({
      code: 125,
      stderr: 'ctr: setting up the host name: EPERM\n',
    });
  });

  it('refuses to change the namespaces of the first process of its system, which are those of all', async () => {
    // A system in small, so that nothing is lost if it does: the shell is its first process.
    const system = [...unshare, '--mount-proc', 'sh', '-c', '"$@"; exit $?', 'sh'];
    const refused = (kind: string): object => ({
      code: 125,
      stdout: '',
      stderr: expect.stringMatching(
        new RegExp(`^child would change the ${kind} namespace of the whole system, in which it is: start it in new ones`),
      ) as string,
    });
    expect(await child(['sh', '-c', 'echo done'], {}, system)).toMatchObject(refused('mount'));
    expect(await child(['sh', '-c', 'echo done'], {}, [...system, 'unshare', '--mount'])).toMatchObject(refused('uts'));
    expect(await child(['sh', '-c', 'echo done'], {}, [...system, 'unshare', '--mount', '--uts'])).toMatchObject({ code: 0, stdout: 'done\n' });
    expect(await child(['sh', '-c', 'echo done'], {}, [...unshare, '--mount-proc'])).toMatchObject({ code: 0, stdout: 'done\n' });
  });

  it('sets nothing that is not its own, and takes nothing that it cannot give', async () => {
    expect(await child(['true'], { sysctls: { 'net.ipv4.ip_forward': '0' } })).toMatchObject({
      code: 125,
      stderr: expect.stringContaining('needs a new net namespace') as string,
    });
    expect(await child(['true'], { ids: 'granted' })).toMatchObject({ code: 125, stderr: expect.stringContaining('child has no ids') as string });
    expect(await child(['true'], { mounts: [{ bind: '/usr', to: '/data', idMap: true }] })).toMatchObject({
      code: 125,
      stderr: expect.stringContaining('idMap') as string,
    });
  });

  it('leaves the host alone', async () => {
    // That its mounts and its name are as before is what is looked at after each test; here the namespaces are left out on purpose, but for the mounts.
    const { stdout } = await child(['sh', '-c', 'hostname | wc -l; echo $$ | grep -vc "^1$"'], { namespaces: { uts: 'host', pid: 'host' } }, [
      'unshare',
      '--mount',
    ]);
    expect(stdout).toBe('1\n1\n');
  });
});

describe('a container in a container', () => {
  it('works, for root and in user namespaces', async () => {
    const { stdout, stderr } = await nested.run();
    expect([stderr, stdout]).toEqual(['', '1 inner\n1 inner\n']);
  });
});

// The outer container has the program's own directory, and runs it again.
const nested = new NodeProgram(`
  import { dirname } from 'node:path';
  import { privileged, run } from '@ctr/runtime';
  const [role] = process.argv.slice(2);
  if (role === 'inner') console.log((await run(['sh', '-c', 'echo $$ $(hostname)'], { hostname: 'inner', cgroup: false })).stdout.trimEnd());
  else {
    const path = process.argv[1] ?? '';
    for (const user of ['host', 'new'] as const) {
      const mounts = [{ bind: dirname(path), to: '/program', readonly: true }];
      process.stdout.write((await run(['node', '/program/program.mjs', 'inner'], { ...privileged, mounts, namespaces: { user } })).stdout);
    }
  }
`);
