import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { bin, ctr, shell, startCtr } from './ctr.js';
import { makeRootfs, noRootfs } from './rootfs.js';

const directory = mkdtempSync(join(tmpdir(), 'ctr-bad-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
chmodSync(directory, 0o755);

function file(name: string, content: string, mode = 0o644): string {
  const path = join(directory, name);
  writeFileSync(path, content, { mode });
  chmodSync(path, mode);
  return path;
}

describe('systemd', () => {
  it('that is not running is an error before anything is made', async (context) => {
    if (existsSync('/run/systemd/system')) context.skip('systemd is running here');
    expect(await ctr(['run', '--cgroup-manager', 'systemd', 'true'])).toMatchObject({
      code: 125,
      stdout: '',
      stderr: expect.stringMatching(/^ctr: systemd is not running here: \/run\/systemd\/system is missing\. .*--cgroup-manager cgroupfs.*\n$/),
    });
  });
});

describe('what others have made up', () => {
  const odd = 'a\u202Eb\u2066c\u001B[2Jd\u200Be';
  const escaped = String.raw`a\u202eb\u2066c\u001b[2Jd\u200be`;
  const printed = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*$/u;

  it.each([
    ['a command', [odd]],
    ['an option', ['run', `--${odd}`]],
    ['a value', ['run', '-m', odd, 'true']],
    ['a program', ['run', odd]],
    ['a bundle', ['run', '--oci', `/${odd}`]],
    ['a user', ['run', '-u', odd, 'true']],
    ['a plan', ['run', '--dry-run', '-v', '/tmp:/mnt', `/bin/${odd}`]],
    ['a plan as JSON', ['run', '--dry-run', '--json', `/bin/${odd}`]],
  ])('is shown, and nothing of it obeyed: %s', async (what, args) => {
    const { stdout, stderr } = await ctr(args);
    const said = (stdout + stderr).replaceAll('\\\\', '\\');
    for (const line of said.split('\n')) expect(line).toMatch(printed);
    expect(said.includes(escaped) || said.includes(String.raw`a\342\200\256b`)).toBe(true);
    if (what === 'a plan as JSON') expect(() => void JSON.parse(stdout)).not.toThrow();
  });
});

describe('the command', () => {
  it('not found: 127', async () => {
    expect(await ctr(['run', 'no-such-program'])).toEqual({
      code: 127,
      signal: null,
      stdout: '',
      stderr:
        'ctr: exec "no-such-program": executable file not found\n  hint: it is in none of the directories of PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; without a rootfs these are the host\'s, and a name is never that of an image\n',
    });
    expect(await ctr(['run', '/no/such/program'])).toMatchObject({
      code: 127,
      stderr: 'ctr: exec "/no/such/program": no such file or directory\n  hint: the path is one of the container, not of the host\n',
    });
  });

  it('not executable: 126', async () => {
    file('plain', 'text\n');
    expect(await ctr(['run', '-v', `${directory}:/bad`, '/bad/plain'])).toMatchObject({
      code: 126,
      stderr: expect.stringMatching(
        /^ctr: execve\("\/bad\/plain", \["\/bad\/plain"\], .*\) = EACCES \(permission denied\)\n {2}step \d+ of \d+: exec "\/bad\/plain"\n {2}hint: .*chmod \+x/,
      ),
    });
  });

  it('a directory: 126', async () => {
    expect(await ctr(['run', '/etc'])).toMatchObject({ code: 126, stderr: expect.stringMatching(/EACCES[^]*hint: \/etc is a directory/) });
  });

  it('with a missing interpreter: 126', async () => {
    file('script', '#!/no/such/interpreter\n', 0o755);
    expect(await ctr(['run', '-v', `${directory}:/bad`, '/bad/script'])).toMatchObject({
      code: 126,
      stderr: expect.stringMatching(/ENOENT[^]*hint: \/bad\/script exists, so its interpreter is what is missing/),
    });
  });

  it('for no machine: 126', async () => {
    file('garbage', '\u007fELF nonsense', 0o755);
    expect(await ctr(['run', '-v', `${directory}:/bad`, '/bad/garbage'])).toMatchObject({ code: 126, stderr: expect.stringContaining('ENOEXEC') });
  });

  it('with more than the kernel takes: 126', async () => {
    const large = file('large', `LARGE=${'x'.repeat(200_000)}\n`);
    expect(await ctr(['run', '--env-file', large, 'true'])).toMatchObject({
      code: 126,
      stderr: expect.stringMatching(/E2BIG[^]*hint: the arguments and the environment/),
    });
  });

  it('with a NUL byte', async () => {
    const nul = file('nul', 'A=b\0c\n');
    expect(await ctr(['run', '--env-file', nul, 'true'])).toMatchObject({
      code: 125,
      stderr: `ctr: --env-file: "${nul.length > 80 ? `${nul.slice(0, 80)}…` : nul}": line 1 is "A=b\\u0000c": K=V, or K for the caller's value\n`,
    });
  });

  it('empty', async () => {
    expect(await ctr(['run', ''])).toMatchObject({ code: 125, stderr: 'ctr: run: "": the name of a program\n' });
  });

  it('started where there is no such directory', async () => {
    expect(await ctr(['run', '-w', '/nowhere', 'true'])).toMatchObject({
      code: 125,
      stderr: expect.stringMatching(
        /^ctr: openat2\(AT_FDCWD, "\/nowhere", .* = ENOENT \(no such file or directory\)\n {2}step .*\n {2}hint: \/nowhere does not exist in the container/,
      ),
    });
  });
});

describe('the root file system', () => {
  it('missing, a file, empty', async () => {
    expect(await ctr(['run', '--rootfs', '/nowhere', 'true'])).toMatchObject({
      code: 125,
      stderr: 'ctr: rootfs "/nowhere" does not exist: give a directory that holds a root file system\n',
    });
    expect(await ctr(['run', '--rootfs', '/etc/passwd', 'true'])).toMatchObject({
      code: 125,
      stderr: expect.stringMatching(/^ctr: rootfs "\/etc\/passwd" is not a directory/),
    });
    expect(await ctr(['run', '--rootfs', '', 'true'])).toMatchObject({ code: 125, stderr: 'ctr: --rootfs: "": a directory with a root file system in it\n' });
  });

  it.skipIf(noRootfs)('without the command', async () => {
    expect(await ctr(['run', '--rootfs', makeRootfs(), 'python3'])).toMatchObject({
      code: 127,
      stderr: expect.stringMatching(/^ctr: exec "python3": executable file not found/),
    });
  });

  it.skipIf(noRootfs)('with a symbolic link out of it as a destination', async () => {
    const rootfs = makeRootfs();
    const outside = mkdtempSync(join(tmpdir(), 'ctr-outside-'));
    try {
      symlinkSync(`${'../'.repeat(12)}${outside.slice(1)}`, join(rootfs, 'relative'));
      symlinkSync(outside, join(rootfs, 'absolute'));
      for (const link of ['relative', 'absolute']) {
        await ctr(['run', '--rootfs', rootfs, '--tmpfs', `/${link}/in`, '-v', `/etc:/${link}/etc`, 'touch', `/${link}/in/file`]);
        expect(readdirSync(outside)).toEqual([]);
      }
    } finally {
      rmSync(outside, { recursive: true });
    }
  });
});

describe('options', () => {
  it.each<[string[], string]>([
    [['--hostnmae', 'x', 'true'], 'ctr: run: "--hostnmae": there is no such option; did you mean --hostname?\n'],
    [['--hostname', 'h'.repeat(65), 'true'], `ctr: --hostname: the host name "${'h'.repeat(65)}" has 65 bytes: the kernel takes 1 to 64\n`],
    [['--pids-limit', '-5', 'true'], 'ctr: --pids-limit: "-5": a whole number of processes, max or -1 for no limit\n'],
    [['--pids-limit', '0', 'true'], "ctr: --pids-limit: pids takes a whole number of processes from 1 to 4194304, or 'max' for no limit: 0 is not one\n"],
    [['--name', 'a/../b', 'true'], 'ctr: --name: "a/../b": up to 200 letters, digits and _ + - . of which the first is no dot\n'],
    [['-v', '/nowhere:/x', 'true'], 'ctr: bind mount: "/nowhere" does not exist on the host\n'],
    [['-v', '/tmp:/a/../../b', 'true'], 'ctr: a mount point "/a/../../b" has ".." in it: give the path itself\n'],
    [['--tmpfs', '/', 'true'], 'ctr: a mount at "/" would hide the root file system: use rootfs\n'],
    [['--uts', 'host', '--hostname', 'x', 'true'], "ctr: hostname needs a UTS namespace of the container's own\n"],
    [['--json', 'true'], 'ctr: --json: it is for --dry-run and --show-posture\n'],
    [['-t', '-T', 'true'], 'ctr: -T: it means no terminal, and -t a terminal: give one of them\n'],
    [['--net', '/no/such/namespace', 'true'], 'ENOENT'],
    [['--pid', 'pid:4194303', 'true'], 'ESRCH'],
  ])('%j: 125', async (args, message) => {
    const outcome = await ctr(['run', ...args]);
    expect(outcome).toMatchObject({ code: 125, stdout: '' });
    expect(outcome.stderr).toContain(message);
  });

  it('a name that a container has already: 125', async () => {
    const first = startCtr(['run', '--name', 'ctr-test-twice', 'tail', '-f', '/etc/hostname']);
    await first.until('container');
    expect(await ctr(['run', '--name', 'ctr-test-twice', 'true'])).toMatchObject({
      code: 125,
      stderr: expect.stringMatching(/^ctr: a container named "ctr-test-twice" runs already/),
    });
    first.kill('SIGTERM');
    await first.ended;
  });

  it('are escaped and cut in a message', async () => {
    expect((await ctr(['run', '--memory', `\u001B[31m${'9'.repeat(200)}`, 'true'])).stderr).toBe(
      `ctr: --memory: "\\u001b[31m${'9'.repeat(75)}…": a size such as 64m: a number, and b, k, m or g\n`,
    );
    expect((await ctr(['run', '--rootfs', `/\u001B[31m${'9'.repeat(200)}`, 'true'])).stderr).toMatch(
      /^ctr: rootfs "\/\\u001b\[31m9{60,80}…" does not exist: [^\n]*\n$/,
    );
  });
});

describe('what the host refuses', () => {
  it('a namespace, to a root without CAP_SYS_ADMIN', async () => {
    const outcome = await shell('setpriv --bounding-set=-sys_admin "$NODE" "$BIN" run true', { env: { NODE: process.execPath, BIN: bin } });
    expect(outcome).toMatchObject({ code: 125, stdout: '' });
    expect(outcome.stderr).toMatch(/^ctr: clone\(.*\) = EPERM \(operation not permitted\)\n {2}step .*\n {2}hint: /);
  });

  it('a user namespace, where they are switched off', async () => {
    const outcome = await shell(
      `unshare --user --map-root-user --mount sh -c 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$NODE" "$BIN" run --userns new --cgroupns host true'`,
      { env: { NODE: process.execPath, BIN: bin } },
    );
    expect(outcome).toMatchObject({ code: 125, stdout: '' });
    expect(outcome.stderr).toMatch(/^ctr: unshare\(CLONE_NEWUSER\) = ENOSPC [^]*hint: .*(max_\*_namespaces|max_user_namespaces)/);
  });

  it('a limit without a controller', async () => {
    const outcome = await shell(
      `unshare --mount --propagation private sh -c 'awk "/ - cgroup2? /{print \\$5}" /proc/self/mountinfo | tac | xargs -n1 umount -l; exec "$NODE" "$BIN" run -m 64m true'`,
      { env: { NODE: process.execPath, BIN: bin } },
    );
    expect(outcome).toMatchObject({ code: 125, stdout: '' });
    expect(outcome.stderr).toMatch(/^ctr: no control groups are mounted here, and a limit needs the (memory|pids) controller/);
  });

  it('limits, to an ordinary user', async () => {
    const outcome = await ctr(['run', '--pids-limit', '20', 'true'], { uid: 65_534 });
    expect(outcome).toMatchObject({ code: 125, stdout: '' });
    expect(outcome.stderr).toMatch(/cannot be written by uid 65534/);
  });
});

describe('--debug', () => {
  it('shows the plan with an arrow, and where it happened', async () => {
    const { code, stderr } = await ctr(['run', '--debug', '-w', '/nowhere', 'true']);
    expect(code).toBe(125);
    expect(stderr).toMatch(/^→ +\d+ {2}openat2\(AT_FDCWD, "\/nowhere"/m);
    expect(stderr).toMatch(/^ {4}at /m);
    expect((await ctr(['run', '-w', '/nowhere', 'true'], { env: { CTR_DEBUG: '1' } })).stderr).toMatch(/^→ /m);
    expect((await ctr(['run', '-w', '/nowhere', 'true'])).stderr).not.toMatch(/^ {4}at /m);
  });
});

it('leaves nothing behind', () => {
  expect(existsSync('/nowhere')).toBe(false);
  mkdirSync(join(directory, 'end'));
  expect(execFileSync('findmnt', ['--noheadings', '--output', 'TARGET', '--list'], { encoding: 'utf8' })).not.toContain('ctr-');
});
