// Who a program is: the ids that a text says, and never root by accident; and what it knows of its caller, which is nothing.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { lookupUser, run, start, type ContainerOptions } from '@ctr/runtime';

import { image, sharedImage } from '../image.js';
import { watchForLeaks } from '../leaks.js';
import { NodeProgram } from '../node-program.js';

watchForLeaks();
const shared = sharedImage();

const MAX_ID = 4_294_967_294;
/** Each with the ids that it means; what is no id is refused, and nothing runs. */
const texts: [text: string, ids: { uid: number; gid: number } | undefined][] = [
  ['0', { uid: 0, gid: 0 }],
  ['1', { uid: 1, gid: 0 }],
  ['1:0', { uid: 1, gid: 0 }],
  ['0:1', { uid: 0, gid: 1 }],
  ['1000', { uid: 1000, gid: 1000 }],
  [`${MAX_ID}`, { uid: MAX_ID, gid: 0 }],
  [`${MAX_ID}:${MAX_ID}`, { uid: MAX_ID, gid: MAX_ID }],
  ...[':1', '1:', ':', '', '01', '00', '+1', '-0', '-1', '1e0', '1e3', '0x0', '0x1', '1.0', '1.', ' 1', '1 ', '1\n', '\t1', '1\0', '１', '٠', '1:2:3', '1:-1', '1:+0', '1:01', '1:1e0', '1:4294967295', '1:4294967296', '4294967295', '4294967296', '18446744073709551616', '18446744073709551617', '9007199254740993', 'NaN', 'Infinity', 'null', 'nobody-here', '1:nobody-here', 'root\0x', '__proto__', 'constructor', '__proto__:0'].map((text): [string, undefined] => [text, undefined]), // prettier-ignore
];

describe('the ids of a text', () => {
  it.each(texts)('%j are exactly these, or there is an error', async (text, ids) => {
    const look = (): Required<NonNullable<ContainerOptions['user']>> => lookupUser(text, shared.path);
    if (!ids) {
      expect(look).toThrow(/^(user|group|".*" is not an id|.*has a NUL)/);
      return;
    }
    expect(look()).toMatchObject(ids);
    const { stdout } = await run(['cat', '/proc/self/status'], { rootfs: shared.path, user: look() });
    expect(stdout).toContain(`Uid:\t${Array(4).fill(ids.uid).join('\t')}\nGid:\t${Array(4).fill(ids.gid).join('\t')}\n`);
  });

  it.each(['01', '+0', '-1', '1e3', '0x0', '', ' 0', '4294967295', '4294967296', '18446744073709551616'])('in a passwd of the image, too: %j', (id) => {
    const rootfs = image();
    writeFileSync(join(rootfs, 'etc/passwd'), `root:x:${id}:0::/:/bin/sh\nweb:x:1000:${id}::/:/bin/sh\n`);
    writeFileSync(join(rootfs, 'etc/group'), `log:x:${id}:web\nroot:x:${id}:\n`);
    for (const text of ['root', 'web', '1:log', '1:root', 'web:log']) expect(() => lookupUser(text, rootfs), text).toThrow(/is not an id|there is no/);
  });

  it.each([-1, 0.5, Number.NaN, 4_294_967_295, 4_294_967_296, 2 ** 53, '0', '1000', null, true, [0], {}])('given as %j is refused if it is no id', (id) => {
    for (const user of [
      { uid: id, gid: 0 },
      { uid: 0, gid: id },
      { uid: 0, gid: 0, groups: [id] },
    ])
      expect(() => run(['true'], { rootfs: shared.path, user: user as { uid: number; gid: number } })).toThrow(/^user: /);
  });

  it('leave no way back to root, nor to a group of the caller', async () => {
    const script = 'id -u; id -g; id -G; grep -E "^(Uid|Gid|Groups):" /proc/self/status';
    const user = { uid: 1000, gid: 1000, groups: [4] };
    expect((await run(['sh', '-c', script], { rootfs: shared.path, user })).stdout).toBe(
      '1000\n1000\n1000 4\nUid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\nGroups:\t4 \n',
    );
    expect((await run(['sh', '-c', 'grep ^Groups: /proc/self/status'], { rootfs: shared.path })).stdout).toBe('Groups:\t \n');
    expect((await run(['setpriv', '--help'], { rootfs: shared.path, user, reject: false })).exitCode).not.toBeUndefined();
  });
});

const caller = new NodeProgram(`
  import { run } from '@ctr/runtime';
  const options = JSON.parse(process.argv[2] ?? '') as { rootfs: string };
  process.stdout.write((await run(['sh', '-c', 'tr "\\\\0" "\\\\n" < /proc/1/environ; echo --; env; echo --; grep ^Groups: /proc/self/status'], options)).stdout);
`);

describe('the caller', () => {
  it.each([{}, { init: true }, { namespaces: { user: 'new' } }, { user: { uid: 1000, gid: 1000 } }])(
    'keeps its environment and its groups to itself: %j',
    async (options) => {
      const secrets = ['SECRET=a', 'LD_LIBRARY_PATH=/tmp', 'NODE_OPTIONS=--no-warnings', 'HOME=/host', 'PATH=/usr/bin:/bin:/host', 'TERM=x', 'BASH_ENV=/x'];
      const { stdout, stderr } = await caller.run([JSON.stringify({ rootfs: shared.path, ...options })], {
        by: ['setpriv', '--groups=4,7,27', 'env', ...secrets],
      });
      expect(stderr).toBe('');
      const [initial = '', env = '', groups] = stdout.split('--\n');
      const expected = ['HOME=', 'HOSTNAME=', 'PATH='];
      // An init has the environment of the walker, which is none.
      const names = (text: string): string[] =>
        [...text.matchAll(/^\w+=/gm)]
          .map(([name]) => name)
          .filter((name) => !/^(SHLVL|PWD|OLDPWD|_)=$/.test(name))
          .toSorted();
      expect(names(env)).toEqual(expected);
      expect(names(initial)).toEqual('init' in options ? [] : expected);
      expect(stdout).not.toMatch(/SECRET|LD_|NODE_OPTIONS|host\b|BASH_ENV/);
      expect(groups).toBe('Groups:\t \n');
    },
  );
});

describe('abstract sockets', () => {
  /**
   * Those that somebody could connect or send to: listening (__SO_ACCEPTCON), or for datagrams. An end of a pair that asks who sends (SO_PASSCRED) is given
   * a name by the kernel when it sends, and is connected already.
   */
  const names = (text: string): string[] => [...text.matchAll(/^\S+ \S+ \S+ (?:00010000 \S+|\S+ 0002) .* (@\S*)$/gm)].map(([, name = '']) => name).toSorted();
  const host = (): string[] => names(readFileSync('/proc/net/unix', 'latin1'));

  it("are none of ctr's: neither while a container runs nor after", async () => {
    const before = host();
    await using container = await start(['sleep', '1000'], {
      rootfs: shared.path,
      stdio: 'ignore',
      init: true,
      terminal: { columns: 80, rows: 24 },
      namespaces: { net: 'host' },
    });
    const { stdout } = await run(['cat', '/proc/net/unix'], { rootfs: shared.path, namespaces: { net: 'host', user: 'new' } });
    expect(names(stdout).filter((name) => !before.includes(name))).toEqual([]);
    expect(host().filter((name) => !before.includes(name))).toEqual([]);
    container.kill('SIGKILL');
    await container.exited;
    expect(host().filter((name) => !before.includes(name))).toEqual([]);
  });

  it('of the host are seen where the network is its own, and nowhere else', async () => {
    const name = `ctr-test-${process.pid}`;
    const server = createServer().listen({ path: `\0${name}` });
    await once(server, 'listening');
    try {
      const seen = async (options: ContainerOptions): Promise<boolean> =>
        (await run(['cat', '/proc/net/unix'], { rootfs: shared.path, ...options })).stdout.includes(`@${name}`);
      expect(await seen({ namespaces: { net: 'host' } })).toBe(true);
      expect(await seen({})).toBe(false);
    } finally {
      server.close();
      await once(server, 'close');
    }
  });
});

describe('signals, in the pid namespace of the host', () => {
  // Signal 0 only asks whether one could be sent: nobody is hurt.
  const script = 'for pid in "$@"; do kill -0 "$pid" 2>/dev/null && echo "$pid"; done; echo asked';

  /** All that run now as root of the host. */
  function pidsOfRoot(): string[] {
    const found = readdirSync('/proc').filter((name) => {
      try {
        return /^\d+$/.test(name) && /^Uid:\t0\t0\t/m.test(readFileSync(`/proc/${name}/status`, 'latin1'));
      } catch {
        return false;
      }
    });
    expect(found).toEqual(expect.arrayContaining(['1', String(process.pid)]));
    return found;
  }

  it.each(['root', 'another user'] as const)('of %s reach only whom they may', async (who) => {
    const victim = spawn('sleep', ['1000'], { stdio: 'ignore' });
    try {
      const pids = who === 'root' ? ['1', String(process.pid), String(victim.pid)] : [...pidsOfRoot(), String(victim.pid)];
      const { stdout } = await run(['sh', '-c', script, 'sh', ...pids], {
        rootfs: shared.path,
        namespaces: { pid: 'host' },
        ...(who === 'another user' && { user: { uid: 1000, gid: 1000 } }),
      });
      // Root may, which shows that there is something to be kept from.
      expect(stdout).toBe(who === 'root' ? [...pids, 'asked\n'].join('\n') : 'asked\n');
    } finally {
      victim.kill('SIGKILL');
      await once(victim, 'exit');
    }
  });

  it("of root of a user namespace reach nobody of the host's root", async () => {
    const options: ContainerOptions = { rootfs: shared.path, namespaces: { pid: 'host', user: 'new' } };
    expect((await run(['sh', '-c', script, 'sh', ...pidsOfRoot()], options)).stdout).toBe('asked\n');
  });

  it('are sent to nobody in a pid namespace of its own, which has nobody else', async () => {
    expect((await run(['sh', '-c', 'kill -KILL -1; echo "$?"'], { rootfs: shared.path })).stdout).toBe('1\n');
  });
});
