// The accounts of an image are read on the host: whatever is in their place is read at once and in little memory, within the image, and is not opened if it is a device.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { lookupUser } from '@ctr/runtime';
import { call, openFd, openFlags } from '@ctr/syscall';

import { image, temporary } from '../image.js';
import { watchForLeaks } from '../leaks.js';
import { exchanging } from './exchange.js';
import { watchTheHost } from './host.js';

watchForLeaks();
watchTheHost();

/** linux/fcntl.h and asm-generic/fcntl.h */
const F_SETSIG = 10;
const F_SETLEASE = 1024;
const F_WRLCK = 1;
const F_UNLCK = 2;
const MAX_GROWTH = 64 * 2 ** 20;

/** What a look-up says, and that it took little memory; what waits for something, or has no end, ends with the time of the test. */
function lookup(rootfs: string, text = 'root'): string {
  const memory = process.memoryUsage.rss();
  const outcome = ((): string => {
    try {
      return JSON.stringify(lookupUser(text, rootfs));
    } catch (error) {
      return String(error);
    }
  })();
  expect(process.memoryUsage.rss() - memory).toBeLessThan(MAX_GROWTH);
  return outcome;
}

const irregular = /^Error: \/etc\/(passwd|group) of the container is not a regular file$/;

describe.each(['passwd', 'group'])('in place of /etc/%s', (name) => {
  it.each<[string, (path: string) => void, RegExp]>([
    ['a pipe', (path) => execFileSync('mkfifo', [path]), irregular],
    ['a sparse giant', (path) => (writeFileSync(path, ''), truncateSync(path, 2 ** 30)), /has 1073741824 bytes: more than 4194304 are not read$/],
    ['as much as is read at most, without a line', (path) => writeFileSync(path, Buffer.alloc(4 * 2 ** 20, 'x')), /there is no such name|^\{"uid":0/],
    ['as much as is read at most, all of lines', (path) => writeFileSync(path, Buffer.alloc(4 * 2 ** 20, '::::\n')), /there is no such name|^\{"uid":0/],
    ['a directory', (path) => mkdirSync(path), irregular],
    ['a device that never ends', (path) => execFileSync('mknod', [path, 'c', '1', '5']), irregular],
    // Nobody has this number: to open it would be ENXIO. With the number of a watchdog, it would be the end of the machine.
    ['a device that does something when it is opened', (path) => execFileSync('mknod', [path, 'c', '240', '200']), irregular],
    ['a disk', (path) => execFileSync('mknod', [path, 'b', '240', '200']), irregular],
    ['a link to the one of the host', (path) => symlinkSync(`../../../../../../../../etc/${name}`, path), /ELOOP|there is no such name/],
    ['a link of proc', (path) => symlinkSync('/proc/self/root/etc/passwd', path), /there is no such name|^\{"uid":0,"gid":0,"groups":\[\]\}$/],
    ['a link to a device of the host', (path) => symlinkSync('/dev/zero', path), /there is no such name|^\{"uid":0,"gid":0,"groups":\[\]\}$/],
  ])('%s', (_, make, message) => {
    const rootfs = image();
    const path = join(rootfs, 'etc', name);
    rmSync(path);
    make(path);
    expect(lookup(rootfs)).toMatch(message);
  });

  it('a file of which a process has a lease: no reader waits', () => {
    const rootfs = image();
    using file = openFd(join(rootfs, 'etc', name), { flags: openFlags.O_RDONLY });
    const fcntl = (command: number, argument: number): number => call({ call: 'fcntl', args: [file, command, argument], purpose: 'a lease' });
    fcntl(F_SETSIG, constants.signals.SIGWINCH);
    fcntl(F_SETLEASE, F_WRLCK);
    const from = performance.now();
    expect(lookup(rootfs, 'web')).toBe(
      `Error: /etc/${name} of the container cannot be read: a process has a lease of it (F_SETLEASE), and would make every reader wait`,
    );
    expect(performance.now() - from).toBeLessThan(5_000);
    fcntl(F_SETLEASE, F_UNLCK);
    expect(lookup(rootfs, 'web')).toBe('{"uid":1000,"gid":1000,"groups":[4]}');
  });

  it('a file and a pipe by turns: one of the two, at once', async () => {
    const rootfs = image();
    execFileSync('mkfifo', [join(rootfs, 'etc/pipe')]);
    const seen = new Map<string, number>();
    {
      await using _exchange = await exchanging(join(rootfs, 'etc'), name, 'pipe');
      for (let round = 0; round < 2000; round++) {
        const outcome = lookup(rootfs);
        seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      }
    }
    console.info(`${name}, a file and a pipe by turns: ${JSON.stringify(Object.fromEntries(seen))}`);
    expect([...seen.keys()].toSorted()).toEqual([`Error: /etc/${name} of the container is not a regular file`, '{"uid":0,"gid":0,"groups":[]}']);
  });
});

it('is a link within the image, or a file, in the usual case', () => {
  const rootfs = image();
  expect(lookup(rootfs, 'web')).toBe('{"uid":1000,"gid":1000,"groups":[4]}');
  const outside = temporary();
  writeFileSync(join(outside, 'passwd'), 'root:x:5:5::/:/bin/sh\n');
  rmSync(join(rootfs, 'etc/passwd'));
  writeFileSync(join(rootfs, 'etc/accounts'), 'root:x:7:7::/:/bin/sh\n');
  symlinkSync('/../../etc/accounts', join(rootfs, 'etc/passwd'));
  expect(lookup(rootfs)).toBe('{"uid":7,"gid":7,"groups":[]}');
});
