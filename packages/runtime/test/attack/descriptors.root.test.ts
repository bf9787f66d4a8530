// Files of the host that are open during the set-up: no path of the container leads to one, neither the working directory nor the program, and the program has none.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { plan, run, standalone, start, type ContainerOptions } from '@ctr/runtime';

import { launch } from '@ctr/syscall';

import { image, sharedImage, temporary } from '../image.js';
import { watchForLeaks } from '../leaks.js';
import { ended, NodeProgram } from '../node-program.js';
import { watchTheHost } from './host.js';

watchForLeaks();
watchTheHost();
const shared = sharedImage();

const LAST = 64;
const numbers = Array.from({ length: LAST + 1 }, (_, n) => n);
/** The ways to name an open file of one's own. */
const names = ['/proc/self/fd/', '/proc/thread-self/fd/', '/dev/fd/'];

// The caller has twenty directories of the host open, and tries each of them; what came of it.
const caller = new NodeProgram(`
  import { fstatSync, readdirSync, symlinkSync, unlinkSync } from 'node:fs';
  import { child, run } from '@ctr/runtime';
  const [what = '', json = ''] = process.argv.slice(2);
  const options = JSON.parse(json) as { rootfs: string };
  const directories = readdirSync('/proc/self/fd').map(Number).filter((fd) => {
    try {
      return fstatSync(fd).isDirectory();
    } catch {
      return false;
    }
  });
  if (directories.length < 20) throw new Error('there are only ' + directories.length + ' directories open');
  const outcome = (promise: Promise<{ stdout: string }>) => promise.then(({ stdout }) => stdout.trim(), (error: Error & { code?: string }) => error.code ?? error.message);
  if (what === 'child') child([process.argv[4] ?? ''], options);
  const found: string[] = [];
  for (let fd = 0; fd <= ${LAST}; fd++) {
    if (what === 'cwd') found.push(await outcome(run(['pwd'], { ...options, cwd: '/proc/self/fd/' + fd })));
    if (what === 'program') found.push(await outcome(run(['/proc/self/fd/' + fd + '/bin/sh', '-c', 'readlink /proc/self/exe'], options)));
  }
  if (what === 'files') found.push((await run(['sh', '-c', 'exec ls -l /proc/$$/fd'], options)).stdout);
  console.log(JSON.stringify(found));
`);
/** Opens twenty directories of the host, as numbers that a shell and Node leave alone. */
const withDirectories = ['bash', '-c', `for n in {40..59}; do eval "exec $n</"; done; exec "$@"`, 'bash'];

/** Where a program finds itself, or why it could not be started. */
async function place(options: ContainerOptions): Promise<string> {
  const script = 'pwd; ls -d work var root/.. 2>/dev/null; ls';
  return run(['/bin/sh', '-c', script], { rootfs: shared.path, ...options }).then(
    ({ stdout }) => stdout,
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );
}

describe('the working directory', () => {
  it.each(names)('is none by way of %sN', async (name) => {
    for (const n of numbers) expect(await place({ cwd: `${name}${n}` }), `${name}${n}`).toMatch(/^(ENOENT|ELOOP)$/);
    for (const n of numbers.slice(0, 32))
      expect(await place({ cwd: `${name}${n}/..` }).catch((error: unknown) => String(error))).toMatch(/RangeError|TypeError/);
  });

  it('is none by a link of the image to one', async () => {
    const rootfs = image();
    for (const n of numbers) {
      symlinkSync(`/proc/self/fd/${n}`, join(rootfs, `to-${n}`));
      symlinkSync(`/proc/self/fd/${n}/../..`, join(rootfs, `above-${n}`));
      for (const cwd of [`/to-${n}`, `/above-${n}`]) expect(await place({ rootfs, cwd }), cwd).toMatch(/^(ENOENT|ELOOP)$/);
    }
  });

  it.each(['/proc/self/cwd', '/proc/1/cwd', '/proc/self/root', '/proc/self/task/1/root', '/proc/self/ns'])('is none of the host by way of %s', async (cwd) => {
    expect(await place({ cwd })).toMatch(/^(ELOOP|\/proc\/1\/ns\n.*)$/s);
  });

  it('says why', async () => {
    await expect(run(['true'], { rootfs: shared.path, cwd: '/proc/self/fd/5' })).rejects.toThrow(
      /^openat2\(AT_FDCWD, "\/proc\/self\/fd\/5", .* = ELOOP .*\nhint: \/proc\/self\/fd\/5 leads by a link of \/proc to what a process has open/,
    );
  });

  it('is where it is asked for, also by links of the image and below /proc', async () => {
    const rootfs = image();
    mkdirSync(join(rootfs, 'a/b'), { recursive: true });
    symlinkSync('../a/b', join(rootfs, 'etc/link'));
    for (const [cwd, where] of [
      ['/a/b', '/a/b'],
      ['/etc/link', '/a/b'],
      ['/proc/self/net', '/proc/1/net'],
      ['/dev/fd', '/proc/1/fd'],
    ] as const)
      expect((await run(['readlink', '/proc/self/cwd'], { rootfs, cwd })).stdout).toBe(`${where}\n`);
  });

  it('is none of the twenty directories that the caller has open', async () => {
    const { stdout, stderr } = await caller.run(['cwd', JSON.stringify({ rootfs: shared.path })], { by: withDirectories });
    expect(stderr).toBe('');
    const found = JSON.parse(stdout) as string[];
    expect(found).toHaveLength(LAST + 1);
    expect(found.filter((outcome) => outcome !== 'ENOENT' && outcome !== 'ELOOP')).toEqual([]);
  });
});

describe('the program', () => {
  /** With a program of the host beside the root, and further up. */
  const ways = ['bin/busybox', '../bin/busybox', '../../bin/busybox', '../../../bin/busybox', '../../../../bin/busybox', '../../../usr/bin/busybox'];

  /** A link of the image that has the name by which a busybox of the host would do as it is told: ended well, that is; its path. */
  function link(rootfs: string, target: string): string {
    const directory = mkdtempSync(join(rootfs, 'link-'));
    chmodSync(directory, 0o755);
    symlinkSync(target, join(directory, 'busybox'));
    return `/${basename(directory)}/busybox`;
  }

  it.each(names)('is none by way of %sN', async (name) => {
    for (const n of numbers.slice(0, 40))
      for (const way of ways)
        await expect(run([`${name}${n}/${way}`, 'true'], { rootfs: shared.path }), `${name}${n}/${way}`).rejects.toThrow(/= (ENOENT|ENOTDIR) /);
  });

  it('is none by a link of the image to one, nor by the interpreter of a script', async () => {
    const rootfs = image();
    for (const n of numbers.slice(0, 40)) {
      for (const [i, way] of ways.entries()) {
        symlinkSync(`/proc/self/fd/${n}/${way}`, join(rootfs, `bin/link-${n}-${i}`));
        writeFileSync(join(rootfs, `bin/script-${n}-${i}`), `#!/proc/self/fd/${n}/${way} sh\necho started\n`, { mode: 0o755 });
        await expect(run([`link-${n}-${i}`, 'true'], { rootfs })).rejects.toThrow(/= (ENOENT|ENOTDIR) /);
        await expect(run([`script-${n}-${i}`], { rootfs })).rejects.toThrow(/= (ENOENT|ENOTDIR|EACCES) /);
      }
    }
  });

  it('is none of an executable container, nor of one with an init or a terminal, either', async () => {
    const rootfs = image();
    const path = join(temporary(), 'container');
    for (const n of numbers.slice(0, 24)) {
      const command = [link(rootfs, `/proc/self/fd/${n}/../../bin/busybox`), 'true'] as const;
      writeFileSync(path, standalone(command, { rootfs }), { mode: 0o755 });
      expect([127, 126]).toContain(spawnSync(path, { stdio: 'ignore' }).status);
      await expect(run(command, { rootfs, init: true })).rejects.toThrow(/= (ENOENT|ENOTDIR) /);
      await expect(start(command, { rootfs, terminal: { columns: 80, rows: 24 } })).rejects.toThrow(/= (ENOENT|ENOTDIR) /);
    }
  });

  it('is none of an executable container whose streams are closed: nothing of the set-up takes their places', () => {
    const rootfs = image();
    const path = join(temporary(), 'container');
    const found = ways.flatMap((way) =>
      [0, 1, 2].flatMap((n) => {
        writeFileSync(path, standalone([link(rootfs, `/proc/self/fd/${n}/${way}`), 'true'], { rootfs }), { mode: 0o755 });
        const { status } = spawnSync('sh', ['-c', 'exec "$0" <&- >&- 2>&-', path], { stdio: 'ignore' });
        return status === 126 || status === 127 ? [] : [`${n}/${way}: ${status}`];
      }),
    );
    expect(found).toEqual([]);
  });

  it('is none by way of the twenty directories that the caller has open', async () => {
    const { stdout, stderr } = await caller.run(['program', JSON.stringify({ rootfs: shared.path })], { by: withDirectories });
    expect(stderr).toBe('');
    const found = JSON.parse(stdout) as string[];
    expect(found.filter((outcome) => outcome !== 'ENOENT' && outcome !== 'ENOTDIR')).toEqual([]);
  });

  it('has three files open, whatever the caller has', async () => {
    const { stdout } = await caller.run(['files', JSON.stringify({ rootfs: shared.path })], { by: withDirectories });
    const [listed] = JSON.parse(stdout) as [string];
    const links = listed.split('\n').flatMap((line) => /(\d+) -> (.*):/.exec(line)?.slice(1).join(' ') ?? []);
    expect(links).toEqual([expect.stringMatching(/^0 pipe$/), expect.stringMatching(/^1 (pipe|socket)$/), expect.stringMatching(/^2 (pipe|socket)$/)]);
  });

  it('has what it is given', async () => {
    expect((await run(['sh', '-c', 'cat; echo out; echo err >&2; ls /proc/self/fd'], { rootfs: shared.path, input: 'in\n' })).stdout).toBe(
      'in\nout\n0\n1\n2\n3\n',
    );
  });
});

describe.each([
  ['a process that a launcher has made', false],
  ['the process that was a caller', true],
])("the child's half alone, in %s", (_, passThrough) => {
  const unshare = ['unshare', '--uts', '--pid', '--mount', '--fork', ...withDirectories];

  /** What the program of a name finds that is looked for in all these directories. */
  function child(rootfs: string, path: readonly string[], options: ContainerOptions = {}): Promise<{ code: number | null; stdout: string; stderr: string }> {
    return ended(caller.start(['child', JSON.stringify({ rootfs, env: { PATH: path.join(':') }, passThrough, ...options }), 'tool'], { by: unshare }));
  }

  it('is in no directory of the caller, nor of the set-up', async () => {
    const { stderr, code } = await child(shared.path, ['/bin'], { cwd: '/proc/self/fd/40' });
    expect([code, stderr]).toEqual([125, expect.stringMatching(/^ctr: setting up the directory to start in: E(LOOP|NOENT)\n$/)]);
  });

  it('becomes no program of the host, of all that are tried in one go', async () => {
    const rootfs = image();
    for (const n of numbers) {
      mkdirSync(join(rootfs, `${n}`));
      symlinkSync(`/proc/self/fd/${n}/bin/busybox`, join(rootfs, `${n}/tool`));
    }
    const tried = numbers.map((n) => `/${n}`);
    expect(await child(rootfs, tried)).toMatchObject({
      code: 127,
      stdout: '',
      stderr: expect.stringContaining('exec "tool": executable file not found') as string,
    });
    writeFileSync(join(rootfs, 'bin/tool'), '#!/bin/busybox sh\nexec /bin/busybox ls /proc/self/fd\n', { mode: 0o755 });
    expect(await child(rootfs, [...tried, '/bin'])).toEqual({ code: 0, signal: null, stdout: '0\n1\n2\n3\n', stderr: '' });
  });
});

it('a plan that does not close them is one by which a program of the host is found', async () => {
  const outcomes = await Promise.all(
    numbers.slice(0, 16).map(async (n) => {
      const steps = plan([`/proc/self/fd/${n}/../../../bin/busybox`, 'true'], { rootfs: shared.path, cgroup: false });
      const open = steps.filter(({ call }) => call !== 'close_range');
      expect(open.length).toBe(steps.length - 1);
      return launch(open, { stdio: ['ignore', 'ignore', 'ignore'] }).then(
        async ({ exited }) => (await exited).code,
        () => 'refused',
      );
    }),
  );
  expect(outcomes).toContain(0);
});
