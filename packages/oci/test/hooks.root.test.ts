import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { remove, start, state, type Hook, type Hooks } from '@ctr/oci';
import { describe, expect, it } from 'vitest';

import { cgroupsBelow, created, place, ran, type Changes } from './container.js';

const at = place();

/** A hook of the host's shell. */
function sh(line: string, more: Partial<Hook> = {}): Hook {
  return { path: '/bin/sh', args: ['sh', '-c', line], env: ['PATH=/bin:/usr/bin'], ...more };
}

function journal(): { readonly file: string; readonly lines: () => string[] } {
  const file = join(mkdtempSync(join(at.directory, 'hooks-')), 'journal');
  return { file, lines: () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []) };
}

describe('hooks', () => {
  it('run in their order, in the namespaces they are for, with the state on stdin', async () => {
    const { file, lines } = journal();
    const note = (name: string): Hook => sh(`echo ${name} $(readlink /proc/self/ns/net) $(cat) >> ${file}`);
    const inside = { path: '/bin/sh', args: ['sh', '-c', `echo startContainer $(readlink /proc/self/ns/net) $(cat) >> /log/journal`], env: ['PATH=/bin'] };
    const hooks: Hooks = {
      prestart: [note('prestart')],
      createRuntime: [note('createRuntime-1'), note('createRuntime-2')],
      createContainer: [note('createContainer')],
      startContainer: [inside],
      poststart: [note('poststart')],
      poststop: [note('poststop')],
    };
    mkdirSync(join(at.rootfs, 'log'), { recursive: true });
    const { id, child, root } = await created(at, ['sleep', '0.2'], { hooks, mounts: mounts(file) });
    expect(lines().map((line) => line.split(' ')[0])).toEqual(['prestart', 'createRuntime-1', 'createRuntime-2', 'createContainer']);
    await start(id, root);
    await child.exited;
    await remove(id, root);
    const all = lines().map((line) => {
      const [name, net, ...json] = line.split(' ');
      return { name, net, state: JSON.parse(json.join(' ')) as { status: string; pid?: number; id: string } };
    });
    expect(all.map(({ name }) => name)).toEqual([
      'prestart',
      'createRuntime-1',
      'createRuntime-2',
      'createContainer',
      'startContainer',
      'poststart',
      'poststop',
    ]);
    expect(all.map(({ state: { status } }) => status)).toEqual(['creating', 'creating', 'creating', 'creating', 'created', 'running', 'stopped']);
    expect(all.slice(0, 6).map(({ state: { pid } }) => pid)).toEqual(Array.from({ length: 6 }, () => child.pid));
    const [host, own] = [all[0]?.net, all[3]?.net];
    expect(own).not.toBe(host);
    expect(all.map(({ net }) => net)).toEqual([host, host, host, own, own, host, host]);
  });

  it('may say a megabyte, and no more: what they say is kept in the memory of the host', async () => {
    const wrote = join(at.directory, 'wrote');
    const many = sh(`yes | head -c 3000000 2>&1 | wc -c > ${wrote}; yes | head -c 3000000; echo $? > ${wrote}; exit 3`);
    await expect(created(at, ['true'], { hooks: { createRuntime: [many] } })).rejects.toThrow(/exit status 3, output: y\ny\n/);
    expect(readFileSync(wrote, 'utf8')).toBe('1\n');
    const some = sh(`yes | head -c 500000; echo $? > ${wrote}`);
    await created(at, ['true'], { hooks: { createRuntime: [some] } });
    expect(readFileSync(wrote, 'utf8')).toBe('0\n');
  });

  it.each([true, false])('of startContainer may no more than the program: no_new_privs %s', async (noNewPrivileges) => {
    const line = 'grep -E "^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:)" /proc/self/status; umask; ulimit -n; pwd; mkdir /tmp/x 2>&1';
    const { file, lines } = journal();
    const shown = ['sh', '-c', `(${line}) >> /log/journal; echo >> /log/journal`];
    const changes: Changes = {
      process: { noNewPrivileges, user: { uid: 1000, gid: 1000, additionalGids: [7], umask: 0o27 }, cwd: '/tmp' },
      linux: { seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 }] } },
      hooks: { startContainer: [{ path: '/bin/sh', args: shown, env: ['PATH=/bin'] }] },
      mounts: mounts(file),
    };
    mkdirSync(join(at.rootfs, 'log'), { recursive: true });
    chmodSync(join(file, '..'), 0o777);
    expect((await ran(at, shown, changes)).exit).toMatchObject({ code: 0 });
    const [hook = '', program] = lines().join('\n').split('\n\n');
    expect(hook).toMatch(/Uid:\t1000\t[^]*CapEff:\t0{16}\n[^]*Seccomp:\t2\n0027\n1024\n\/tmp\nmkdir: [^\n]*Function not implemented$/);
    expect(hook).toContain(`NoNewPrivs:\t${Number(noNewPrivileges)}`);
    expect(hook).toBe(program);
  });

  it.each(['prestart', 'createRuntime', 'createContainer'] as const)('a %s hook that fails undoes everything', async (kind) => {
    const { file, lines } = journal();
    const hooks = { [kind]: [sh('echo it is wrong >&2; exit 3')], poststop: [sh(`echo poststop >> ${file}`)] };
    await expect(ran(at, ['true'], { hooks })).rejects.toThrow(`error running ${kind} hook #0: exit status 3, output: it is wrong`);
    expect(readdirSync(at.root)).toEqual([]);
    expect(cgroupsBelow(at.cgroup)).toEqual([]);
    expect(lines()).toEqual(['poststop']);
  });

  it('a startContainer hook that fails ends the container', async () => {
    const { id, child, root } = await created(at, ['sleep', '1000'], { hooks: { startContainer: [{ path: '/bin/sh', args: ['sh', '-c', 'exit 4'] }] } });
    await expect(start(id, root)).rejects.toThrow('error running startContainer hook #0: exit status 4');
    expect((await child.exited).signal).toBe('SIGKILL');
    expect(state(id, root).status).toBe('stopped');
  });

  it('that take too long are killed, with what they have started', async () => {
    const { file } = journal();
    const hooks = { createRuntime: [sh(`sleep 1000 & echo $! > ${file}; wait`, { timeout: 1 })] };
    await expect(ran(at, ['true'], { hooks })).rejects.toThrow('createRuntime hook #0: hook ran past specified timeout of 1s');
    const pid = readFileSync(file, 'utf8').trim();
    const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'latin1') : 'gone';
    expect(stat === 'gone' || / Z /.test(stat)).toBe(true);
  });

  it.each(['startContainer', 'poststart'] as const)('of %s that take too long end the container', async (kind) => {
    const hooks = { [kind]: [{ path: '/bin/sh', args: ['sh', '-c', 'sleep 1000; true'], timeout: 1 }] };
    const { id, child, root } = await created(at, ['sleep', '1000'], { hooks });
    await expect(start(id, root)).rejects.toThrow(`error running ${kind} hook #0: hook ran past specified timeout of 1s`);
    expect((await child.exited).signal).toBe('SIGKILL');
  });

  it('of poststop are all told of when they fail, and the container is deleted all the same', async () => {
    const { file, lines } = journal();
    const hooks = { poststop: [sh(`echo first >> ${file}; exit 3`), sh(`echo second >> ${file}`), sh('sleep 1000', { timeout: 1 })] };
    const { id, root } = await created(at, ['true'], { hooks });
    const warnings: string[] = [];
    await remove(id, { ...root, onWarning: (message) => warnings.push(message) });
    expect(warnings).toEqual(['error running poststop hook #0: exit status 3', 'error running poststop hook #2: hook ran past specified timeout of 1s']);
    expect(lines()).toEqual(['first', 'second']);
    expect(existsSync(join(at.root, id))).toBe(false);
    expect(cgroupsBelow(at.cgroup)).toEqual([]);
  });

  it('that are not there are told of', async () => {
    await expect(ran(at, ['true'], { hooks: { createRuntime: [{ path: '/no/such/hook' }] } })).rejects.toThrow('createRuntime hook #0');
  });

  it('of createContainer see the root file system where it is mounted, and can add to it', async () => {
    writeFileSync(join(at.directory, 'extra'), 'from the hook');
    const hooks = { createContainer: [sh(`mount --bind ${join(at.directory, 'extra')} ${at.rootfs}/etc/group`)] };
    expect((await ran(at, ['cat', '/etc/group'], { hooks })).output).toBe('from the hook');
    expect(readFileSync(join(at.rootfs, 'etc/group'), 'utf8')).toContain('root:x:0');
  });

  function mounts(file: string) {
    return [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/log', type: 'bind', source: join(file, '..'), options: ['rbind'] },
    ];
  }
});
