import { chmodSync, copyFileSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { exitCodeOf, run, type RunOptions } from '@ctr/runtime';
import { isSyscallError, type SyscallError } from '@ctr/syscall';

import { image, sharedImage, temporary } from './image.js';
import { watchForLeaks } from './leaks.js';

watchForLeaks();
const shared = sharedImage();

async function failure(command: [string, ...string[]], options: RunOptions): Promise<SyscallError> {
  const error = await run(command, options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isSyscallError(error)) throw new Error('it did not fail at a step', { cause: error });
  return error;
}

/** An image with one program more. */
function withProgram(make: (path: string) => void): string {
  const rootfs = image();
  make(join(rootfs, 'bin/program'));
  return rootfs;
}

describe('a program that cannot be found', () => {
  it('by its name: says where it was looked for', async () => {
    const error = await failure(['no-such-program', 'x'], { rootfs: shared.path });
    expect(error.message).toBe(
      `exec "no-such-program": executable file not found = ENOENT (no such file or directory), step ${error.step! + 1} of ${error.step! + 1}\n` +
        'hint: it is in none of the directories of PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    );
    expect(exitCodeOf(error)).toBe(127);
  });

  it('by its path: says whose path it is', async () => {
    const error = await failure(['/no/such'], { rootfs: shared.path });
    expect(error.message).toMatch(/^exec "\/no\/such": no such file or directory = ENOENT .*\nhint: the path is one of the container, not of the host$/);
    expect(exitCodeOf(error)).toBe(127);
  });

  it('in a root without any', async () => {
    const rootfs = temporary();
    const error = await failure(['sh'], { rootfs });
    expect(error.message).toMatch(/^exec "sh": executable file not found = ENOENT /);
    expect(exitCodeOf(error)).toBe(127);
    // The places of the mounts are all that was made in it.
    expect(readdirSync(rootfs).toSorted()).toEqual(['dev', 'proc', 'sys']);
  });

  it('because its link leads nowhere, or in a circle', async () => {
    expect(exitCodeOf(await failure(['program'], { rootfs: withProgram((path) => symlinkSync('/etc/nothing', path)) }))).toBe(127);
    const circle = await failure(['/bin/program'], { rootfs: withProgram((path) => symlinkSync('program', path)) });
    expect(circle.message).toMatch(/^exec "\/bin\/program": no such file or directory = ENOENT/);
  });

  it('because a file is on its way', async () => {
    expect(exitCodeOf(await failure(['/etc/passwd/program'], { rootfs: shared.path }))).toBe(127);
  });
});

describe('a program that cannot be executed', () => {
  it('because its mode forbids it', async () => {
    const rootfs = withProgram((path) => writeFileSync(path, '#!/bin/sh\n', { mode: 0o644 }));
    for (const command of ['program', '/bin/program']) {
      const error = await failure([command], { rootfs });
      expect(error.message).toMatch(
        /^execve\("\/bin\/program", .* = EACCES \(permission denied\), step \d+ of \d+: exec "\/bin\/program"\nhint: \/bin\/program is a directory, or not executable: see its mode \(chmod \+x\), the directories above it, and whether its file system is mounted noexec$/,
      );
      expect(exitCodeOf(error)).toBe(126);
    }
  });

  it('because it is a directory', async () => {
    const error = await failure(['/etc'], { rootfs: shared.path });
    expect(error.message).toMatch(/ = EACCES .*\nhint: \/etc is a directory, or not executable/);
    expect(exitCodeOf(error)).toBe(126);
  });

  it('because its interpreter is missing: says so', async () => {
    const rootfs = withProgram((path) => writeFileSync(path, '#!/usr/bin/missing\n', { mode: 0o755 }));
    for (const command of ['program', '/bin/program']) {
      const error = await failure([command], { rootfs });
      expect(error.message).toMatch(
        /^execve\("\/bin\/program", .* = ENOENT .*\nhint: \/bin\/program exists, so its interpreter is what is missing: the program in its "#!" line, or the dynamic loader it was linked with$/,
      );
      expect(exitCodeOf(error)).toBe(126);
    }
  });

  it('because its dynamic loader is missing: says so', async () => {
    const rootfs = withProgram((path) => copyFileSync(process.execPath, path));
    const error = await failure(['program'], { rootfs });
    expect(error.message).toMatch(/ = ENOENT .*\nhint: \/bin\/program exists, so its interpreter is what is missing/);
  });

  it.each([
    ['a text without "#!"', Buffer.from('echo hello\n')],
    ['an ELF file that is cut short', Buffer.from('\x7fELF\x02\x01\x01', 'latin1')],
    ['an ELF file for another machine', elfFor(0xf3)],
    ['an empty file', Buffer.alloc(0)],
  ])('because it is %s', async (_, content) => {
    const rootfs = withProgram((path) => writeFileSync(path, content, { mode: 0o755 }));
    const error = await failure(['program'], { rootfs });
    expect(error.message).toMatch(
      /^execve\("\/bin\/program", .* = ENOEXEC .*\nhint: \/bin\/program is neither a script with a "#!" line nor a program for this machine's architecture$/,
    );
    expect(exitCodeOf(error)).toBe(126);
  });

  it('because its file system is mounted noexec', async () => {
    // /dev/shm is.
    const error = await failure(['sh', '-c', 'cp /bin/busybox /dev/shm/ && exec /dev/shm/busybox true'], { rootfs: shared.path }).catch(
      (reason: unknown) => reason,
    );
    expect(String((error as Error).cause)).toMatch(/ended with exit code 126/);
  });

  it('because a directory on the way may not be searched by the user', async () => {
    const rootfs = image();
    chmodSync(rootfs, 0o700);
    const error = await failure(['sh'], { rootfs, user: { uid: 1000, gid: 1000 } });
    expect(error.message).toMatch(
      /^faccessat\(AT_FDCWD, "\/usr\/local\/sbin\/sh", 0\) = EACCES .*\nhint: a directory on the way to \/usr\/local\/sbin\/sh may not be searched by this user: see its mode, and that of the root file system itself$/,
    );
    expect(exitCodeOf(error)).toBe(126);
  });

  it('because the arguments are larger than the kernel takes', async () => {
    for (const options of [
      { command: ['true', 'x'.repeat(2 ** 17)] as const, env: {} },
      { command: ['true'] as const, env: { A: 'x'.repeat(2 ** 17) } },
    ]) {
      const error = await failure([...options.command], { rootfs: shared.path, env: options.env });
      expect(error.message).toMatch(
        /^execve\(.* = E2BIG \(argument list too long\).*\nhint: the arguments and the environment together are larger than the kernel takes \(a quarter of ulimit -s, and 128 KiB for one string\)$/,
      );
      expect(exitCodeOf(error)).toBe(126);
    }
    const many = Array.from({ length: 40 }, () => 'x'.repeat(2 ** 17 - 1)) as string[];
    expect((await failure(['true', ...many], { rootfs: shared.path })).code).toBe('E2BIG');
    expect((await run(['true', ...many.slice(0, 8)], { rootfs: shared.path })).exitCode).toBe(0);
  });
});

describe('a program', () => {
  it('of the same name in a later directory of PATH is taken where an earlier one cannot be executed', async () => {
    const rootfs = image();
    mkdirSync(join(rootfs, 'opt'));
    writeFileSync(join(rootfs, 'opt/pwd'), '#!/bin/sh\n', { mode: 0o644 });
    expect((await run(['pwd'], { rootfs, env: { PATH: '/missing:/etc/passwd:/opt:/bin' } })).stdout).toBe('/\n');
  });

  it('in the working directory is found by an empty entry of PATH, and only by that', async () => {
    const rootfs = image();
    writeFileSync(join(rootfs, 'tmp/hello'), '#!/bin/sh\necho hello\n', { mode: 0o755 });
    expect((await run(['hello'], { rootfs, cwd: '/tmp', env: { PATH: ':/bin' } })).stdout).toBe('hello\n');
    expect((await run(['./hello'], { rootfs, cwd: '/tmp' })).stdout).toBe('hello\n');
    await expect(run(['hello'], { rootfs, cwd: '/tmp', env: { PATH: '/bin' } })).rejects.toThrow('executable file not found');
  });

  it('that is a script with /proc/self/exe for its interpreter does not run the set-up again', async () => {
    const rootfs = withProgram((path) => writeFileSync(path, '#!/proc/self/exe\n', { mode: 0o755 }));
    const result = await run(['program'], { rootfs, reject: false });
    expect(result).toMatchObject({ stdout: '', stderr: '' });
    expect(result.exitCode).not.toBe(0);
  });

  it('has a name of its own where it looks for itself', async () => {
    expect((await run(['sh', '-c', 'echo $0 "$@"', 'name', 'a b', ''], { rootfs: shared.path })).stdout).toBe('name a b \n');
  });

  it('gets its arguments as they are', async () => {
    const argument = `'"\\ $(id)\n\t*ä${String.fromCodePoint(0x1f600)}`;
    expect((await run(['printf', '%s', argument], { rootfs: shared.path })).stdout).toBe(argument);
  });
});

describe('an error', () => {
  it('has the plan, with an arrow at the step', async () => {
    const error = await failure(['/missing'], { rootfs: shared.path });
    const marked = error.plan?.split('\n').filter((line) => line.startsWith('→'));
    expect(marked).toEqual([expect.stringMatching(/^→ +\d+ {2}fail\(ENOENT\) {2}# exec "\/missing": no such file or directory$/)]);
  });
});

/** The head of an ELF executable of 64 bits, little endian, for a machine (e_machine of elf.h). */
function elfFor(machine: number): Buffer {
  const head = Buffer.alloc(64 + 56);
  head.write('\x7fELF\x02\x01\x01', 'latin1');
  head.writeUInt16LE(2, 16);
  head.writeUInt16LE(machine, 18);
  head.writeUInt32LE(1, 20);
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(64, 52);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(1, 56);
  return head;
}
