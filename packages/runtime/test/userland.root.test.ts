import { existsSync, lstatSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';

import { describe, expect, it } from 'vitest';

import { run, start, type ContainerOptions } from '@ctr/runtime';

import { watchForLeaks } from './leaks.js';

watchForLeaks();

/** What a script of the host's shell prints in a container without a root of its own. */
async function sh(script: string, options: ContainerOptions = {}): Promise<string> {
  return (await run(['sh', '-c', script], options)).stdout;
}

/** Of a user namespace, too: overlayfs keeps other notes there. */
const kinds: readonly (readonly [string, ContainerOptions])[] = [
  ['', {}],
  [' in a user namespace', { namespaces: { user: 'new' } }],
];

/** What of the host must stay the same. */
function state(): unknown[] {
  return [...['/usr', '/usr/bin', '/etc'].map((path) => statSync(path).mtimeMs), readdirSync('/usr/bin').length, readFileSync('/etc/passwd', 'utf8')];
}

describe("the host's userland", () => {
  it.each([
    ['bash', ['bash', '-c', 'echo ${BASH_VERSINFO[0]}'], /^\d+\n$/],
    ['python3', ['python3', '-c', 'print(sum(range(10)))'], /^45\n$/],
    ['node', ['node', '-e', 'console.log(process.pid, os.hostname())'], /^1 container\n$/],
    ['perl', ['perl', '-e', 'print "$$\n"'], /^1\n$/],
  ] as const)('has %s', async (name, command, output) => {
    const there = ['/usr/bin', '/bin', '/usr/local/bin'].some((directory) => existsSync(`${directory}/${name}`));
    if (!there) return expect(await run([...command], { reject: false }).catch(String)).toMatch(/executable file not found/);
    for (const [, options] of kinds) expect((await run([...command], options)).stdout).toMatch(output);
  });

  it('is copy on write: what is changed there is changed for nobody else', async () => {
    const before = state();
    const script =
      'echo "#!/bin/sh" > /usr/bin/new-program && echo "echo new" >> /usr/bin/new-program && chmod 755 /usr/bin/new-program && new-program; rm -r /usr/share; ls /usr | grep -c share; echo x > /usr/bin/env; cat /usr/bin/env; echo more >> /etc/passwd; mkdir /srv; echo $?';
    expect(await sh(script)).toBe('new\n0\nx\n0\n');
    expect(existsSync('/usr/bin/new-program')).toBe(false);
    expect(state()).toEqual(before);
    expect(await sh('ls -d /usr/share')).toBe('/usr/share\n');
  });

  it('belongs to nobody in a user namespace, where only what the container has of its own can be changed', async () => {
    const before = state();
    const script = 'touch /usr/bin/x 2>&1; rm /usr/bin/env 2>&1; echo more >> /etc/passwd; tail -1 /etc/passwd; mkdir /srv /tmp/x /root/x; echo $?';
    expect(await sh(script, { namespaces: { user: 'new' } })).toBe(
      "touch: cannot touch '/usr/bin/x': Permission denied\nrm: cannot remove '/usr/bin/env': Permission denied\nmore\n0\n",
    );
    expect(state()).toEqual(before);
  });

  it.each(kinds)('cannot be written if it is read-only%s', async (_, options) => {
    expect(
      await sh('touch /usr/bin/x 2>&1; touch /etc/x 2>&1; touch /tmp/x 2>&1; touch /x 2>&1; touch /scratch/x && echo scratch; bash -c "echo works"', {
        ...options,
        readonly: true,
        mounts: [{ tmpfs: '/scratch' }],
      }),
    ).toMatch(/^(touch: cannot touch '[^']+': Read-only file system\n){4}scratch\nworks\n$/);
  });

  it('has of the top level what a system has, and of the host nothing but its programs', async () => {
    const programs = ['usr', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'].filter((name) => lstatSync(`/${name}`, { throwIfNoEntry: false }));
    expect((await sh('ls -A /')).trimEnd().split('\n')).toEqual([...programs, 'dev', 'etc', 'home', 'proc', 'root', 'run', 'sys', 'tmp', 'var'].toSorted());
    for (const name of programs.filter((name) => lstatSync(`/${name}`).isSymbolicLink())) expect(await sh(`[ -L /${name} ] && echo link`)).toBe('link\n');
    expect(await sh('ls -A /root /home /tmp /run /var /var/tmp')).toBe('/home:\n\n/root:\n\n/run:\n\n/tmp:\n\n/var:\ntmp\n\n/var/tmp:\n');
    expect(await sh('stat -c "%a %n" / /root /tmp /var/tmp /etc /home')).toBe('755 /\n700 /root\n1777 /tmp\n1777 /var/tmp\n755 /etc\n755 /home\n');
  });

  it('has of /etc what programs need, and no secret', async () => {
    const allowed = new Set(
      'passwd group nsswitch.conf host.conf protocols services ld.so.cache ld.so.conf localtime timezone os-release profile bash.bashrc inputrc alternatives ld.so.conf.d terminfo ssl pki crypto-policies mtab hostname hosts'.split(
        ' ',
      ),
    );
    const names = (await sh('ls -A /etc')).trimEnd().split('\n');
    expect(names.filter((name) => !allowed.has(name))).toEqual([]);
    expect(names).toEqual(expect.arrayContaining(['passwd', 'group', 'mtab', 'hostname', 'hosts']));
    expect(await sh('cat /etc/passwd')).toBe(readFileSync('/etc/passwd', 'utf8'));
    expect(await sh('find /etc/ssl /etc/pki -name "*private*" -o -name "*.key" 2>/dev/null | head -1; true')).toBe('');
    expect(await sh('touch /etc/alternatives/x 2>&1; true')).toMatch(/Read-only file system/);
  });

  it('has a name for itself', async () => {
    expect(await sh('hostname; cat /etc/hostname /etc/hosts', { hostname: 'box' })).toBe(
      'box\nbox\n127.0.0.1 localhost box\n::1 localhost ip6-localhost ip6-loopback\n',
    );
  });

  it("has the host's resolver where it has the host's network", async () => {
    const resolver = existsSync('/etc/resolv.conf') ? readFileSync('/etc/resolv.conf', 'utf8') : '';
    expect(await sh('cat /etc/resolv.conf 2>/dev/null; true', { namespaces: { net: 'host' } })).toBe(resolver);
    expect(await sh('ls /etc/resolv.conf 2>/dev/null; true')).toBe('');
  });

  it('shows nothing of the host but by its own mounts: neither the upper layers nor the old root', async () => {
    const canary = `${tmpdir()}/ctr-userland-canary-${process.pid}`;
    writeFileSync(canary, '');
    try {
      const targets = (await sh('cut -d" " -f5 /proc/self/mountinfo')).trimEnd().split('\n');
      expect(targets.filter((path) => !/^\/($|proc|sys|dev|usr|bin|sbin|lib|lib32|lib64|libx32|etc)/.test(path))).toEqual([]);
      expect(await sh(`ls ${canary} /proc/1/root${canary} /proc/1/cwd/../..${canary} 2>/dev/null; true`)).toBe('');
    } finally {
      rmSync(canary);
    }
  });

  it('of one container is not that of another', async () => {
    await using other = await start(['sh', '-c', 'echo other > /tmp/x; echo other > /usr/x; exec sleep 1000'], { stdio: 'ignore' });
    expect(await sh('ls /tmp /usr/x 2>/dev/null; true')).toBe('/tmp:\n');
    expect(other.pid).toBeGreaterThan(0);
  });
});
