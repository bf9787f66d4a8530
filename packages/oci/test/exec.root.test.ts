import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { readLayout, type LinuxResources } from '@ctr/cgroups';
import { exec, kill, OciError, pause, resume, start, type ExecOptions, type Process } from '@ctr/oci';
import { describe, expect, it } from 'vitest';

import { created, Output, place, type Changes } from './container.js';

const at = place();
const sleeper = ['sleep', '1000'];

async function running(changes: Changes = {}) {
  const container = await created(at, sleeper, changes);
  await start(container.id, container.root);
  const run = async (args: readonly string[], own: Partial<Process> = {}, options: ExecOptions = {}) => {
    const output = new Output();
    const child = await exec(container.id, (given) => ({ ...given, args, ...own }), { ...container.root, stdio: ['ignore', output.fd, output.fd], ...options });
    const { code } = await child.exited;
    return { code, output: output.text };
  };
  return { ...container, run };
}

describe('a further process', () => {
  it('is in the namespaces, the cgroup and the root of the container, with its rights', async () => {
    const { child, run } = await running();
    const { code, output } = await run([
      'sh',
      '-c',
      'for n in pid mnt net ipc uts cgroup; do readlink /proc/self/ns/$n; done; cat /proc/self/cgroup; grep -E "^(Cap|NoNew|Seccomp:)" /proc/self/status; hostname; ls /; exit 3',
    ]);
    expect(code).toBe(3);
    const file = (name: string): string => readFileSync(`/proc/${child.pid}/${name}`, 'latin1');
    for (const line of file('status')
      .split('\n')
      .filter((text) => /^(Cap|NoNew|Seccomp:)/.test(text)))
      expect(output).toContain(line);
    expect(
      output
        .split('\n')
        .slice(6, 6 + file('cgroup').trim().split('\n').length)
        .every((line) => line.endsWith(':/')),
    ).toBe(true);
    expect(output).toContain('bin\ndev\netc');
  });

  it('has its own arguments, environment, directory and user', async () => {
    const { run } = await running();
    const shown = ['sh', '-c', 'pwd; id; echo $A $HOME; umask'];
    expect((await run(shown, { cwd: '/tmp', env: ['PATH=/bin', 'A=b'], user: { uid: 1000, gid: 1000, additionalGids: [5, 7], umask: 0o27 } })).output).toBe(
      '/tmp\nuid=1000(user) gid=1000(user) groups=5,7,1000(user)\nb /home/user\n0027\n'.replace('groups=5,7,1000(user)', 'groups=5,7'),
    );
  });

  it('has the processors, the priorities and the scheduling of the container, unless it says otherwise', async () => {
    const { id, root } = await created(at, sleeper, {
      process: { execCPUAffinity: { initial: '0', final: '0' }, scheduler: { policy: 'SCHED_BATCH', nice: 3 }, ioPriority: { class: 'IOPRIO_CLASS_IDLE' } },
    });
    await start(id, root);
    const line = 'grep Cpus_allowed_list /proc/self/status; ionice -p $$; cut -d" " -f19,41 /proc/$$/stat';
    const shown = async (changes: Partial<Process>): Promise<string> => {
      const output = new Output();
      const child = await exec(
        id,
        { cwd: '/', args: ['/bin/sh', '-c', line], env: ['PATH=/bin'], ...changes },
        { ...root, stdio: ['ignore', output.fd, output.fd] },
      );
      await child.exited;
      return output.text;
    };
    expect(await shown({})).toBe('Cpus_allowed_list:\t0\nidle\n3 3\n');
    expect(await shown({ scheduler: { policy: 'SCHED_OTHER', nice: 5 }, ioPriority: { class: 'IOPRIO_CLASS_BE', priority: 6 } })).toBe(
      'Cpus_allowed_list:\t0\nbest-effort: prio 6\n5 0\n',
    );
  });

  it('has files of the caller from 3 on, as many as it is given', async () => {
    const { run } = await running();
    const { output } = await run(['sh', '-c', 'ls /proc/self/fd | sort -n | tr "\\n" " "'], {}, { preserveFds: 2 });
    // ls has the directory open.
    expect(output.trim()).toBe('0 1 2 3 4 5');
    await expect(run(['true'], {}, { preserveFds: 500 })).rejects.toThrow('EBADF');
  });

  it('that is not there is told of', async () => {
    const { run } = await running();
    await expect(run(['nosuch'])).rejects.toThrow('exec: "nosuch": executable file not found in $PATH');
    await expect(run(['/nosuch'])).rejects.toThrow('no such file or directory');
    await expect(run(['true'], { cwd: '/nowhere' })).rejects.toThrow('ENOENT');
  });

  it('does not start by a directory of the host', async () => {
    const { run } = await running();
    for (const cwd of ['/proc/self/fd/3', '/proc/self/fd/4', '/proc/self/fd/5', '/proc/thread-self/cwd/..'])
      await expect(run(['true'], { cwd })).rejects.toThrow(/ELOOP|ENOENT|ENOTDIR/);
  });

  it('has a terminal whose master is handed over', async () => {
    const { run } = await running();
    let closed = false;
    const { code } = await run(
      ['sh', '-c', 'test -t 0 && test -t 1 && test -t 2 && tty | grep -q /dev/pts/ && test "$(stty size)" = "30 90"'],
      { terminal: true, consoleSize: { width: 90, height: 30 } },
      {
        onConsole: (master) => {
          closed = true;
          // It would be hung up on otherwise.
          setTimeout(() => master.close(), 500);
        },
      },
    );
    expect({ code, closed }).toEqual({ code: 0, closed: true });
    await expect(run(['true'], { terminal: true })).rejects.toThrow('cannot allocate tty');
  });

  it('is not started in a container that is paused, unless that is asked for, nor in one that has stopped', async () => {
    const { id, child, root, run } = await running();
    await pause(id, root);
    await expect(run(['true'])).rejects.toThrow('cannot exec in a paused container (use --ignore-paused to override)');
    const late = run(['true'], {}, { ignorePaused: true });
    await resume(id, root);
    expect((await late).code).toBe(0);
    kill(id, 'SIGKILL', root);
    await child.exited;
    await expect(run(['true'])).rejects.toThrow(OciError);
    await expect(run(['true'])).rejects.toThrow('cannot exec in a stopped container');
  });

  it('is where the first one is, if the container has divided its group of v2', async (context) => {
    const unified = readLayout().hierarchies.find(({ version }) => version === 2);
    const limits: Readonly<Record<string, LinuxResources>> = {
      memory: { memory: { limit: 64 * 2 ** 20 } },
      hugetlb: { hugepageLimits: [{ pageSize: '2MB', limit: 0 }] },
    };
    const controller = unified?.controllers.find((name) => Object.hasOwn(limits, name));
    if (!unified || controller === undefined) return context.skip('no controller of v2 for which a group is divided');
    const { child, run } = await running({ linux: { resources: limits[controller] ?? {} } });
    const [, path = ''] = /^0::(.*)$/m.exec(readFileSync(`/proc/${child.pid}/cgroup`, 'latin1')) ?? [];
    const group = `${unified.mount}${path}`;
    for (const name of ['init.scope', 'init.scope/deeper']) mkdirSync(join(group, name));
    writeFileSync(join(group, 'init.scope/deeper/cgroup.procs'), String(child.pid));
    writeFileSync(join(group, 'cgroup.subtree_control'), `+${controller}`);
    expect((await run(['grep', '^0::', '/proc/self/cgroup'])).output).toBe('0::/init.scope/deeper\n');
  });

  it('leaves no file behind', async () => {
    const { run } = await running();
    await run(['true']);
    const outputs: number[] = [];
    const before = openFiles();
    for (let i = 0; i < 30; i++) {
      expect((await run(['sh', '-c', `exit ${i}`])).code).toBe(i);
      outputs.push(i);
    }
    // Each has an output of the test's own.
    expect(openFiles() - before).toBeLessThanOrEqual(outputs.length);
  });
});

function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}

it('that is to have files of the caller, and cannot be executed, is told of all the same', async () => {
  const { run } = await running();
  await expect(run(['/proc/version'], {}, { preserveFds: 1 })).rejects.toThrow('permission denied');
  await expect(run(['nosuch'], {}, { preserveFds: 1 })).rejects.toThrow('executable file not found');
});
