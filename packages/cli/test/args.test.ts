import { describe, expect, it } from 'vitest';

import { parse } from '../src/args.js';
import { commandNamed, commands } from '../src/commands.js';
import { noSettings, type Settings } from '../src/settings.js';

const options = commandNamed('run')?.options ?? [];

function read(...args: string[]): { settings: Settings; rest: readonly string[]; help: boolean } {
  const settings = noSettings();
  return { settings, ...parse('run', args, options, settings) };
}

function settingsOf(...args: string[]): Partial<Settings> {
  return Object.fromEntries(Object.entries(read(...args).settings).filter(([, value]) => typeof value !== 'object' || Object.keys(value as object).length > 0));
}

function messageOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

describe('where options end', () => {
  it.each<[string[], string[]]>([
    [['sh'], ['sh']],
    [
      ['sh', '-c', 'echo'],
      ['sh', '-c', 'echo'],
    ],
    [
      ['-q', 'ls', '--rootfs', 'x'],
      ['ls', '--rootfs', 'x'],
    ],
    [['--', '--help'], ['--help']],
    [
      ['--', 'sh', '--', 'x'],
      ['sh', '--', 'x'],
    ],
    [
      ['--hostname', 'box', 'sh', '--'],
      ['sh', '--'],
    ],
    [['-'], ['-']],
    [
      ['-it', 'bash', '-it'],
      ['bash', '-it'],
    ],
    [
      ['sh', '--no-such-option'],
      ['sh', '--no-such-option'],
    ],
    [[], []],
  ])('%j leaves %j', (args, rest) => {
    expect(read(...args).rest).toEqual(rest);
  });

  it('takes --help only among the options', () => {
    expect(read('-q', '--help', 'sh').help).toBe(true);
    // To docker, it is a host name.
    expect(read('-h', 'box').settings.hostname).toBe('box');
    expect(() => read('-h')).toThrow('-h: a value is missing: -h NAME; --help tells of all options');
    expect(parse('gc', ['-h'], [], noSettings()).help).toBe(true);
    expect(read('sh', '--help').help).toBe(false);
  });
});

describe('values', () => {
  it.each<[string[], Partial<Settings>]>([
    [['--rootfs', '/srv/root'], { rootfs: '/srv/root' }],
    [['--rootfs=/srv/root'], { rootfs: '/srv/root' }],
    [['--hostname', 'box', '--hostname', 'other'], { hostname: 'other' }],
    [['-e', 'A=1', '-eB=2=3', '--env', 'C='], { env: { A: '1', B: '2=3', C: '' } }],
    [['-w', '/src', '-u', '1000:1000'], { workdir: '/src', user: '1000:1000' }],
    [['-u', 'nobody:nogroup'], { user: 'nobody:nogroup' }],
    [
      ['-v', '.:/src:ro', '-v/a:/b'],
      {
        mounts: [
          { bind: '.', to: '/src', readonly: true },
          { bind: '/a', to: '/b' },
        ],
      },
    ],
    [
      ['-v', '.:/src:idmap', '-v/a:/b:ro,idmap', '-v/c:/d:idmap,rw'],
      {
        mounts: [
          { bind: '.', to: '/src', idMap: true },
          { bind: '/a', to: '/b', readonly: true, idMap: true },
          { bind: '/c', to: '/d', idMap: true },
        ],
      },
    ],
    [['--ids', 'own'], { ids: 'own' }],
    [
      ['--tmpfs', '/t', '--tmpfs', '/u:size=64m', '--tmpfs', '/v:rw,nosuid,size=1k'],
      { mounts: [{ tmpfs: '/t' }, { tmpfs: '/u', sizeBytes: 67_108_864 }, { tmpfs: '/v', sizeBytes: 1024 }] },
    ],
    [['--read-only', '--init', '-q', '-T'], { readonly: true, init: true, quiet: true, passThrough: true }],
    [['-it', '--rm'], { terminal: true }],
    [['--pids-limit', '20'], { limits: { pids: 20 } }],
    [['--pids-limit', '-1'], { limits: { pids: 'max' } }],
    [['--pids-limit=max', '-m', '64m', '--cpus', '1.5'], { limits: { pids: 'max', memoryBytes: 67_108_864, cpuCores: 1.5 } }],
    [['--memory', '1.5g'], { limits: { memoryBytes: 1_610_612_736 } }],
    [['-m', '65536'], { limits: { memoryBytes: 65_536 } }],
    [['-m', '64MiB'], { limits: { memoryBytes: 67_108_864 } }],
    [['--net', 'host', '--pid=new'], { namespaces: { net: 'host', pid: 'new' } }],
    [['--network', 'none'], { namespaces: { net: 'new' } }],
    [['--net', '/run/netns/blue', '--ipc', 'pid:4711'], { namespaces: { net: { path: '/run/netns/blue' }, ipc: { pid: 4711 } } }],
    [
      ['--uts', 'host', '--cgroupns', 'host', '--userns', 'new', '--time', 'new', '--mountns', 'host'],
      { namespaces: { uts: 'host', cgroup: 'host', user: 'new', time: 'new', mount: 'host' } },
    ],
    [['--timeout', '10s'], { timeoutMs: 10_000 }],
    [['--timeout', '500ms'], { timeoutMs: 500 }],
    [['--timeout', '1.5m'], { timeoutMs: 90_000 }],
    [['--timeout', '2h'], { timeoutMs: 7_200_000 }],
    [['--timeout', '3'], { timeoutMs: 3000 }],
    [['--name', 'web-1', '--stats', '--dry-run', '--json'], { name: 'web-1', stats: true, dryRun: true, json: true }],
  ])('%j', (args, settings) => {
    expect(settingsOf(...args, 'true')).toEqual(settings);
  });

  it("takes the caller's value for a variable without one", () => {
    process.env['CTR_TEST_VARIABLE'] = 'value';
    expect(settingsOf('-e', 'CTR_TEST_VARIABLE', '-e', 'CTR_TEST_UNSET', 'true')).toEqual({ env: { CTR_TEST_VARIABLE: 'value' } });
  });

  it('takes a variable named __proto__ as any other', () => {
    expect(Object.entries(read('-e', '__proto__=1').settings.env)).toEqual([['__proto__', '1']]);
  });
});

describe('what cannot be', () => {
  it.each<[string[], string]>([
    [['--hostnmae', 'x'], 'run: "--hostnmae": there is no such option; ctr run --help lists them'],
    [['--memroy=1'], 'run: "--memroy": there is no such option; ctr run --help lists them'],
    [['-x'], 'run: "-x": there is no such option; ctr run --help lists them'],
    [['--qwertyuiop'], 'run: "--qwertyuiop": there is no such option; ctr run --help lists them'],
    [['--hostname'], '--hostname: a value is missing: --hostname NAME'],
    [['-e'], '-e: a value is missing: -e K=V'],
    [['--quiet=yes'], '--quiet: "yes": it takes no value'],
    [['-e', '=1'], `-e: "=1": K=V, or K for the caller's value`],
    [['-m', '12q'], '-m: "12q": a size such as 64m: a number, and b, k, m or g'],
    [['-m', '-5'], '-m: "-5": a size such as 64m: a number, and b, k, m or g'],
    [['--pids-limit', '-2'], '--pids-limit: "-2": a whole number of processes, max or -1 for no limit'],
    [['--cpus', 'two'], '--cpus: "two": a number of processors, such as 1.5'],
    [
      ['--net', 'hots'],
      '--net: "hots": ctr makes no networks: none (a loopback alone), host, pid:N, or the path of one that something else has made, such as /run/netns/NAME',
    ],
    [['--net', 'pid:0'], '--net: "pid:0": new, host, pid:N, or the path of a namespace with a slash in it'],
    [
      ['-v', '/a'],
      '-v: "/a": SRC:DST or SRC:DST:MODE, where MODE is ro, rw, idmap, or two of them with a comma, DST is an absolute path of the container, and neither has a colon in it',
    ],
    [
      ['-v', '/a:/b:z'],
      '-v: "/a:/b:z": SRC:DST or SRC:DST:MODE, where MODE is ro, rw, idmap, or two of them with a comma, DST is an absolute path of the container, and neither has a colon in it',
    ],
    [
      ['-v', '/a:/b:ro,rw'],
      '-v: "/a:/b:ro,rw": SRC:DST or SRC:DST:MODE, where MODE is ro, rw, idmap, or two of them with a comma, DST is an absolute path of the container, and neither has a colon in it',
    ],
    [['--ids', 'all'], '--ids: "all": own or granted'],
    [['--tmpfs', 'tmp'], '--tmpfs: "tmp": DST or DST:size=SIZE, where DST is an absolute path of the container'],
    [
      ['--tmpfs', '/t:noexec'],
      '--tmpfs: "/t:noexec": size=SIZE is the only option of a tmpfs: it is nosuid and nodev, and everyone may write to it (mode 1777)',
    ],
    [['--name', '../up'], '--name: "../up": up to 200 letters, digits and _ + - . of which the first is no dot'],
    [['--name', '..'], '--name: "..": up to 200 letters, digits and _ + - . of which the first is no dot'],
    [['-u', ''], '-u: "": UID, UID:GID, name or name:group'],
    [['-w', 'src'], '-w: "src": an absolute path of the container'],
    [['--timeout', '0'], '--timeout: "0": a time such as 10s: a number, and ms, s, m or h; more than 0, and at most 596h'],
    [['--timeout', '597h'], '--timeout: "597h": a time such as 10s: a number, and ms, s, m or h; more than 0, and at most 596h'],
    [['--timeout', '1e3'], '--timeout: "1e3": a time such as 10s: a number, and ms, s, m or h; more than 0, and at most 596h'],
    [['--env-file', '/nowhere'], '--env-file: "/nowhere": a file with one K=V a line; this cannot be read (ENOENT)'],
    [['--env-file', '/'], '--env-file: "/": a file with one K=V a line; this cannot be read (EISDIR)'],
    [['--env-file', '/dev/zero'], '--env-file: "/dev/zero": a file of at most 1048576 bytes'],
    [
      ['--net', `\u001B]0;title\u0007${'x'.repeat(100)}`],
      `--net: "\\u001b]0;title\\u0007${'x'.repeat(70)}…": new, host, pid:N, or the path of a namespace with a slash in it`,
    ],
  ])('%j', (args, message) => {
    expect(messageOf(() => read(...args))).toBe(message);
  });
});

describe('the tables', () => {
  it.each(commands.map((command) => [command.name, command] as const))('%s has each option once, with a line of help', (_, command) => {
    const names = command.options.flatMap(({ name, short, aliases = [] }) => [name, ...aliases, ...(short === undefined ? [] : [short])]);
    expect(new Set(names).size).toBe(names.length);
    expect(names).not.toContain('help');
    for (const { help, name } of command.options) {
      expect(help).toMatch(/^[A-Z][^\n]*[^.\n]$/);
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
    }
  });
});
