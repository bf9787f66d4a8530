// Attacks through the standard streams: a file, a directory and a terminal of the caller, and what stands for an ignored one.
import { chownSync, closeSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { call, Fd, ioctls, Memory, openFd, openFlags } from '@ctr/syscall';

import { gotThrough, held, refused, type Attack, type Verdict } from './attack.js';
import type { Caller } from './callers.js';
import type { Way } from './job.js';
import { ended, type Ended, type Stage } from './stage.js';

const attempts = ['stdout-mode', 'stdin-write', 'stdin-offset', 'terminal-mode', 'terminal-read'] as const;
type Name = (typeof attempts)[number];

/** What the program said, and what became of the files. */
interface Found {
  readonly said: ReadonlyMap<string, readonly [got: boolean, detail: string]>;
  readonly error: string | undefined;
  readonly mode: number;
  readonly content: string;
}

const tries: Readonly<Record<Name, string>> = {
  'stdout-mode': 'stdout is a file: makes it set-user-id through `/proc/self/fd/1`',
  'stdin-write': 'stdin is a file: opens it for writing through `/proc/self/fd/0`',
  'stdin-offset': 'stdin is a file: moves the offset that it shares with the caller',
  'terminal-mode': 'stderr is a terminal: sets its mode',
  'terminal-read': 'stderr is a terminal: reads what is typed, types itself (`TIOCSTI`, `TIOCLINUX`)',
};

/** Whatever is written to a file takes its set-user-id bit away again: the rest of the new mode stays. */
const MODE = 0o644;

const results = new Map<string, Promise<Found>>();

/** All of them at once: stdin and stdout are files, stderr is a terminal. */
async function withFiles(stage: Stage, caller: Caller, start: (stdio: readonly [number, number, number]) => Promise<Ended>): Promise<Found> {
  const directory = stage.scratch(caller.uid);
  const [input, output] = [join(directory, 'input'), join(directory, 'output')];
  for (const path of [input, output]) {
    writeFileSync(path, path === input ? 'input of the caller\n' : '', { mode: MODE });
    chownSync(path, caller.uid, caller.uid);
  }
  const [stdin, stdout] = [openSync(input, 'r'), openSync(output, 'a')];
  const [master, slave] = terminal(caller.uid);
  try {
    const { outcomes } = await start([stdin, stdout, slave.number]);
    const said = readFileSync(output, 'utf8')
      .split('\n')
      .map((line) => line.split('\t'));
    return {
      said: new Map(said.map(([name = '', mark, detail = '']) => [name, [mark === 'got', detail]])),
      error: outcomes[0]?.error,
      mode: statSync(output).mode,
      content: readFileSync(input, 'utf8'),
    };
  } finally {
    for (const fd of [stdin, stdout]) closeSync(fd);
    for (const fd of [master, slave]) fd.close();
  }
}

function terminal(owner: number): readonly [master: Fd, slave: Fd] {
  const flags = openFlags.O_RDWR | openFlags.O_NOCTTY | openFlags.O_CLOEXEC;
  const master = openFd('/dev/ptmx', { flags });
  call({ call: 'ioctl', args: [master, ioctls.TIOCSPTLCK, new Memory(4, 'unlocked')], purpose: 'the slave may be opened' });
  const slave = new Fd(call({ call: 'ioctl', args: [master, ioctls.TIOCGPTPEER, flags], purpose: 'the slave' }));
  call({ call: 'fchown', args: [slave, owner, owner], purpose: 'a terminal belongs to who sits at it' });
  return [master, slave];
}

function together(stage: Stage, caller: Caller, way: Way): Promise<Found> {
  const key = `${caller.name}, ${way}`;
  const command = ['/attack/attempts', ...attempts];
  const known =
    results.get(key) ?? withFiles(stage, caller, (stdio) => stage.run(caller, way, { rootfs: stage.image(caller), commands: [{ command }], stdio }));
  results.set(key, known);
  return known;
}

function verdict(name: Name, { said, error, mode, content }: Found): Verdict {
  const [got, detail] = said.get(name) ?? [];
  if (detail === undefined) return refused(error ?? 'the program wrote nothing');
  if (name === 'stdout-mode' && (mode & 0o7777) !== MODE) return gotThrough('the file of the caller has another mode');
  if (name === 'stdin-write' && content.startsWith('X')) return gotThrough('the file of the caller is another');
  // The mode of a pipe that stands for the file is nobody else's.
  const isOwn = name === 'stdout-mode' || name === 'stdin-write';
  return got && !isOwn ? gotThrough(detail) : held(detail);
}

const ofFiles = attempts.map((name): Attack => ({
  name,
  group: 'Standard streams',
  tries: tries[name],
  told: (way) => (way.startsWith('OCI') ? 'docs/oci.md#what-a-container-cannot-change-of-its-caller: the files are those of the engine' : undefined),
  attempt: async (stage, caller, way) => verdict(name, await together(stage, caller, way)),
  async control(stage, caller) {
    const words = [...caller.by(stage.directory), stage.attempts, ...attempts];
    return verdict(name, await withFiles(stage, caller, (stdio) => ended(stage.spawned(words, stdio)))).mark === 'GOT THROUGH';
  },
}));

const directory: Attack = {
  name: 'directory-up',
  group: 'Standard streams',
  tries: 'stdin is a directory of the host: opens what is above it',
  mayRefuse: true,
  attempt: async (stage, caller, way) =>
    await upFrom(stage, caller, (stdio) =>
      stage.run(caller, way, { rootfs: stage.image(caller), commands: [{ command: ['/attack/attempts', 'directory-up'] }], stdio }),
    ),
  control: async (stage, caller) =>
    (await upFrom(stage, caller, (stdio) => ended(stage.spawned([...caller.by(stage.directory), stage.attempts, 'directory-up'], stdio)))).mark ===
    'GOT THROUGH',
};

async function upFrom(stage: Stage, caller: Caller, start: (stdio: readonly (number | 'pipe')[]) => Promise<Ended>): Promise<Verdict> {
  const above = stage.scratch(caller.uid);
  writeFileSync(join(above, 'canary'), '', { mode: 0o644 });
  mkdirSync(join(above, 'below'));
  const fd = openSync(join(above, 'below'), 'r');
  try {
    const { stdout, stderr, outcomes } = await start([fd, 'pipe', 'pipe']);
    const [, mark, detail = ''] = stdout.trim().split('\t');
    if (mark === undefined) return refused(outcomes[0]?.error ?? stderr);
    return mark === 'got' ? gotThrough('a file above the directory is opened') : held(detail);
  } finally {
    closeSync(fd);
  }
}

const ignored: Attack = {
  name: 'ignored-streams',
  group: 'Standard streams',
  tries: 'the streams are ignored: sets the mode of the null device behind them',
  async attempt(stage, caller, way) {
    // Who has no such option hands over its own, which are the null device of the host.
    const nulls = ['ignore', 'ignore', 'ignore'] as const;
    const { outcomes } = await stage.run(caller, way, {
      rootfs: stage.image(caller),
      commands: [{ command: ['/attack/attempts', 'ignored-streams'] }],
      ignored: true,
      stdio: way === 'ctr child' ? nulls : ['ignore', 'pipe', 'pipe'],
    });
    const [{ exitCode, error } = { error: 'it told nothing' }] = outcomes;
    if (exitCode === 10) return gotThrough('the mode of the host’s /dev/null can be set');
    return exitCode === 11 ? held('EROFS, EPERM, or its own') : refused(error ?? `exit code ${exitCode}`);
  },
  control: () => '`mask.root.test.ts` has it',
};

/** One for each attempt. */
export const streams: readonly Attack[] = [...ofFiles, directory, ignored];
