// The ids that are granted to an ordinary user, by lines of /etc/subuid and /etc/subgid that are there for the tests alone: in a mount namespace of their own.
import { chmodSync, copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { image, temporary } from './image.js';
import { watchForLeaks } from './leaks.js';
import { NodeProgram } from './node-program.js';

watchForLeaks();

const UID = 54_321;
const NAME = 'ctr-rootless';
const FIRST = 400_000;
const COUNT = 65_536;

// Runs what it is asked to as JSON, one container after the other; what became of each.
const program = new NodeProgram(`
  import { plan, posture, run } from '@ctr/runtime';
  const [what = '', json = ''] = process.argv.slice(2);
  const outcomes: unknown[] = [];
  for (const [command, options] of JSON.parse(json) as [command: [string], options: object][]) {
    if (what === 'posture') {
      try {
        outcomes.push(posture(plan(command, options)).find(({ item }) => item === 'user')?.value);
      } catch (error) {
        outcomes.push(String(error));
      }
    } else outcomes.push(await run(command, options).then(({ stdout, stderr }) => stdout + stderr, (error: Error) => error.name + ': ' + error.message));
  }
  console.log(JSON.stringify(outcomes));
`);

interface Host {
  /** The line of the user in both files; none with an empty text. */
  readonly line?: string;
  /** Whether the user has an account: newuidmap wants that. */
  readonly named?: boolean;
  /** What a shell does before, as root, in the mount namespace. */
  readonly before?: string;
  readonly setpriv?: readonly string[];
  readonly what?: 'run' | 'posture';
}

/** What becomes of containers of the user. */
async function outcomes(jobs: readonly (readonly [script: string, options?: object])[], host: Host = {}): Promise<string[]> {
  const { line = `${UID}:${FIRST}:${COUNT}\n`, named = true, before = 'true', setpriv = [], what = 'run' } = host;
  const directory = temporary();
  const [file, passwd] = [join(directory, 'subids'), join(directory, 'passwd')];
  writeFileSync(file, `somebody:1:2\n${line}`, { mode: 0o644 });
  writeFileSync(passwd, `${readFileSync('/etc/passwd', 'utf8')}${named ? `${NAME}:x:${UID}:${UID}::/:/bin/sh\n` : ''}`, { mode: 0o644 });
  const mounts = ['/etc/subuid', '/etc/subgid'].map((path) => `mount --bind ${file} ${path}`).join(' && ');
  const as = ['setpriv', `--reuid=${UID}`, `--regid=${UID}`, '--clear-groups', ...setpriv];
  const by = ['unshare', '--mount', 'sh', '-c', `${mounts} && mount --bind ${passwd} /etc/passwd && ${before} && exec "$@"`, 'sh', ...as];
  const rootfs = image();
  const json = JSON.stringify(jobs.map(([script, options = {}]) => [['sh', '-c', script], { rootfs, ...options }]));
  const { stdout, stderr, code } = await program.run([what, json], { by });
  expect([stderr, code]).toEqual(['', 0]);
  return JSON.parse(stdout) as string[];
}

const helpers = ['newuidmap', 'newgidmap'].every((name) => existsSync(`/usr/bin/${name}`)) && existsSync('/etc/subuid') && existsSync('/etc/subgid');
const show = 'tr -s " " < /proc/self/uid_map; tr -s " " < /proc/self/gid_map; cat /proc/self/setgroups';

describe.skipIf(!helpers)('an ordinary user with subordinate ids (skipped: newuidmap, newgidmap, /etc/subuid and /etc/subgid are needed)', () => {
  it('has the own id alone by default, and all of them if they are asked for', async () => {
    const own = ` 0 ${UID} 1\n`;
    const granted = `${own} 1 ${FIRST} ${COUNT}\n`;
    expect(await outcomes([[show], [show, { ids: 'granted' }]])).toEqual([`${own}${own}deny\n`, `${granted}${granted}allow\n`]);
  });

  it('may be another user of its container, with groups, and give files away', async () => {
    const user = { uid: 1000, gid: 1000, groups: [4, 20] };
    expect(
      await outcomes([
        ['id -u; id -g; id -G; grep -E "^Cap(Eff|Prm|Inh|Amb)" /proc/self/status | tr -d "\\t"', { user }],
        ['touch /tmp/x && chown 33:33 /tmp/x && stat -c "%u %g" /tmp/x; id -G', { ids: 'granted', mounts: [{ tmpfs: '/tmp' }] }],
      ]),
    ).toEqual(['1000\n1000\n1000 4 20\nCapInh:0000000000000000\nCapPrm:0000000000000000\nCapEff:0000000000000000\nCapAmb:0000000000000000\n', '33 33\n0\n']);
  });

  it('has a terminal group of its own, and the devices', async () => {
    // The mount table has the ids of the whole system.
    const script = `grep -c " /dev/pts .*gid=${FIRST + 4}" /proc/self/mountinfo; echo x > /dev/null; echo $?`;
    expect(await outcomes([[script, { ids: 'granted' }]])).toEqual(['1\n0\n']);
  });

  it('is told by the posture', async () => {
    const options = [['true'], ['true', { ids: 'granted' }], ['true', { user: { uid: 1000, gid: 1000 } }]] as const;
    const ids = `uids and gids 0 is ${UID}, 1-65536 are ${FIRST}-${FIRST + COUNT - 1}`;
    expect(await outcomes(options, { what: 'posture' })).toEqual([
      `root of its own user namespace, nobody outside of it; no ids but this one: uid ${UID} and gid ${UID} outside`,
      `root of its own user namespace, nobody outside of it; ${ids}`,
      `uid 1000, gid 1000 of its own user namespace, nobody outside of it; ${ids}`,
    ]);
  });

  const notSet = join('/tmp', 'ctr-newuidmap');
  it.each([
    [
      'no line',
      { line: '' },
      /: \/etc\/subuid has no line for ctr-rootless: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ctr-rootless \(as root\)/,
    ],
    ['a line that is none', { line: `${UID}:x:y\n` }, /: \/etc\/subuid, line 2: "54321:x:y" is not of the form name:first:count$/],
    ['no account', { named: false }, /: uid 54321 has no name, without which newuidmap maps nothing: make an account for it/],
    ['no newuidmap', { before: 'mount --bind /dev/null /usr/bin/newuidmap' }, /: newuidmap is in none of .*: install the package uidmap \(Debian, Ubuntu\)/],
    [
      'a newgidmap without its rights',
      { before: `mount --bind ${notSet} /usr/bin/newgidmap` },
      /: \/usr\/bin\/newgidmap is not set-user-id root, and has no file capabilities: chmod u\+s /,
    ],
    ['no_new_privs', { setpriv: ['--no-new-privs'] }, /: newuidmap has no effect here: this process was started with no_new_privs/],
    ['a helper on a nosuid mount', { before: 'mount --bind /usr/bin /usr/bin && mount -o remount,bind,nosuid /usr/bin' }, /: \/usr\/bin\/newuidmap .* nosuid/],
  ] as const)('%s: has the one id, and says why it has no more', async (_, host, message) => {
    const directory = temporary();
    const copy = join(directory, 'newgidmap');
    copyFileSync('/usr/bin/newgidmap', copy);
    chmodSync(copy, 0o755);
    const before = 'before' in host ? { before: host.before.replace(notSet, copy) } : {};
    const [one, refused] = await outcomes(
      [
        [show, { ids: 'granted' }],
        ['true', { user: { uid: 1000, gid: 1000 } }],
      ],
      { ...host, ...before },
    );
    const [posture] = await outcomes([['true', { ids: 'granted' }]], { ...host, ...before, what: 'posture' });
    expect(one).toBe(` 0 ${UID} 1\n 0 ${UID} 1\ndeny\n`);
    expect(posture).toMatch(/no ids but this one/);
    expect(refused).toMatch(/^Error: user: the container has no uid 1000, but 0 only/);
    expect(refused).toMatch(message);
  });

  it('has an error, with the line that is wanted, for ids that it names and does not have', async () => {
    const map = [{ inside: 0, outside: FIRST, count: COUNT + 1 }];
    const [outcome] = await outcomes([['true', { uidMap: map, gidMap: map }]]);
    expect(outcome).toMatch(
      /^Error: newuidmap .* not allowed\nhint: \/etc\/subuid has to grant these ids: ctr-rootless:400000:65537; for ctr-rootless it has ctr-rootless:400000:65536\./,
    );
  });

  it('has its groups where it maps its users alone', async () => {
    const [outcome] = await outcomes([[show, { uidMap: [{ inside: 0, outside: FIRST, count: 10 }] }]]);
    expect(outcome).toBe(` 0 ${FIRST} 10\n 0 ${UID} 1\ndeny\n`);
  });

  it('never takes a newuidmap of the container, nor one of PATH', async () => {
    const bin = temporary();
    writeFileSync(join(bin, 'newuidmap'), '#!/bin/sh\necho decoy > /tmp/ctr-decoy-54321\n', { mode: 0o755 });
    const [outcome] = await outcomes([[show, { ids: 'granted' }]], { setpriv: ['env', `PATH=${bin}:/usr/bin:/bin`] });
    expect(outcome).toContain(` 1 ${FIRST} ${COUNT}\n`);
    expect(existsSync('/tmp/ctr-decoy-54321')).toBe(false);
  });
});
