// Attacks on the end of a container, and on whoever goes into one.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { gotThrough, held, refused, type Attack, type Verdict } from './attack.js';
import { asAnother } from './callers.js';
import { ended, type Stage } from './stage.js';

const ROUNDS = 200;
/** How long the processes of a container may take to be gone. */
const GONE_MS = 3000;

let count = 0;

/** Processes of the host, by a word of their command line. */
function processesOf(word: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith(`/attack/attempts\0untie\0${word}\0`);
      } catch {
        return false;
      }
    });
}

/** What is left of some processes after a while; they are ended then. */
async function left(word: string): Promise<number> {
  const deadline = performance.now() + GONE_MS;
  while (processesOf(word).length > 0 && performance.now() < deadline) await delay(20);
  const pids = processesOf(word);
  for (const pid of pids) end(pid);
  return pids.length;
}

const untie: Attack = {
  name: 'untie',
  group: 'The end of a container',
  tries: 'takes back `PR_SET_PDEATHSIG`, becomes another user, ignores all signals; then its host is killed',
  without: (way) =>
    way === 'ctr child'
      ? 'ctr has become the program'
      : way.startsWith('OCI')
        ? 'a bundle’s container outlives who created it, as the specification has it'
        : undefined,
  async attempt(stage, caller, way) {
    const word = `word-${process.pid}-${++count}`;
    const host = stage.start(caller, way, { rootfs: stage.image(caller), commands: [{ command: ['/attack/attempts', 'untie', word] }] });
    const ending = ended(host);
    await Promise.race([host.stdout && once(host.stdout, 'data'), ending]);
    if (processesOf(word).length === 0) return refused((await ending).outcomes[0]?.error ?? 'it did not start');
    // The executable of a container is a process of its own, whose host it is.
    const victim = way === 'ctr compile' ? childOf(host.pid ?? 0) : (host.pid ?? 0);
    end(victim);
    const survivors = await left(word);
    host.kill('SIGKILL');
    return survivors > 0 ? gotThrough(`${survivors} processes go on without their host`) : held('gone');
  },
  async control(stage, caller) {
    const word = `word-${process.pid}-${++count}`;
    const script = `exec -a /attack/attempts ${stage.attempts} untie ${word} & echo; wait`;
    const host = stage.spawned([...caller.by(stage.directory), 'bash', '-c', script], undefined);
    if (host.stdout) await once(host.stdout, 'data');
    for (let tries = 0; processesOf(word).length === 0 && tries < 500; tries++) await delay(10);
    host.kill('SIGKILL');
    return (await left(word)) > 0;
  },
};

/** Ends a process that may have ended meanwhile. */
function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ')[0]);
}

const watched: Attack = {
  name: 'watched',
  group: 'Going into a container',
  tries: `reads and traces whatever is executed in the container, ${ROUNDS} times, before that is the program`,
  without: (way) => (way === 'OCI exec' ? undefined : 'nothing goes into a container that runs'),
  async attempt(stage, caller, way): Promise<Verdict> {
    const rootfs = stage.newImage(caller);
    const watcher = join(rootfs, 'bin/watcher');
    execFileSync('gcc', ['-O1', '-static', '-w', '-o', watcher, join(import.meta.dirname, '../support/watcher.c')]);
    chownSync(watcher, caller.rootOutside, caller.rootOutside);
    const { stdout, outcomes } = await stage.run(caller, way, {
      rootfs,
      first: ['/bin/sh', '-c', '/bin/watcher > /watched; exec /attack/attempts stay'],
      commands: [
        ...Array.from({ length: ROUNDS }, () => ({ command: ['/attack/attempts'] })),
        { command: ['/bin/sh', '-c', ': > /stop; while ! grep -q ^opened /watched; do :; done; cat /watched'] },
      ],
    });
    const [, looked, opened] = /looked (\d+)\nopened (\d+)/.exec(stdout) ?? [];
    if (opened === undefined) return refused(outcomes.find(({ error }) => error !== undefined)?.error ?? stdout);
    return opened === '0'
      ? held(`${looked} processes were seen, and nothing of theirs`)
      : gotThrough(`${opened} files, links or memories of ${looked} processes`);
  },
  control: () => '`attack/other-processes.root.test.ts` has it',
};

const others: Attack = {
  name: 'other-user',
  group: 'Other users of the host',
  tries: 'another user signals and traces the container, reads its files and environment by `/proc`, writes its control groups',
  async attempt(stage, caller, way) {
    const word = `word-${process.pid}-${++count}`;
    const host = stage.start(caller, way, { rootfs: stage.image(caller), commands: [{ command: ['/attack/attempts', 'untie', word] }] });
    const ending = ended(host);
    await Promise.race([host.stdout && once(host.stdout, 'data'), ending]);
    const [pid] = processesOf(word);
    if (pid === undefined) return refused((await ending).outcomes[0]?.error ?? 'it did not start');
    const found = await tried(stage, pid);
    for (const one of processesOf(word)) end(one);
    await ending;
    return found === '' ? held('EPERM, EACCES') : gotThrough(found);
  },
  async control(stage, caller) {
    // To the caller itself they are its own.
    const child = stage.spawned([...caller.by(stage.directory), 'sleep', '30'], undefined);
    for (let tries = 0; tries < 500 && !readFileSync(`/proc/${child.pid}/cmdline`, 'latin1').startsWith('sleep'); tries++) await delay(10);
    const { stdout } = await ended(stage.spawned([...caller.by(stage.directory), 'sh', '-c', script, 'sh', String(child.pid)], undefined));
    child.kill('SIGKILL');
    return stdout.includes('signal');
  },
};

const script = `
  kill -0 $1 2>/dev/null && echo signal
  for name in environ maps mem auxv; do (: < /proc/$1/$name) 2>/dev/null && echo reads $name; done
  ls /proc/$1/root/ >/dev/null 2>&1 && echo root
  ls /proc/$1/fd >/dev/null 2>&1 && echo files
  cut -d: -f2,3 /proc/$1/cgroup | while IFS=: read kind path; do
    for mount in /sys/fs/cgroup /sys/fs/cgroup/\${kind:-unified}; do
      [ "$path" = / ] || ! [ -d $mount$path ] || for file in $mount$path/*; do (: >> $file) 2>/dev/null && echo writes $file; done
    done
  done
  :`;

async function tried(stage: Stage, pid: number): Promise<string> {
  const { stdout } = await ended(stage.spawned([...asAnother, 'sh', '-c', script, 'sh', String(pid)], undefined));
  return stdout.trim().replaceAll('\n', ', ');
}

/** Those of this file. */
export const life: readonly Attack[] = [untie, watched, others];
