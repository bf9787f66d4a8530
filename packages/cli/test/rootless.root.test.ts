// `ctr` for an ordinary user, with and without ids that are granted to it: by files that are there for the tests alone, in a mount namespace of their own.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { bin, ctr, shell, type Outcome } from './ctr.js';

const UID = 54_321;
let directory = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'ctr-cli-rootless-'));
  chmodSync(directory, 0o755);
  writeFileSync(join(directory, 'subids'), `ctr-rootless:400000:65536\n`);
  writeFileSync(join(directory, 'passwd'), `${readFileSync('/etc/passwd', 'utf8')}ctr-rootless:x:${UID}:${UID}::/:/bin/sh\n`);
});
afterAll(() => rmSync(directory, { recursive: true }));

const env = { NODE: process.execPath, BIN: bin };
const asUser = `setpriv --reuid=${UID} --regid=${UID} --clear-groups`;

/** `ctr` for the user, after what root does in a mount namespace. */
function asGranted(args: string, before = 'true'): Promise<Outcome> {
  const files = `mount --bind ${directory}/subids /etc/subuid && mount --bind ${directory}/subids /etc/subgid && mount --bind ${directory}/passwd /etc/passwd`;
  return shell(`unshare --mount sh -c '${files} && ${before} && exec ${asUser} "$NODE" "$BIN" ${args}'`, { env });
}

const helpers = ['/usr/bin/newuidmap', '/usr/bin/newgidmap', '/etc/subuid', '/etc/subgid'].every((path) => existsSync(path));

describe.skipIf(!helpers)('with granted ids (skipped: newuidmap, newgidmap, /etc/subuid and /etc/subgid are needed)', () => {
  it('ctr run has all of them, or the own one alone if that is asked for', async () => {
    const all = await asGranted('run --user 1000:1000 sh -c "id -u; tr -s \\" \\" < /proc/self/uid_map; chown 1000:33 /tmp/x 2>/dev/null; id -G"');
    expect(all).toMatchObject({ code: 0, stdout: `1000\n 0 ${UID} 1\n 1 400000 65536\n1000\n`, stderr: '' });
    const own = await asGranted('run --ids own sh -c "tr -s \\" \\" < /proc/self/uid_map"');
    expect(own).toMatchObject({ code: 0, stdout: ` 0 ${UID} 1\n`, stderr: '' });
  });

  it('ctr doctor counts them, or says what is lacking', async () => {
    expect((await asGranted('doctor')).stdout).toMatch(/✔ ids in a container +65537 uids, 65537 gids/);
    const lacking = await asGranted('doctor', 'mount --bind /bin/true /usr/bin/newgidmap');
    expect(lacking.stdout).toMatch(/– ids in a container +one: root of the container is this user\n +→ \/usr\/bin\/newgidmap is not set-user-id root/);
  });
});

describe('without', () => {
  it('ctr run has one id, and the posture says so', async () => {
    const { stdout } = await ctr(['run', '--show-posture', '--json', 'true'], { uid: UID });
    expect(JSON.parse(stdout)).toMatchObject({
      user: `root of its own user namespace, nobody outside of it; no ids but this one: uid ${UID} and gid ${UID} outside`,
      limits: 'none: no control group is delegated to this user',
    });
  });

  it('another user is an error that says why there is none', async () => {
    const { code, stderr } = await ctr(['run', '--user', '1000:1000', 'true'], { uid: UID });
    expect(code).toBe(125);
    expect(stderr).toMatch(/^ctr: user: the container has no uid 1000, but 0 only: (uid 54321 has no name|\/etc\/subuid has no line)/);
  });

  it('a limit is an error that says how to have one', async () => {
    const { code, stderr } = await ctr(['run', '--pids-limit', '20', 'true'], { uid: UID });
    expect(code).toBe(125);
    expect(stderr).toMatch(/^ctr: \S+ cannot be written by uid 54321, .*systemd-run --user --scope -p Delegate=yes …, on cgroup v2\)\n$/);
  });

  it('the network is a loopback that is up, also with --net none', async () => {
    const { stdout } = await ctr(['run', '--net', 'none', 'sh', '-c', 'ls /sys/class/net; cat /sys/class/net/lo/flags'], { uid: UID });
    expect(stdout).toBe('lo\n0x9\n');
  });
});

describe('-v SRC:DST:idmap', () => {
  it('shows the owners as they are, in a user namespace', async () => {
    const script = 'stat -c "%u %g" /mnt/passwd; touch /mnt/x';
    const mapped = await ctr(['run', '--userns', 'new', '-v', `${directory}:/mnt:ro,idmap`, 'sh', '-c', script]);
    expect(mapped.stdout).toBe('0 0\n');
    expect(mapped.stderr).toMatch(/Read-only file system/);
    const plain = await ctr(['run', '--userns', 'new', '-v', `${directory}:/mnt`, 'sh', '-c', script]);
    expect(plain.stdout).toBe('65534 65534\n');
  });

  it.each([
    ['root without one', 0, 'ctr: the mount at "/mnt": idMap needs a new user namespace, by whose ids owners are shown\n'],
    [
      'an ordinary user',
      UID,
      'ctr: the mount at "/mnt": only root may map the owners of its files (CAP_SYS_ADMIN where the file system was mounted): run as root, or without idMap\n',
    ],
  ] as const)('is refused to %s', async (_, uid, stderr) => {
    expect(await ctr(['run', '-v', `${directory}:/mnt:idmap`, 'true'], { uid })).toMatchObject({ code: 125, stderr });
  });
});

describe('ctr doctor tells what keeps a user from containers', () => {
  const doctor = (before: string, by = asUser): Promise<Outcome> => shell(`unshare --mount sh -c '${before} && exec ${by} "$NODE" "$BIN" doctor'`, { env });
  const sysctl = (name: string, value: string): string => `mount -t tmpfs none /proc/sys/kernel && echo ${value} > /proc/sys/kernel/${name}`;
  /** The lines are broken to fit a terminal. */
  const words = ({ stdout }: Outcome): string => stdout.replaceAll(/\s+/g, ' ');

  it.each(['run true', 'doctor'])('a missing /proc, also in ctr %s', async (args) => {
    expect(await shell(`unshare --mount sh -c 'mount -t tmpfs none /proc && exec "$NODE" "$BIN" ${args}'`, { env })).toMatchObject({
      code: 125,
      stderr: expect.stringMatching(
        /^ctr: (.*\n)?.*\/proc (is not mounted here, and ctr needs it: mount -t proc proc \/proc \(as root\)|has to be mounted .*)\n$/,
      ),
    });
  });

  it.each([
    [
      'Debian',
      sysctl('unprivileged_userns_clone', '0'),
      /unprivileged_userns_clone \(Debian\) 0 → sysctl kernel\.unprivileged_userns_clone=1 \(as root\) allows them/,
    ],
    [
      'Ubuntu',
      sysctl('apparmor_restrict_unprivileged_userns', '1'),
      /\(Ubuntu\) 1 → sysctl kernel\.apparmor_restrict_unprivileged_userns=0 \(as root\), or an AppArmor profile/,
    ],
    [
      'a covered /proc',
      'mount -t tmpfs none /proc/sys/fs',
      /✘ proc fsmount: EPERM \(operation not permitted\) → parts of \/proc are mounted over, as in most containers \(\/proc\/sys\/fs\)/,
    ],
  ])('%s', async (_, before, message) => {
    const outcome = await doctor(before);
    expect(outcome.code).toBe(1);
    expect(words(outcome)).toMatch(message);
  });
});
