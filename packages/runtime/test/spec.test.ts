import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it, onTestFinished } from 'vitest';

import { plan, run, start, type ContainerOptions, type RunOptions, type StartOptions } from '@ctr/runtime';

import { checkSpec } from '../src/spec.js';

/** What is thrown for options that the types may forbid. */
function thrown(options: object, command: unknown = ['true']): string {
  try {
    plan(command as [string], { cgroup: false, ...options } as ContainerOptions);
  } catch (error) {
    return String(error);
  }
  return 'nothing is thrown';
}

describe('the command', () => {
  it.each([
    [[], 'TypeError: the command is empty: give at least the name of a program'],
    [[''], 'TypeError: the command is empty: give at least the name of a program'],
    ['ls -l', 'TypeError: the command is "ls -l": give an array, the program and its arguments'],
    [['echo', 1], 'TypeError: an argument is 1, not a string'],
    [['echo', ['a']], 'TypeError: an argument is an object, not a string'],
    [['echo', 'a\0b'], String.raw`TypeError: an argument has a NUL byte in it: "a\u0000b"`],
    [['ec\0ho'], String.raw`TypeError: an argument has a NUL byte in it: "ec\u0000ho"`],
  ])('%j is refused', (command, message) => {
    expect(thrown({}, command)).toBe(message);
  });
});

describe('unknown options', () => {
  it.each([
    [{ hostnmae: 'box' }, 'TypeError: options: there is no option "hostnmae": did you mean hostname?'],
    [{ rootFs: '/' }, 'TypeError: options: there is no option "rootFs": did you mean rootfs?'],
    [{ namespaces: { mnt: 'new' } }, 'TypeError: namespaces: there is no option "mnt": did you mean mount?'],
    [{ namespaces: { net: { pdi: 1, pid: 1 } } }, 'TypeError: the net namespace: there is no option "pdi": did you mean pid?'],
    [{ mounts: [{ tmpfs: '/a', size: 1 }] }, 'TypeError: tmpfs mount: there is no option "size"; there are tmpfs, sizeBytes'],
    [{ mounts: [{ bind: '/', to: '/a', idmap: true }] }, 'TypeError: bind mount: there is no option "idmap": did you mean idMap?'],
    [{ mounts: [{ bind: '/', to: '/a', readOnly: true }] }, 'TypeError: bind mount: there is no option "readOnly": did you mean readonly?'],
    [{ limits: { memoryByte: 1 }, cgroup: true }, 'TypeError: limits: there is no option "memoryByte": did you mean memoryBytes?'],
    [{ user: { uid: 1, gid: 1, group: [1] } }, 'TypeError: user: there is no option "group": did you mean groups?'],
    [{ terminal: { columns: 80, row: 1 } }, 'TypeError: terminal: there is no option "row": did you mean rows?'],
  ])('%j: the nearest is named', (options, message) => {
    expect(thrown(options)).toBe(message);
  });

  it('are refused by run and start, which have more of them', async () => {
    expect(() => run(['true'], { timeout: 1 } as RunOptions)).toThrow(new TypeError('run: there is no option "timeout": it is `timeoutMs`'));
    expect(() => run(['true'], { signal: 1 } as RunOptions)).toThrow(/^run: there is no option "signal"/);
    await expect(start(['true'], { reject: false } as StartOptions)).rejects.toThrow(/^start: there is no option "reject"/);
    await expect(start(['true'], { cancelsignal: 1 } as StartOptions)).rejects.toThrow(
      new TypeError('start: there is no option "cancelsignal": did you mean cancelSignal?'),
    );
  });
});

describe('strings', () => {
  it.each([
    [{ rootfs: '/a\0b' }, String.raw`TypeError: rootfs has a NUL byte in it: "/a\u0000b"`],
    [{ cwd: '/\0' }, String.raw`TypeError: cwd has a NUL byte in it: "/\u0000"`],
    [{ mounts: [{ tmpfs: '/\0' }] }, String.raw`TypeError: a mount point has a NUL byte in it: "/\u0000"`],
    [{ mounts: [{ bind: '/\0', to: '/a' }] }, String.raw`TypeError: the source of a bind mount has a NUL byte in it: "/\u0000"`],
    [{ env: { A: '1\x002' } }, String.raw`TypeError: the environment variable "A" has a NUL byte in it: "1\u00002"`],
    [{ env: { 'A\0': '' } }, String.raw`TypeError: "A\u0000" is not the name of an environment variable`],
    [{ hostname: 'a\0' }, String.raw`RangeError: the host name "a\u0000" has a control character in it`],
    [{ namespaces: { net: { path: '\0' } } }, String.raw`TypeError: the path of the net namespace has a NUL byte in it: "\u0000"`],
    [{ name: 'a\0' }, String.raw`TypeError: "a\u0000" cannot name a group: a name has letters, digits and _ + - . in it, and does not begin with a dot`],
  ])('with a NUL byte are refused: %j', (options, message) => {
    expect(thrown(options)).toBe(message);
  });

  it.each([
    [{ rootfs: '' }, 'TypeError: rootfs is empty: give a path of the host'],
    [{ mounts: [{ bind: '', to: '/a' }] }, 'TypeError: the source of a bind mount is empty: give a path of the host'],
    [{ namespaces: { net: { path: '' } } }, 'TypeError: the path of the net namespace is empty: give a path of the host'],
    [{ env: { '': '1' } }, 'TypeError: "" is not the name of an environment variable'],
    [{ hostname: '' }, 'RangeError: the host name "" has 0 bytes: the kernel takes 1 to 64'],
    [{ cwd: '' }, 'TypeError: cwd "" is not an absolute path of the container'],
  ])('that are empty are refused: %j', (options, message) => {
    expect(thrown(options)).toBe(message);
  });

  it('of another type are refused', () => {
    expect(thrown({ rootfs: 5 })).toBe('TypeError: rootfs is 5, not a string');
    expect(thrown({ env: { A: 1 } })).toBe('TypeError: the environment variable "A" is 1, not a string');
    expect(thrown({ env: ['A=1'] })).toBe('TypeError: env is an array: give an object of names and values');
    expect(thrown({ env: { 'A=B': '1' } })).toBe('TypeError: "A=B" is not the name of an environment variable');
  });
});

describe('a value that counts as false', () => {
  const falsy = [null, 0, '', false, Number.NaN];
  it.each<[name: string, wanted: RegExp]>([
    ['namespaces', /: give an object of kinds and choices$/],
    ['env', /: give an object of names and values$/],
    ['user', /: give \{ uid, gid \}, as lookupUser finds them for a name$/],
    ['limits', /: give an object of names and limits$/],
    ['terminal', /: give \{ columns, rows \}$/],
    ['capabilities', /: give \{ add, drop \}$/],
    ['rlimits', /: give an object of names and limits$/],
    ['sysctls', /: give an object of names and values$/],
    ['uidMap', /: give an array of ranges, \{ inside, outside, count \}$/],
    ['gidMap', /: give an array of ranges, \{ inside, outside, count \}$/],
    ['mounts', /: give an array of mounts$/],
    ['devices', /: give an array of devices$/],
    ['maskedPaths', /: give an array of paths of the container$/],
    ['readonlyPaths', /: give an array of paths of the container$/],
    ['deviceRules', /: give an array of rules, or 'unconfined'$/],
    ['seccomp', /: give a profile, or 'unconfined'$/],
  ])('is not the default of %s', (name, wanted) => {
    for (const value of falsy) {
      const message = thrown({ cgroup: undefined, [name]: value });
      expect(message).toMatch(new RegExp(`^TypeError: ${name} is `));
      expect(message).toMatch(wanted);
    }
    expect(thrown({ cgroup: undefined, [name]: undefined })).toBe('nothing is thrown');
  });

  it.each<[options: object, message: string]>([
    [{ cwd: null }, 'TypeError: cwd is null, not a string'],
    [{ namespaces: { net: null } }, `TypeError: the net namespace is null: 'new', 'host', { pid } or { path }`],
    [{ namespaces: { user: '' } }, `TypeError: the user namespace is "": 'new', 'host', { pid } or { path }`],
    [{ devices: [{ device: '/dev/null', to: null }] }, 'TypeError: the place of a device is null, not a string'],
    [{ rootfs: null }, 'TypeError: rootfs is null, not a string'],
  ])('is not the default of a part: %j', (options, message) => {
    expect(thrown(options)).toBe(message);
  });
});

describe('the host name', () => {
  it('has at most 64 bytes', () => {
    expect(thrown({ hostname: 'a'.repeat(64) })).toBe('nothing is thrown');
    expect(thrown({ hostname: 'a'.repeat(65) })).toBe(`RangeError: the host name "${'a'.repeat(65)}" has 65 bytes: the kernel takes 1 to 64`);
    expect(thrown({ hostname: 'ä'.repeat(33) })).toMatch(/ has 66 bytes: the kernel takes 1 to 64$/);
  });
  it('needs a UTS namespace', () => {
    expect(thrown({ hostname: 'box', namespaces: { uts: 'host' } })).toBe("TypeError: hostname needs a UTS namespace of the container's own");
  });
});

describe('the root file system', () => {
  it.each([
    ['/nowhere', 'Error: rootfs "/nowhere" does not exist: give a directory that holds a root file system'],
    ['/proc/self/status', 'Error: rootfs "/proc/self/status" is not a directory: unpack an archive or image first'],
  ])('%s is refused', (rootfs, message) => {
    expect(thrown({ rootfs })).toBe(message);
  });
  it('may be reached by a link, which has to lead somewhere', () => {
    const directory = temporary();
    symlinkSync('/usr', join(directory, 'root'));
    symlinkSync('/nowhere', join(directory, 'dangling'));
    expect(thrown({ rootfs: join(directory, 'root') })).toBe('nothing is thrown');
    expect(thrown({ rootfs: join(directory, 'dangling') })).toMatch(/dangling" does not exist/);
  });
  it("is not the host's own, by whatever path, unless it is read-only or that is said", () => {
    const directory = temporary();
    symlinkSync('/', join(directory, 'root'));
    for (const rootfs of ['/', '/usr/..', '//', '/proc/self/root', join(directory, 'root')]) {
      expect(thrown({ rootfs })).toMatch(/^TypeError: rootfs .* is the host's own root file system, to which the container would write: /);
      expect(thrown({ rootfs, writableHostRoot: false })).toMatch(/^TypeError/);
      expect(thrown({ rootfs, readonly: true })).toBe('nothing is thrown');
      expect(thrown({ rootfs, writableHostRoot: true })).toBe('nothing is thrown');
    }
    expect(thrown({ rootfs: '/usr', writableHostRoot: true })).toBe("TypeError: writableHostRoot is for a rootfs that is the host's root");
    expect(thrown({ rootfs: '/', writableHostRoot: 1 })).toBe('TypeError: writableHostRoot is 1: true or false');
  });
  it('has a size in memory, or that of its own file system', () => {
    expect(thrown({ rootSizeBytes: 2 ** 20 })).toBe('nothing is thrown');
    expect(thrown({ rootSizeBytes: 0 })).toBe('RangeError: rootSizeBytes is 0: a positive number of bytes');
    expect(thrown({ rootSizeBytes: 1.5 })).toBe('RangeError: rootSizeBytes is 1.5: a positive number of bytes');
    expect(thrown({ rootSizeBytes: 4096, rootfs: '/usr' })).toBe(
      'TypeError: rootSizeBytes is for the root in memory: a rootfs has the size of its own file system',
    );
  });
});

describe('mounts', () => {
  it.each([
    [{ tmpfs: 'tmp' }, 'TypeError: a mount point "tmp" is not an absolute path of the container'],
    [{ tmpfs: '/a/../../b' }, 'TypeError: a mount point "/a/../../b" has ".." in it: give the path itself'],
    [{ tmpfs: '//' }, 'TypeError: a mount at "/" would hide the root file system: use rootfs'],
    [{ tmpfs: '/proc' }, 'TypeError: a mount at "/proc" would let the container fake /proc'],
    [{ bind: '/', to: '//proc/1' }, 'TypeError: a mount at "//proc/1" would let the container fake /proc'],
    [{ bind: '/nowhere', to: '/a' }, 'Error: bind mount: "/nowhere" does not exist on the host'],
    [{ bind: '/' }, 'TypeError: a mount point is undefined, not a string'],
    [{ tmpfs: '/a', sizeBytes: 0 }, 'RangeError: the size of a tmpfs is 0: a positive number of bytes'],
    [{ tmpfs: '/a', sizeBytes: -1 }, 'RangeError: the size of a tmpfs is -1: a positive number of bytes'],
    [{ tmpfs: '/a', sizeBytes: 1e300 }, 'RangeError: the size of a tmpfs is 1e+300: a positive number of bytes'],
    ['/a', 'TypeError: a mount is "/a": give { tmpfs } or { bind, to }'],
  ])('%j is refused', (mount, message) => {
    expect(thrown({ mounts: [mount] })).toBe(message);
  });

  it('come in the order of their depth, and those of the same depth as they are given', () => {
    const mounts = ['/x/y/z', '/b', '/x/y', '/a', '/x'].map((tmpfs) => ({ tmpfs }));
    expect(checkSpec(['true'], { mounts }).mounts.map(({ to }) => to)).toEqual(['/b', '/a', '/x', '/x/y', '/x/y/z']);
    expect(thrown({ mounts: [{ tmpfs: '/a' }, { bind: '/', to: '//a/', readonly: true }] })).toBe(
      'TypeError: there are two mounts at "/a", of which one would hide the other: give one of them',
    );
  });

  it('are an array', () => {
    expect(thrown({ mounts: { tmpfs: '/a' } })).toBe('TypeError: mounts is {"tmpfs":"/a"}: give an array of mounts');
  });
});

describe('namespaces', () => {
  it.each([
    ['none', `TypeError: the net namespace is "none": 'new', 'host', { pid } or { path }`],
    [{}, `TypeError: the net namespace is {}: 'new', 'host', { pid } or { path }`],
    [{ pid: 1, path: '/' }, `TypeError: the net namespace is {"pid":1,"path":"/"}: 'new', 'host', { pid } or { path }`],
    [{ pid: 0 }, 'RangeError: the net namespace of process 0: a pid is a positive integer'],
    [{ pid: -1 }, 'RangeError: the net namespace of process -1: a pid is a positive integer'],
    [{ pid: '1' }, 'RangeError: the net namespace of process "1": a pid is a positive integer'],
  ])('net: %j is refused', (net, message) => {
    expect(thrown({ namespaces: { net } })).toBe(message);
  });
  it.each([
    [{ rootfs: '/usr' }, 'rootfs'],
    [{ rootSizeBytes: 4096 }, 'rootSizeBytes'],
    [{ mounts: [] }, 'mounts'],
    [{ readonly: true }, 'readonly'],
    [{ terminal: { columns: 80, rows: 24 } }, 'terminal'],
  ])("%j needs mounts of the container's own", (options, name) => {
    const message = `TypeError: ${name} needs a mount namespace of the container's own`;
    expect(thrown({ ...options, namespaces: { mount: 'host' } })).toBe(message);
    expect(thrown({ ...options, namespaces: { mount: { pid: process.pid } } })).toBe(message);
  });
});

describe('id maps', () => {
  const range = { inside: 0, outside: 1000, count: 1 };
  it.each([
    [{ uidMap: [] }, 'RangeError: an id map: a map has at least one range'],
    [{ gidMap: [{ ...range, count: 0 }] }, 'RangeError: an id map: { inside: 0, outside: 1000, count: 0 }: count is 0, and a range has at least one id'],
    [{ uidMap: [range, range] }, expect.stringMatching(/^RangeError: .* overlap inside: 0 is in both$/)],
    [{ uidMap: [{ ...range, outside: 2 ** 32 }] }, expect.stringMatching(/^RangeError: .* an id is a whole number from 0 to 4294967294$/)],
  ])('%j is refused', (maps, message) => {
    expect(thrown({ namespaces: { user: 'new' }, ...maps })).toEqual(message);
  });
  it('need a user namespace', () => {
    expect(thrown({ namespaces: { user: 'host' }, uidMap: [range] })).toBe('TypeError: an id map needs a new user namespace');
  });
});

describe('the user', () => {
  it.each([
    [{ uid: -1, gid: 0 }, 'RangeError: user: -1 is not an id from 0 to 4294967294'],
    [{ uid: 0, gid: 2 ** 32 - 1 }, 'RangeError: user: 4294967295 is not an id from 0 to 4294967294'],
    [{ uid: 0, gid: 0, groups: [0.5] }, 'RangeError: user: 0.5 is not an id from 0 to 4294967294'],
    [{ uid: 0 }, 'RangeError: user: undefined is not an id from 0 to 4294967294'],
    ['nobody-at-all', 'Error: user "nobody-at-all": there is no such name in the /etc/passwd of the container'],
  ])('%j is refused', (user, message) => {
    expect(thrown({ user })).toBe(message);
  });
});

describe('limits', () => {
  it.each([
    [{ pids: -1 }, "RangeError: pids takes a whole number of processes from 1 to 4194304, or 'max' for no limit: -1 is not one"],
    [{ pids: 0 }, "RangeError: pids takes a whole number of processes from 1 to 4194304, or 'max' for no limit: 0 is not one"],
    [{ pids: 1e12 }, "RangeError: pids takes a whole number of processes from 1 to 4194304, or 'max' for no limit: 1000000000000 is not one"],
    [{ pids: 1.5 }, "RangeError: pids takes a whole number of processes from 1 to 4194304, or 'max' for no limit: 1.5 is not one"],
    [{ pids: '20' }, `TypeError: pids takes a whole number of processes from 1 to 4194304, or 'max' for no limit: "20" is none`],
    [{ memoryBytes: 0 }, "RangeError: memoryBytes takes a whole number of bytes from 4096 to 9007199254740991, or 'max' for no limit: 0 is not one"],
    [{ memoryBytes: 2 ** 60 }, /^RangeError: memoryBytes takes/],
    [{ cpuCores: 0 }, "RangeError: cpuCores takes a number of processors from 0.01 to 175921860, or 'max' for no limit: 0 is not one"],
    [{ cpuCores: Number.NaN }, /^RangeError: cpuCores takes/],
    [{ cpuWeight: 0 }, 'RangeError: cpuWeight takes a whole number of parts from 1 to 10000: 0 is not one'],
  ])('%j is refused', (limits, message) => {
    expect(thrown({ cgroup: true, limits })).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });
  it('need a cgroup', () => {
    expect(thrown({ cgroup: false, limits: { pids: 20 } })).toBe('TypeError: limits need a cgroup');
  });
});

describe('the name', () => {
  it.each(['', '.', '..', '../x', 'a/b', '.a', 'a b', 'a\nb', 'ä', 'cgroup.procs'])('%j is refused', (name) => {
    expect(thrown({ name })).toMatch(/^TypeError: ".*" cannot name a group: /);
  });
  it('leaves room for its owner in a file name', () => {
    expect(thrown({ name: 'a'.repeat(200) })).toBe('nothing is thrown');
    expect(thrown({ name: 'a'.repeat(250) })).toMatch(/ is longer than 255 bytes, the owner's part included$/);
  });
});

describe('the rest', () => {
  it.each([
    [{ cwd: 'tmp' }, 'TypeError: cwd "tmp" is not an absolute path of the container'],
    [{ cwd: '/tmp/..' }, 'TypeError: cwd "/tmp/.." has ".." in it: give the path itself'],
    [{ terminal: { columns: 65_536, rows: 1 } }, 'RangeError: a terminal of 65536 columns and 1 rows: from 0 to 65535'],
    [{ terminal: { columns: -1, rows: 1 } }, 'RangeError: a terminal of -1 columns and 1 rows: from 0 to 65535'],
    [{ terminal: { rows: 1 } }, 'RangeError: a terminal of undefined columns and 1 rows: from 0 to 65535'],
    [{ init: 'yes' }, 'TypeError: init is "yes": true or false'],
    [{ readonly: 'false' }, 'TypeError: readonly is "false": true or false'],
  ])('%j is refused', (options, message) => {
    expect(thrown(options)).toBe(message);
  });

  it('is refused by run before a pipe is made', () => {
    const refused = (options: object): string => {
      try {
        void run(['true'], options as RunOptions);
      } catch (error) {
        return String(error);
      }
      return 'nothing is thrown';
    };
    expect(refused({ maxBufferBytes: -1 })).toBe('RangeError: maxBufferBytes is -1: a number of bytes, from 0');
    expect(refused({ stdio: 'pip' })).toBe('TypeError: stdio is "pip": "pipe", "inherit", "ignore" or an Fd');
    expect(refused({ stdio: ['pipe', 1, 2] })).toBe('TypeError: stdio is 1: "pipe", "inherit", "ignore" or an Fd');
    expect(refused({ stdio: ['pipe'] })).toBe('TypeError: stdio has 1 streams: give three, for stdin, stdout and stderr, or one for all');
    expect(refused({ input: 5 })).toBe('TypeError: input is number: a string or bytes');
    expect(refused({ input: 'a', stdio: 'ignore' })).toBe('TypeError: input needs stdin to be a pipe');
    expect(refused({ terminal: { columns: 80, rows: 24 } })).toBe('TypeError: run keeps the output, so it gives no terminal: start does');
    expect(refused({ hostname: 'a'.repeat(65), namespaces: { uts: 'host' } })).toBe("TypeError: hostname needs a UTS namespace of the container's own");
  });

  it.each([0, -1, 2 ** 31, Number.NaN])('a time of %d ms is refused', async (timeoutMs) => {
    await expect(start(['true'], { timeoutMs })).rejects.toThrow(
      new RangeError(`timeoutMs is ${timeoutMs}: more than 0 and less than 2147483648 milliseconds`),
    );
  });

  it.each(['maskedPaths', 'readonlyPaths'] as const)('has paths to hide or protect only with mounts of its own, whatever is given: %s', (name) => {
    const options = { [name]: null, namespaces: { mount: 'host' } } as unknown as ContainerOptions;
    expect(() => plan(['true'], options)).toThrow(new TypeError(`${name} needs a mount namespace of the container's own`));
    expect(() => plan(['true'], { maskedPaths: [], readonlyPaths: [], namespaces: { mount: 'host' } })).not.toThrow();
  });

  it('has words for streams, and no others', async () => {
    await expect(start(['true'], { stdio: 'pipes' } as unknown as StartOptions)).rejects.toThrow(
      new TypeError('stdio is "pipes": "pipe", "inherit", "ignore" or an Fd'),
    );
  });
});

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ctr-runtime-'));
  writeFileSync(join(directory, 'file'), '');
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}
