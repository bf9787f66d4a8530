import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { bind, boundDevice, device, devices, openPlace, tmpfs } from '@ctr/fs';

import { inUserNamespace, mapIds, printed, privateMounts, rejection, temporary } from './launched.js';

const list = (at: string): string =>
  `cd ${at}; busybox stat -c '%n %a %t:%T' null zero full random urandom tty; for link in fd stdin stdout stderr ptmx; do echo $link $(busybox readlink $link); done;` +
  ` echo x > null && echo written; busybox head -c 3 zero | busybox od -An -tx1; echo x 2>&1 > full`;
const listed = `null 666 1:3
zero 666 1:5
full 666 1:7
random 666 1:8
urandom 666 1:9
tty 666 5:0
fd /proc/self/fd
stdin /proc/self/fd/0
stdout /proc/self/fd/1
stderr /proc/self/fd/2
ptmx pts/ptmx
written
 00 00 00
sh: write error: No space left on device`;

describe('devices', () => {
  it('are made whatever the umask is, which is as before', async () => {
    const at = temporary();
    const place = openPlace(at);
    const umask = { call: 'umask', args: [0o77], purpose: 'a strict umask' } as const;
    const output = await printed([umask, ...tmpfs(at, { noDev: false }), ...place.steps, ...devices(place.fd, { nodes: 'make' })], `umask; ${list(at)}`);
    expect(output).toBe(`0077\n${listed}`);
  });

  it('are bound in a user namespace, where they cannot be made', async () => {
    const at = temporary();
    const place = openPlace(at);
    const plan = [...tmpfs(at, { noDev: false }), ...place.steps, ...devices(place.fd, { nodes: 'bind' })];
    expect(await printed(plan, list(at), inUserNamespace(), mapIds)).toBe(listed);
    const again = openPlace(at);
    const error = await rejection(
      printed([...tmpfs(at, { noDev: false }), ...again.steps, ...devices(again.fd, { nodes: 'make' })], '', inUserNamespace(), mapIds),
    );
    expect(error.message).toMatch(/^mknodat\(.*"null", S_IFCHR\|0666, makedev\(1, 3\)\) = EPERM .*\nhint: a device can only be made with CAP_MKNOD/);
  });

  it('are not trusted if they are there already', async () => {
    const at = temporary();
    writeFileSync(join(at, 'null'), 'not the null device');
    for (const nodes of ['make', 'bind'] as const) {
      const place = openPlace(at);
      const error = await rejection(printed([...bind(at, at), ...place.steps, ...devices(place.fd, { nodes })], ''));
      expect(error.message).toMatch(/^mknodat\(.*"null".* = EEXIST /);
    }
  });
});

describe('device', () => {
  it('is made with the numbers and the mode it was given', async () => {
    const at = temporary();
    const place = openPlace(at);
    const plan = [
      ...tmpfs(at),
      ...place.steps,
      device(place.fd, 'big', { type: 'block', major: 0xabc, minor: 0xdef12, mode: 0o600 }),
      device(place.fd, 'fifo', { type: 'fifo', mode: 0o644 }),
    ];
    expect(await printed(plan, `cd ${at}; busybox stat -c '%F %a %t:%T' big fifo`)).toBe('block special file 600 abc:def12\nfifo 644 0:0');
  });

  it('is shown where it cannot be made', async () => {
    const at = temporary();
    const place = openPlace(at);
    const plan = [...tmpfs(at), ...place.steps, ...boundDevice('/dev/zero', place.fd, 'nought')];
    const script = `busybox head -c 1 ${at}/nought | busybox od -An -tx1; echo x > ${at}/nought && busybox chmod 600 ${at}/nought 2>&1`;
    expect(await printed(plan, script, privateMounts())).toBe(` 00\nchmod: ${at}/nought: Read-only file system`);
  });
});
