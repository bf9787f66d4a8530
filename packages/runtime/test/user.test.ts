import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { lookupUser } from '@ctr/runtime';

const passwd = `# accounts
root:x:0:0:root:/root:/bin/sh

web:x:1000:1001::/home/web:/bin/sh
odd
bad:x:many:1::/:/bin/sh
`;
const group = `root:x:0:
adm:x:4:root,web
web:x:1001:
log:x:20:webber,web
`;

/** A root with these files in its /etc; none where there is no text. */
function root(files: Record<string, string> = { passwd, group }): string {
  const directory = mkdtempSync(join(tmpdir(), 'ctr-user-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, 'etc'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, 'etc', name), text);
  return directory;
}

describe('lookupUser', () => {
  it.each([
    ['root', { uid: 0, gid: 0, groups: [4] }],
    ['web', { uid: 1000, gid: 1001, groups: [4, 20] }],
    ['1000', { uid: 1000, gid: 1001, groups: [4, 20] }],
    ['web:adm', { uid: 1000, gid: 4, groups: [] }],
    ['web:0', { uid: 1000, gid: 0, groups: [] }],
    ['7', { uid: 7, gid: 0, groups: [] }],
    ['7:8', { uid: 7, gid: 8, groups: [] }],
    ['0:0', { uid: 0, gid: 0, groups: [] }],
    ['4294967294:4294967294', { uid: 4_294_967_294, gid: 4_294_967_294, groups: [] }],
  ])('finds %s', (text, user) => {
    expect(lookupUser(text, root())).toEqual(user);
  });

  it.each([
    ['', 'TypeError: user "": give UID, UID:GID, name or name:group'],
    [':', 'TypeError: user ":": give UID, UID:GID, name or name:group'],
    [':0', 'TypeError: user ":0": give UID, UID:GID, name or name:group'],
    ['web:', 'TypeError: user "web:": give UID, UID:GID, name or name:group'],
    ['0:0:0', 'TypeError: user "0:0:0": give UID, UID:GID, name or name:group'],
    ['nobody', 'Error: user "nobody": there is no such name in the /etc/passwd of the container'],
    ['web:wheel', 'Error: group "wheel": there is no such name in the /etc/group of the container'],
    ['web\nroot', String.raw`Error: user "web\nroot": there is no such name in the /etc/passwd of the container`],
  ])('refuses %j', (text, message) => {
    expect(() => lookupUser(text, root())).toThrow(expect.objectContaining({ message: message.replace(/^\w+: /, '') }));
    expect(() => lookupUser(text, root())).toThrow(message.startsWith('TypeError') ? TypeError : Error);
  });

  it.each(['-1', '+1', '4294967295', '1e3', '0x10', '1.5', '99999999999999999999', '10-', '1 '])(
    'refuses %j, which is no id, rather than to take it for another',
    (text) => {
      const message = `${JSON.stringify(text)} is not an id: an id is a decimal number from 0 to 4294967294, without sign, space or leading zero`;
      expect(() => lookupUser(text, root())).toThrow(new RangeError(message));
      expect(() => lookupUser(`0:${text}`, root())).toThrow(new RangeError(message));
    },
  );

  it('refuses an account whose id is no number', () => {
    expect(() => lookupUser('bad', root())).toThrow(/^"many" is not an id/);
  });

  it('needs no files for numbers', () => {
    expect(lookupUser('7:8', root({}))).toEqual({ uid: 7, gid: 8, groups: [] });
    expect(() => lookupUser('root', root({}))).toThrow('there is no such name');
  });

  it('reads the files of the container, wherever their links lead: never those of the host', () => {
    const directory = root({});
    symlinkSync('/etc/passwd', join(directory, 'etc/passwd'));
    expect(() => lookupUser('root', directory)).toThrow(/ELOOP|there is no such name/);
    const other = root({ users: 'root:x:5:5::/:/bin/sh\n' });
    symlinkSync('../../../../../../etc/users', join(other, 'etc/passwd'));
    expect(lookupUser('root', other).uid).toBe(5);
  });

  it.each([
    ['a pipe', (path: string) => execFileSync('mkfifo', [path]), /^\/etc\/passwd of the container is not a regular file$/],
    ['a directory', (path: string) => mkdirSync(path), /^\/etc\/passwd of the container is not a regular file$/],
    [
      'a giant',
      (path: string) => (writeFileSync(path, ''), truncateSync(path, 2 ** 33)),
      /^\/etc\/passwd of the container has 8589934592 bytes: more than 4194304 are not read$/,
    ],
    ['a link of proc', (path: string) => symlinkSync('/proc/self/root/etc/passwd', path), /there is no such name/],
  ])('does not hang on, nor fill memory with, what an image may have in their place: %s', (_, make, message) => {
    const directory = root({});
    make(join(directory, 'etc/passwd'));
    expect(() => lookupUser('root', directory)).toThrow(message);
  });

  it("reads the host's own where no root is named", () => {
    expect(lookupUser('root')).toMatchObject({ uid: 0, gid: 0 });
  });

  it('says that there is no such root', () => {
    expect(() => lookupUser('root', '/nowhere')).toThrow(/openat2\(.*"\/nowhere".* = ENOENT/);
  });
});
